"""Holds: as a decision needs them, as a person reads them, and recomputed from the entries."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Entry, Hold, Posting
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.rules import EntryKind, KnownHold, Part, Terms, holds


@dataclass(frozen=True, slots=True)
class HoldView:
    """A hold as finance and its holder see it. `ended_at` None: it stands."""

    hold: KnownHold
    placed_at: datetime
    ended_at: datetime | None


def known_holds(session: Session, hold_ids: Iterable[UUID], at: datetime) -> dict[UUID, KnownHold]:
    """Those of the holds that exist; whether their time is over is said of that moment."""
    found: dict[UUID, KnownHold] = {}
    for some in chunks(hold_ids):
        rows = session.execute(sa.select(Hold.__table__).where(Hold.id.in_(some)))
        found |= {row.id: _hold(row, at) for row in rows}
    return found


def hold_parts(session: Session, held: Iterable[KnownHold]) -> dict[UUID, tuple[Part, ...]]:
    """Where each hold's money was taken from, in order: the lines of the entries that placed them."""
    accounts = {hold.hold_id: hold.account for hold in held}
    found: dict[UUID, tuple[Part, ...]] = {}
    for some in chunks(accounts):
        rows = session.execute(
            sa.select(Entry.id, Account.code, Posting.amount_cents, Account.returns_to)
            .join_from(Entry, Posting, Posting.entry_seq == Entry.seq)
            .join(Account, Account.id == Posting.account_id)
            .where(Entry.id.in_(some))
            .order_by(Entry.seq, Posting.line)
        )
        for hold_id, code, amount_cents, returns_to in rows:
            if code != accounts[hold_id]:
                found[hold_id] = (*found.get(hold_id, ()), Part(code, amount_cents, returns_to))
    return found


def standing_holds(
    session: Session, *, account: str | None = None, ended_too: bool = False, limit: int = 100
) -> tuple[HoldView, ...]:
    """The holds that stand, the oldest first; of one account of held money, or of all."""
    query = sa.select(Hold.__table__).order_by(Hold.placed_at, Hold.id).limit(limit)
    if account is not None:
        query = query.where(Hold.account == account)
    if not ended_too:
        query = query.where(Hold.ended_at.is_(None))
    return tuple(HoldView(_hold(row, None), row.placed_at, row.ended_at) for row in session.execute(query))


def expired_holds(session: Session, at: datetime, *, limit: int) -> tuple[KnownHold, ...]:
    """The holds that stand although their time is over, the longest expired first."""
    query = (
        sa.select(Hold.__table__)
        .where(Hold.ended_at.is_(None), Hold.expires_at <= at)
        .order_by(Hold.expires_at, Hold.id)
        .limit(limit)
    )
    return tuple(_hold(row, at) for row in session.execute(query))


def names_account(session: Session, code: str) -> bool:
    """Whether money that stands held came from the account, so that it may have to go back there."""
    query = (
        sa.select(sa.literal(1))
        .select_from(Hold)
        .join(Entry, Entry.id == Hold.id)
        .join(Posting, Posting.entry_seq == Entry.seq)
        .join(Account, Account.id == Posting.account_id)
        .where(Hold.ended_at.is_(None), Account.code == code)
        .limit(1)
    )
    return session.scalar(query) is not None


def _hold(row: sa.Row[Any], at: datetime | None) -> KnownHold:
    terms = Terms(row.beneficiary, row.purpose, row.limit_cents, row.expires_at)
    over = at is not None and row.expires_at is not None and at >= row.expires_at
    return KnownHold(row.id, row.account, terms, row.placed_cents, row.captured_cents, row.left_cents, over)


# ------------------------------------------------------------------------------------------------------- proving

# a capture is taken back by a reversal, or by the journal entry of two people
_RESTORING = (EntryKind.REVERSAL, EntryKind.JOURNAL_ENTRY)
_STEPS = (EntryKind.HOLD_PLACED, EntryKind.HOLD_CAPTURED, EntryKind.HOLD_RELEASED, *_RESTORING)


def wrong_hold(session: Session) -> str | None:
    """The first hold that does not follow from the entries, or account whose held money does not; None: all do."""
    computed = _recomputed(session)
    kept = {row.id: _hold(row, None) for row in session.execute(sa.select(Hold.__table__))}
    for hold_id in sorted(computed.keys() | kept.keys()):
        if computed.get(hold_id) != kept.get(hold_id):
            return str(hold_id)
    left: dict[str, int] = {}
    for hold in kept.values():
        left[hold.account] = left.get(hold.account, 0) + hold.left_cents
    query = (
        sa.select(Account.code, sa.func.sum(Posting.amount_cents))
        .join_from(Account, Posting, Posting.account_id == Account.id)
        .where(Account.code.like(f"%{holds.HELD_SUFFIX}"))
        .group_by(Account.code)
    )
    return next((code for code, cents in session.execute(query) if -int(cents) != left.get(code, 0)), None)


def _recomputed(session: Session) -> dict[UUID, KnownHold]:
    """Every hold, from the entries' lines and metadata alone."""
    query = (
        sa.select(Entry.kind, Entry.notes, Account.code, sa.func.sum(Posting.amount_cents).label("cents"))
        .join_from(Entry, Posting, Posting.entry_seq == Entry.seq)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.kind.in_([kind.value for kind in _STEPS]), Entry.notes.is_not(None))
        .where(Account.code.like(f"%{holds.HELD_SUFFIX}"))
        .group_by(Entry.seq, Entry.kind, Entry.notes, Account.code)
        .order_by(Entry.seq)
    )
    found: dict[UUID, KnownHold] = {}
    for kind, notes, code, cents in session.execute(query):
        said = dict(json.loads(notes or "[]"))
        if "hold" in said:
            hold_id = UUID(said["hold"])
            found[hold_id] = _after(EntryKind(kind), said, code, -int(cents), found.get(hold_id), hold_id)
    return found


def _after(
    kind: EntryKind, said: Mapping[str, str], code: str, cents: int, hold: KnownHold | None, hold_id: UUID
) -> KnownHold:
    """`cents` came onto the account of held money."""
    if kind is EntryKind.HOLD_PLACED:
        until = said.get("expires_at")
        expires_at = None if until is None else datetime.fromisoformat(until)
        purpose = "" if said["purpose"] == "any" else said["purpose"]
        terms = Terms(said["beneficiary"], purpose, int(said["limit_cents"]), expires_at)
        return KnownHold(hold_id, code, terms, cents, 0, cents)
    sign = -1 if kind in _RESTORING else int(kind is EntryKind.HOLD_CAPTURED)
    if hold is None:  # a step of a hold that nobody placed: shown as one, which no row can be equal to
        return KnownHold(hold_id, code, Terms("", "", 0, None), 0, 0, cents)
    captured = hold.captured_cents + sign * int(said.get("captured_cents", "0"))
    return KnownHold(hold_id, hold.account, hold.terms, hold.placed_cents, captured, hold.left_cents + cents)


__all__ = [
    "HoldView",
    "expired_holds",
    "hold_parts",
    "known_holds",
    "names_account",
    "standing_holds",
    "wrong_hold",
]
