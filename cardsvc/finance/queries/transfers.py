"""Bank transfers: the lines that may be taken in, whose they are, and what waits for staff."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, residents, wallets
from cardsvc.finance.models import StatementLine, Transfer, TransferAssignment
from cardsvc.finance.rules import OpenLine
from cardsvc.money import CURRENCY

_ENTRY: Final = Transfer.entry_id.expression
SHOWN_MAX: Final = 500
AT_ONCE_MAX: Final = 50
"""Lines that are signed in with one request: the signer's key is opened for each."""
NO_REFERENCE: Final = "It carries no top-up reference."
_NOBODYS: Final = "No wallet has this reference: a character is wrong, or there are several."
_CLOSED: Final = "The wallet of this reference is closed."
_MERGED: Final = "This reference is of an entry that was merged into another resident's."
_GONE: Final = "The holder of this reference has died."


@dataclass(frozen=True, slots=True)
class Incoming:
    """A line with money that came in. `wallet_id` is whose it is; None: `why` says why nobody's."""

    line_id: UUID
    line_hash: bytes
    booked_on: date
    amount_cents: int
    text: str
    reference: str | None
    wallet_id: UUID | None
    why: str
    state: str = "open"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A transfer that is in the books and in nobody's wallet."""

    transfer_id: UUID
    booked_on: date
    amount_cents: int
    reference: str | None
    text: str
    why: str
    taken_by: UUID
    taken_at: datetime


def incoming(session: Session, *, limit: int = SHOWN_MAX) -> list[Incoming]:
    """The open lines that carry a top-up reference, or what begins like one, oldest first."""
    return [one for one in _open(session) if one.reference is not None][:limit]


def incoming_lines(session: Session, line_ids: Sequence[UUID]) -> dict[UUID, Incoming]:
    """Those of these lines with which money came in, in whatever state they are."""
    rows = session.scalars(_came_in().where(StatementLine.id.in_(line_ids))).all()
    return {one.line_id: one for one in _judged(session, rows)}


def by_hashes(session: Session, hashes: Sequence[bytes]) -> dict[bytes, Incoming]:
    """The same by the lines' hashes."""
    rows = session.scalars(_came_in().where(StatementLine.line_hash.in_(hashes))).all()
    return {one.line_hash: one for one in _judged(session, rows)}


def waiting(session: Session, *, transfer_id: UUID | None = None, limit: int = SHOWN_MAX) -> list[Waiting]:
    """What stands in the suspense account, oldest first; or the one asked for, if it does."""
    query = (
        sa.select(Transfer, StatementLine)
        .join(StatementLine, StatementLine.id == Transfer.line_id)
        .where(
            Transfer.wallet_id.is_(None),
            ~_assigned(_ENTRY),
            ~ledger.is_reversed(_ENTRY),
        )
        .order_by(Transfer.taken_at, Transfer.entry_id)
        .limit(limit)
    )
    if transfer_id is not None:
        query = query.where(Transfer.entry_id == transfer_id)
    return [
        Waiting(
            row.entry_id,
            line.booked_on,
            row.amount_cents,
            row.reference,
            _shown(line),
            row.why,
            row.taken_by,
            row.taken_at,
        )
        for row, line in session.execute(query)
    ]


def transferred(session: Session, transfer_id: UUID) -> int | None:
    """The amount of a transfer in cents, wherever it went; None: there is no such transfer."""
    return session.scalar(sa.select(Transfer.amount_cents).where(Transfer.entry_id == transfer_id))


def is_assigned(session: Session, transfer_id: UUID) -> bool:
    """Whether a transfer that waited went into a wallet, and nothing took that back."""
    return bool(session.scalar(sa.select(_assigned(sa.literal(transfer_id, StatementLine.id.type)))))


def _assigned(transfer_id: sa.ColumnElement[UUID] | Any) -> sa.ColumnElement[bool]:
    return sa.exists().where(
        TransferAssignment.transfer_id == transfer_id, ~ledger.is_reversed(TransferAssignment.entry_id.expression)
    )


def _came_in() -> sa.Select[StatementLine]:
    return sa.select(StatementLine).where(StatementLine.amount_cents > 0, StatementLine.currency == CURRENCY)


def _open(session: Session) -> list[Incoming]:
    query = _came_in().where(StatementLine.state == "open")
    return _judged(session, session.scalars(query.order_by(StatementLine.booked_on, StatementLine.id)).all())


def _judged(session: Session, rows: Sequence[StatementLine]) -> list[Incoming]:
    """Each line with the wallet that its reference names, where it names one that can take money."""
    carried = {row.id: _reference(row) for row in rows}
    found = wallets.by_references(session, [reference for reference in carried.values() if reference])
    holders = residents.find_many(session, [wallet.resident_id for wallet in found.values()])
    made = []
    for row in rows:
        reference = carried[row.id]
        wallet = found.get(reference or "")
        why = _objection(reference, wallet, None if wallet is None else holders[wallet.resident_id])
        wallet_id = None if wallet is None or why else wallet.id
        facts = row.id, row.line_hash, row.booked_on, row.amount_cents, _shown(row)
        made.append(Incoming(*facts, reference, wallet_id, why, row.state))
    return made


def _objection(reference: str | None, wallet: wallets.Wallet | None, holder: residents.Resident | None) -> str:
    """Why the money is not put into the wallet of its reference; "" where it is."""
    if reference is None:
        return NO_REFERENCE
    if wallet is None or holder is None:
        return _NOBODYS
    if not wallet.is_open:
        return _CLOSED
    if holder.status is residents.ResidentStatus.MERGED:
        return _MERGED
    return _GONE if holder.status is residents.ResidentStatus.DECEASED else ""


def _reference(row: StatementLine) -> str | None:
    return OpenLine(row.id, row.booked_on, row.amount_cents, tuple(json.loads(row.references)), row.text).top_up


def _shown(row: StatementLine) -> str:
    return row.text or ", ".join(json.loads(row.references))
