"""What staff sign about bank transfers: a line is taken in, a transfer that waited is assigned."""

import hashlib
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.finance import queries
from cardsvc.money import CURRENCY
from crypto.wire.finance import BankTransfer, TransferAssigned
from crypto.wire.ids import uuid7

_HOUR_MS: Final = 3600 * 1000


class UnknownLine(CityError):
    code: ClassVar[str] = "unknown_line"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("No statement has this line, or no money came in with it. Look at the list of lines again.")


class UnknownTransfer(CityError):
    code: ClassVar[str] = "unknown_transfer"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no bank transfer with this id. Look at the list of those that wait again.")


def transfer_of(session: Session, line_id: UUID, by: UUID) -> BankTransfer:
    """What staff sign to take a line in. Raises: UnknownLine."""
    line = queries.incoming_lines(session, [line_id]).get(line_id)
    if line is None:
        raise UnknownLine
    return BankTransfer(by, line.line_hash, line.amount_cents, CURRENCY, line.reference, line.wallet_id)


def transfer_id(line_hash: bytes, by: UUID, now: datetime) -> UUID:
    """The record's id: one a line, signer and hour, so that a repeated request is answered and what was refused can be
    tried again later. That a line is credited once is for the handler to see to, whatever the id.
    """
    hour_ms = to_ms(now) // _HOUR_MS * _HOUR_MS
    said = b"|".join((b"city.bank-transfer", line_hash, by.bytes, str(hour_ms).encode()))
    return uuid7(hour_ms, hashlib.sha256(said).digest()[:10])


def assignment(session: Session, waiting_id: UUID, wallet_id: UUID, *, reason: str, by: UUID) -> TransferAssigned:
    """What staff sign to give a transfer that waits to a wallet. Raises: UnknownTransfer."""
    amount_cents = queries.transferred(session, waiting_id)
    if amount_cents is None:
        raise UnknownTransfer
    return TransferAssigned(by, waiting_id, wallet_id, amount_cents, CURRENCY, reason)
