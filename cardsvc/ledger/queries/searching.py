"""Finding entries: by kind, date, account, amount, metadata, in a stable order."""

import json
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Entry, Posting
from cardsvc.ledger.queries import windows
from cardsvc.ledger.queries.reading import with_lines
from cardsvc.ledger.rules import EntryKind, Fund, Span, StoredEntry


@dataclass(frozen=True, slots=True)
class Wanted:
    """What all entries that are looked for have in common; a field that is None or empty asks nothing.

    `amount_cents` is that of one of its lines, whichever side; `metadata` a key and its value.
    """

    kinds: tuple[EntryKind, ...] = ()
    span: Span | None = None
    account: str | None = None
    fund: Fund | None = None
    amount_cents: int | None = None
    metadata: tuple[str, str] | None = None
    entry_id: UUID | None = None


def find_entries(
    session: Session, wanted: Wanted, *, after: int | None = None, limit: int = 100, newest_first: bool = False
) -> tuple[StoredEntry, ...]:
    """Entries in the order of the log, or backwards; `after` is the place of the last one of the page before.

    An entry keeps its place for ever, so pages neither skip nor repeat one, whatever is posted meanwhile.
    """
    query = sa.select(Entry).order_by(Entry.seq.desc() if newest_first else Entry.seq).limit(limit)
    if after is not None:
        query = query.where(Entry.seq < after if newest_first else Entry.seq > after)
    if wanted.entry_id is not None:
        query = query.where(Entry.id == wanted.entry_id)
    if wanted.kinds:
        query = query.where(Entry.kind.in_([kind.value for kind in wanted.kinds]))
    if wanted.span is not None:
        query = query.where(windows.on_entry(wanted.span.window()))
    if wanted.metadata is not None:
        query = query.where(Entry.notes.contains(_pair(*wanted.metadata), autoescape=True))
    lines = _lines(wanted)
    if lines is not None:
        query = query.where(Entry.seq.in_(lines))
    return with_lines(session, session.scalars(query).all())


def _pair(key: str, value: str) -> str:
    """A pair as it stands in the column. Quotes inside texts are escaped there, so nothing else looks like it."""
    return json.dumps([key, value])


def _lines(wanted: Wanted) -> sa.Select[int] | None:
    """The entries that have such a line: one line must answer to account, fund and amount together."""
    query = sa.select(Posting.entry_seq)
    if wanted.account is not None:
        found = sa.select(Account.id).where(Account.code == wanted.account)
        query = query.where(Posting.account_id == found.scalar_subquery())
    if wanted.fund is not None:
        query = query.where(Posting.account_id.in_(sa.select(Account.id).where(Account.fund == wanted.fund.value)))
    if wanted.amount_cents is not None:
        query = query.where(Posting.amount_cents.in_([wanted.amount_cents, -wanted.amount_cents]))
    return None if wanted.account is None and wanted.fund is None and wanted.amount_cents is None else query
