"""Making snapshots: looking at what was posted since the mark, closing the blocks that are full, moving the mark.

If we stop anywhere here, nothing of it was there: it is one unit, and the next run looks at the same entries again.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import from_ms, insert_columns
from cardsvc.ledger.models import BalanceSnapshot, Entry, Posting, RunningBalance, SnapshotMark
from cardsvc.ledger.queries.blocks import BEFORE_ALL
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.rules import booking_day

BLOCK = 256
"""Postings of a block. A page of a statement reads about this many more than it shows."""

_ENTRIES_MAX = 20_000
_BLOCK_CENTS_MAX = 2**62  # a block is closed before its sum leaves 64 bits
_LOCK = 0x736E6170  # any number that is not the writer's: posting goes on meanwhile


@dataclass(slots=True)
class _Running:
    """A row of `running_balance` while it is carried on. Dates are None while the block is empty."""

    account_id: int
    after_seq: int = BEFORE_ALL
    postings: int = 0
    cents: int = 0
    block_cents: int = 0
    happened_min: int | None = None
    happened_max: int | None = None
    recorded_min: int | None = None
    recorded_max: int | None = None
    booked_min: date | None = None
    booked_max: date | None = None

    def take(self, cents: int, happened: int, recorded: int, booked: date) -> None:
        self.postings += 1
        self.cents += cents
        self.block_cents += cents
        self.happened_min, self.happened_max = _wider(self.happened_min, self.happened_max, happened)
        self.recorded_min, self.recorded_max = _wider(self.recorded_min, self.recorded_max, recorded)
        if self.booked_min is None or booked < self.booked_min:
            self.booked_min = booked
        if self.booked_max is None or booked > self.booked_max:
            self.booked_max = booked

    def begin_block(self, after_seq: int) -> None:
        self.after_seq, self.block_cents = after_seq, 0
        self.happened_min = self.happened_max = self.recorded_min = self.recorded_max = None
        self.booked_min = self.booked_max = None


def _wider(least: int | None, most: int | None, value: int) -> tuple[int, int]:
    return value if least is None or value < least else least, value if most is None or value > most else most


_COLUMNS = tuple(_Running.__dataclass_fields__)
_MOMENTS = frozenset(name for name in _COLUMNS if name.startswith(("happened", "recorded")))


def take_snapshots(session: Session, *, entries_max: int = _ENTRIES_MAX, block: int = BLOCK) -> int:
    """Look at the next entries behind the mark; returns how many, 0 when there are none.

    It changes no answer, only how soon it comes.
    """
    _lock(session)
    found = session.scalar(sa.select(SnapshotMark.entry_seq))
    mark = BEFORE_ALL if found is None else found
    batch = sa.select(Entry.seq).where(Entry.seq > mark).order_by(Entry.seq).limit(entries_max).subquery()
    # Entries are committed in the order of their places, so that none can appear between these later.
    count, last = session.execute(sa.select(sa.func.count(), sa.func.max(batch.c.seq)).select_from(batch)).one()
    if not count:
        return 0
    rows = session.execute(_postings(mark, last)).all()
    running = _running(session, {row.account_id for row in rows})
    snapshots = list(_carry(rows, running, block))
    if snapshots:
        insert_columns(session, BalanceSnapshot.__table__, _columns(snapshots, "entry_seq"))
    for ids in chunks(running):
        session.execute(sa.delete(RunningBalance).where(RunningBalance.account_id.in_(ids)))
    insert_columns(session, RunningBalance.__table__, _columns([(one, 0) for one in running.values()], None))
    if found is None:
        session.execute(sa.insert(SnapshotMark).values(id=1, entry_seq=last))
    else:
        session.execute(sa.update(SnapshotMark).values(entry_seq=last))
    return int(count)


def take_all_snapshots(session: Session) -> None:
    """Look at everything that was posted: before a close, whose reports then need little."""
    while take_snapshots(session):
        pass


def forget_snapshots(session: Session) -> None:
    """Throw every snapshot away; the next runs make them again from the entries."""
    _lock(session)
    for table in (BalanceSnapshot, RunningBalance, SnapshotMark):
        session.execute(sa.delete(table))


def _lock(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def _postings(mark: int, last: int) -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Posting.account_id,
            Posting.entry_seq,
            Posting.amount_cents,
            sa.type_coerce(Entry.happened_at, sa.BigInteger).label("happened"),
            sa.type_coerce(Entry.recorded_at, sa.BigInteger).label("recorded"),
            Entry.booked_on,
        )
        .join_from(Posting, Entry, Entry.seq == Posting.entry_seq)
        .where(Posting.entry_seq > mark, Posting.entry_seq <= last)
        .order_by(Posting.account_id, Posting.entry_seq)
    )


def _running(session: Session, account_ids: Iterable[int]) -> dict[int, _Running]:
    found = {account_id: _Running(account_id) for account_id in account_ids}
    table = RunningBalance.__table__
    raw = [
        sa.type_coerce(table.c[name], sa.BigInteger).label(name) if name in _MOMENTS else table.c[name]
        for name in _COLUMNS
    ]
    for ids in chunks(list(found)):
        for row in session.execute(sa.select(*raw).where(table.c.account_id.in_(ids))):
            found[row.account_id] = _Running(*row)
    return found


def _carry(rows: Sequence[Any], running: dict[int, _Running], block: int) -> Iterator[tuple[_Running, int]]:
    """Take each posting on; gives a copy with the entry's place wherever a block ends, always behind a whole entry."""
    days: dict[int, date] = {}
    for (account_id, seq), postings in groupby(rows, key=_account_and_entry):
        one = running[account_id]
        full = one.postings // block
        for row in postings:
            booked = row.booked_on or days.get(row.recorded)
            if booked is None:
                booked = days.setdefault(row.recorded, booking_day(None, from_ms(row.recorded)))
            one.take(row.amount_cents, row.happened, row.recorded, booked)
        if one.postings // block != full or abs(one.block_cents) > _BLOCK_CENTS_MAX:
            yield replace(one), seq
            one.begin_block(seq)


_account_and_entry = itemgetter(0, 1)


def _columns(rows: Sequence[tuple[_Running, int]], place: str | None) -> dict[str, list[Any]]:
    def value(one: _Running, name: str) -> Any:
        found = getattr(one, name)
        return from_ms(found) if name in _MOMENTS and found is not None else found

    columns = {name: [value(one, name) for one, _ in rows] for name in _COLUMNS}
    return columns if place is None else {**columns, place: [seq for _, seq in rows]}
