"""Sums over one account's postings, by way of the snapshots: few postings are read, however many there are.

Snapshots cover what lies before the mark; behind it are the newest postings, which no snapshot knows. Every sum here is
the sum of the postings themselves, whatever snapshots there are: none, some, all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import BalanceSnapshot, Entry, Posting, RunningBalance, SnapshotMark
from cardsvc.ledger.queries import windows
from cardsvc.ledger.rules import Cursor, Window

BEFORE_ALL = -(2**63)
"""A place before every entry."""

PLACE = sa.tuple_(Posting.entry_seq, Posting.line)


@dataclass(frozen=True, slots=True)
class Run:
    """Places of the log from behind `after_seq` up to `seq`, included; None: to the end."""

    after_seq: int
    seq: int | None


def mark(session: Session) -> int:
    """Up to which place the entries are in `running_balance`."""
    found = session.scalar(sa.select(SnapshotMark.entry_seq))
    return BEFORE_ALL if found is None else found


def up_to(place: Cursor, *, included: bool) -> sa.ColumnElement[bool]:
    """Postings until a place; the plain comparison is what an index is searched by."""
    at = _literal(place)
    return sa.and_(Posting.entry_seq <= place.seq, at >= PLACE if included else at > PLACE)


def behind(place: Cursor) -> sa.ColumnElement[bool]:
    return sa.and_(Posting.entry_seq >= place.seq, _literal(place) < PLACE)


def _literal(place: Cursor) -> Any:
    return sa.tuple_(sa.literal(place.seq, sa.BigInteger), sa.literal(place.line, sa.BigInteger))


def total(
    session: Session,
    account_id: int,
    *,
    place: Cursor | None = None,
    included: bool = True,
    window: Window | None = None,
) -> int:
    """The sum of the account's postings, debit positive: until a place of the log, and with dates in a window."""
    if window is not None:
        return _in_window(session, account_id, place, window, included=included)
    mine = Posting.account_id == account_id
    if place is None:
        base, cents = _at_mark(session, account_id)
        later = mine
    else:
        base, cents = _snapshot_before(session, account_id, place.seq)
        later = mine & up_to(place, included=included)
    return cents + _sum(session, later & (Posting.entry_seq > base))


def _at_mark(session: Session, account_id: int) -> tuple[int, int]:
    at = mark(session)
    return at, session.scalar(sa.select(RunningBalance.cents).where(RunningBalance.account_id == account_id)) or 0


def _snapshot_before(session: Session, account_id: int, seq: int) -> tuple[int, int]:
    """The last snapshot that lies whole before the place."""
    row = session.execute(
        sa.select(BalanceSnapshot.entry_seq, BalanceSnapshot.cents)
        .where(BalanceSnapshot.account_id == account_id, BalanceSnapshot.entry_seq < seq)
        .order_by(BalanceSnapshot.entry_seq.desc())
        .limit(1)
    ).one_or_none()
    return (BEFORE_ALL, 0) if row is None else (row.entry_seq, row.cents)


def _sum(session: Session, *conditions: sa.ColumnElement[bool]) -> int:
    return int(session.scalar(sa.select(sa.func.sum(Posting.amount_cents)).where(*conditions)) or 0)


def _in_window(session: Session, account_id: int, place: Cursor | None, window: Window, *, included: bool) -> int:
    mine = BalanceSnapshot.account_id == account_id
    taken = windows.whole(window) if place is None else windows.whole(window) & (BalanceSnapshot.entry_seq < place.seq)
    cents = int(session.scalar(sa.select(sa.func.sum(BalanceSnapshot.block_cents)).where(mine, taken)) or 0)
    for run in _runs(session, account_id, windows.touched(window) & ~taken, place):
        conditions = [Posting.account_id == account_id, Posting.entry_seq > run.after_seq, windows.on_entry(window)]
        if run.seq is not None:
            conditions.append(Posting.entry_seq <= run.seq)
        if place is not None:
            conditions.append(up_to(place, included=included))
        joined = sa.select(sa.func.sum(Posting.amount_cents)).join_from(Posting, Entry, Entry.seq == Posting.entry_seq)
        cents += int(session.scalar(joined.where(*conditions)) or 0)
    return cents


def _runs(
    session: Session, account_id: int, wanted: sa.ColumnElement[bool], place: Cursor | None, *, backwards: bool = False
) -> Iterator[Run]:
    """The blocks of which `wanted` holds, up to that of the place, and what no snapshot knows; neighbours together."""
    last = session.scalar(
        sa.select(sa.func.max(BalanceSnapshot.entry_seq)).where(BalanceSnapshot.account_id == account_id)
    )
    query = sa.select(BalanceSnapshot.after_seq, BalanceSnapshot.entry_seq).where(
        BalanceSnapshot.account_id == account_id, wanted
    )
    if place is not None:
        query = query.where(BalanceSnapshot.after_seq < place.seq)
    found = [Run(after_seq, seq) for after_seq, seq in session.execute(query.order_by(BalanceSnapshot.entry_seq))]
    tail = BEFORE_ALL if last is None else last
    if place is None or tail < place.seq:
        found.append(Run(tail, None))
    joined: list[Run] = []
    for run in found:
        if joined and joined[-1].seq == run.after_seq:
            joined[-1] = Run(joined[-1].after_seq, run.seq)
        else:
            joined.append(run)
    yield from reversed(joined) if backwards else joined


def runs_in(session: Session, account_id: int, window: Window, *, backwards: bool = False) -> Iterator[Run]:
    """Where in the log the account's postings of the window can be, in the log's order or backwards."""
    return _runs(session, account_id, windows.touched(window), None, backwards=backwards)
