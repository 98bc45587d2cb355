"""What a day of the books moved, entry by entry: for a feature that must agree with it to the centavo."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Entry, Posting
from cardsvc.ledger.rules import EntryKind, day_of_books


class Moved(NamedTuple):
    """What an entry moved on an account, debit positive; 0 where its lines cancel."""

    seq: int
    entry_id: UUID
    kind: EntryKind
    rule: str
    account: str
    amount_cents: int


def moved_on(session: Session, day: date, prefixes: Sequence[str]) -> Iterator[Moved]:
    """The entries recorded on a day of the books, with each account whose code begins so, in the order of the log."""
    start, end = day_of_books(day)
    query = (
        sa.select(Entry.seq, Entry.id, Entry.kind, Entry.rule, Account.code, sa.func.sum(Posting.amount_cents))
        .join_from(Entry, Posting, Posting.entry_seq == Entry.seq)
        .join(Account, Account.id == Posting.account_id)
        .where(Entry.recorded_at >= start, Entry.recorded_at < end)
        .where(sa.or_(*(Account.code.startswith(prefix, autoescape=True) for prefix in prefixes)))
        .group_by(Entry.seq, Entry.id, Entry.kind, Entry.rule, Account.code)
        .order_by(Entry.seq, Account.code)
    )
    for seq, entry_id, kind, rule, code, cents in session.execute(query):
        yield Moved(seq, entry_id, EntryKind(kind), rule, code, int(cents))


def recorded_on(day: date) -> sa.Subquery:
    """The entries recorded on a day of the books, to join with; columns as in `recorded_between`."""
    return recorded_between(*day_of_books(day))


def recorded_between(start: datetime, end: datetime) -> sa.Subquery:
    """The entries recorded from a moment until another, excluded: `id`, `seq`, `recorded_at`, `reverses`."""
    recorded = sa.and_(Entry.recorded_at >= start, Entry.recorded_at < end)
    return sa.select(Entry.id, Entry.seq, Entry.recorded_at, Entry.reverses).where(recorded).subquery()
