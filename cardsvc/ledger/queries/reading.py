"""Entries as they are kept, and what a day of them comes to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.ledger.models import Account, Entry, Posting
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.statements import metadata_of
from cardsvc.ledger.rules import EntryKind, PostedLine, StoredEntry, UnknownEntry, day_of_books, entry_hash


@dataclass(frozen=True, slots=True)
class DayTotal:
    """A kind's entries recorded on a day of the books; `amount_cents` is the sum of their debits."""

    kind: EntryKind
    entries: int
    amount_cents: int


def day_totals(session: Session, day: date) -> tuple[DayTotal, ...]:
    """What was recorded on a day of the books, by kind. A day that is over does not change any more."""
    start, end = day_of_books(day)
    rows = session.execute(
        sa.select(Entry.kind, sa.func.count(sa.distinct(Entry.seq)), sa.func.sum(Posting.amount_cents))
        .join_from(Entry, Posting, Posting.entry_seq == Entry.seq)
        .where(Entry.recorded_at >= start, Entry.recorded_at < end, Posting.amount_cents > 0)
        .group_by(Entry.kind)
        .order_by(Entry.kind)
    )
    return tuple(DayTotal(EntryKind(kind), count, int(total)) for kind, count, total in rows)


def entries(
    session: Session, *, after: int | None = None, limit: int = 100, day: date | None = None
) -> tuple[StoredEntry, ...]:
    """Entries in the order of their seq, those behind `after`; with `day`, only those recorded on that day."""
    query = sa.select(Entry).order_by(Entry.seq).limit(limit)
    if after is not None:
        query = query.where(Entry.seq > after)
    if day is not None:
        start, end = day_of_books(day)
        query = query.where(Entry.recorded_at >= start, Entry.recorded_at < end)
    return with_lines(session, session.scalars(query).all())


def count_entries(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Entry)) or 0


def entry(session: Session, entry_id: UUID) -> StoredEntry:
    """Raises: UnknownEntry."""
    row = session.scalars(sa.select(Entry).where(Entry.id == entry_id)).one_or_none()
    if row is None:
        raise UnknownEntry(entry_id)
    return with_lines(session, [row])[0]


def reversal_of(session: Session, entry_id: UUID) -> StoredEntry | None:
    """The entry that took `entry_id` back; None while it stands."""
    row = session.scalars(sa.select(Entry).where(Entry.reverses == entry_id)).one_or_none()
    return with_lines(session, [row])[0] if row else None


def is_reversed(entry_id: sa.ColumnElement[UUID]) -> sa.ColumnElement[bool]:
    """For a query of a feature's own rows: whether the entry that one names was taken back."""
    # Said twice, so that who looks for many is told the few entries that reverse one, and not all that there are.
    return sa.exists().where(Entry.reverses == entry_id, Entry.reverses.is_not(None))


def moved_by(session: Session, entry_ids: Iterable[UUID], prefix: str) -> dict[str, int]:
    """What these entries moved together on each account whose code begins so, debit positive."""
    moved: dict[str, int] = {}
    for ids in chunks(entry_ids):
        query = (
            sa.select(Account.code, sa.func.sum(Posting.amount_cents))
            .join_from(Entry, Posting, Posting.entry_seq == Entry.seq)
            .join(Account, Account.id == Posting.account_id)
            .where(Entry.id.in_(ids), Account.code.startswith(prefix, autoescape=True))
            .group_by(Account.code)
        )
        for code, cents in session.execute(query):
            moved[code] = moved.get(code, 0) + int(cents)
    return moved


def with_lines(session: Session, rows: Sequence[Entry]) -> tuple[StoredEntry, ...]:
    """The entries of these rows, in their order."""
    lines: dict[int, list[PostedLine]] = {row.seq: [] for row in rows}
    for seqs in chunks(lines):
        found = session.execute(
            sa.select(Posting.entry_seq, Account.code, Posting.amount_cents)
            .join_from(Posting, Account, Account.id == Posting.account_id)
            .where(Posting.entry_seq.in_(seqs))
            .order_by(Posting.entry_seq, Posting.line)
        )
        for seq, code, amount_cents in found:
            lines[seq].append(PostedLine(code, amount_cents))
    return tuple(_stored(row, tuple(lines[row.seq])) for row in rows)


def _stored(row: Entry, lines: tuple[PostedLine, ...]) -> StoredEntry:
    metadata = metadata_of(row.notes)
    computed = entry_hash(
        entry_id=row.id,
        kind=row.kind,
        currency=row.currency,
        happened_at_ms=to_ms(row.happened_at),
        recorded_at_ms=to_ms(row.recorded_at),
        rule=row.rule,
        reverses=row.reverses,
        lines=lines,
        booked_on=row.booked_on,
        metadata=metadata,
    )
    kind = EntryKind(row.kind)
    facts = row.id, row.seq, kind, row.currency, row.happened_at, row.recorded_at, row.rule, row.reverses
    return StoredEntry(*facts, lines, computed, row.booked_on, metadata)


class Brought(NamedTuple):
    """An entry that was posted meanwhile, as far as it matters to who looks for changes."""

    id: UUID
    kind: int


def brought_since(session: Session, seq: int, *, limit: int) -> list[Brought]:
    """The entries behind that place in the log, at most so many, in order."""
    query = sa.select(Entry.id, Entry.kind).where(Entry.seq > seq).order_by(Entry.seq).limit(limit)
    return [Brought(*row) for row in session.execute(query)]


def last_place(session: Session) -> int | None:
    """The place of the newest entry in the log; None: there is no entry."""
    return session.scalar(sa.select(sa.func.max(Entry.seq)))
