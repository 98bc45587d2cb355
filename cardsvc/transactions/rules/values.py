"""What an item is, once its signatures verified, and what can become of it.

The order of `Reason` is the order of the checks, and the order in which a caller learns what is wrong: an item that
fails two of them always names the earlier one (crypto/FORMATS.md lists them).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cardsvc import ledger
from crypto.wire.transaction import Record


class Reason(StrEnum):
    """Why an item was refused, in the order of the checks."""

    MALFORMED = "malformed"
    UNKNOWN_KIND = "unknown_kind"
    WRONG_TERMINAL = "wrong_terminal"
    RECORD_ID_CONFLICT = "record_id_conflict"
    UNKNOWN_KEY = "unknown_key"
    MISSING_AUTHORISATION = "missing_authorisation"
    INVALID_SIGNATURE = "invalid_signature"
    CARD_NOT_ACTIVE = "card_not_active"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"
    NOT_PERMITTED = "not_permitted"
    UNKNOWN_WALLET = "unknown_wallet"
    UNKNOWN_REFERENCE = "unknown_reference"
    WRONG_AMOUNT = "wrong_amount"
    ALREADY_DONE = "already_done"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    ACCOUNT_CLOSED = "account_closed"
    PERIOD_CLOSED = "period_closed"
    NOT_POSTABLE = "not_postable"


UNAUTHENTICATED = frozenset(
    {
        Reason.MALFORMED,
        Reason.UNKNOWN_KIND,
        Reason.WRONG_TERMINAL,
        Reason.RECORD_ID_CONFLICT,
        Reason.UNKNOWN_KEY,
        Reason.MISSING_AUTHORISATION,
        Reason.INVALID_SIGNATURE,
    }
)
"""Refusals of an item nobody can be held to. They do not use up the record id: otherwise a stranger who guesses an id
could spoil the owner's transaction before it arrives."""


@dataclass(frozen=True, slots=True)
class DeviceRef:
    id: UUID
    kind: str


@dataclass(frozen=True, slots=True)
class CardRef:
    card_id: UUID
    resident_id: UUID


@dataclass(frozen=True, slots=True)
class StaffRef:
    staff_id: UUID
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Item:
    """A record whose signatures verified. `card` is who tapped, `staff` who signed; neither where the service did."""

    record: Record
    record_hash: bytes
    device: DeviceRef
    card: CardRef | None
    staff: StaffRef | None
    happened_at: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """What an item will do to the books. `official_series`: the receipt series to draw a number from, if any."""

    draft: ledger.Draft
    amount_cents: int
    official_series: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A refusal with one sentence for the person at the terminal."""

    reason: Reason
    detail: str
