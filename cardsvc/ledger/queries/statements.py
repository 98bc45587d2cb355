"""An account's statement: what stood there, each line with the balance after it, what stands there."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Entry, Posting
from cardsvc.ledger.queries import blocks, windows
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.knowing import known_accounts
from cardsvc.ledger.rules import Cursor, EntryKind, KnownAccount, Span, UnknownAccount, booking_day

_COUNTERPARTS_READ = 64  # lines of an entry: what moved money for thousands is named by its first ones


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting as the account's owner sees it: `amount_cents` natural, `balance_after` including it. `counterparts`
    are the entry's accounts on the other side, in the order of its lines.
    """

    entry_id: UUID
    seq: int
    kind: EntryKind
    happened_at: datetime
    recorded_at: datetime
    amount_cents: int
    balance_after: int
    booked_on: date
    metadata: tuple[tuple[str, str], ...]
    counterparts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StatementPage:
    """`opening` is the balance before the page's oldest line, `closing` the one after its newest. `next` goes into
    `after` for the following page; None: there is none. `brought_forward` and `carried_forward` are the balances at the
    beginning and the end of the days that were asked for; None where no days were.
    """

    opening: int
    lines: tuple[StatementLine, ...]
    closing: int
    next: str | None
    brought_forward: int | None = None
    carried_forward: int | None = None


def statement(
    session: Session,
    code: str,
    *,
    span: Span | None = None,
    after: str | None = None,
    limit: int = 100,
    newest_first: bool = False,
) -> StatementPage:
    """One page of an account's postings in the order of the log, oldest first or newest first.

    With a `span` only the lines whose date lies in it; they run from the balance of everything dated before it.

    Raises: UnknownAccount; InvalidCursor when `after` is not a page's `next`.
    """
    account = known_accounts(session, [code]).get(code)
    if account is None:
        raise UnknownAccount(code)
    cursor = None if after is None else Cursor.parse(after)
    window = None if span is None else span.window()
    before = None if span is None else span.before()
    brought = 0 if before is None else blocks.total(session, account.account_id, window=before.window())
    # Newest first, `edge` is the balance after the newest line shown; oldest first, before the oldest.
    edge = brought
    if cursor is not None or newest_first:
        edge += blocks.total(session, account.account_id, place=cursor, included=not newest_first, window=window)
    rows = _rows(session, account.account_id, span, cursor, limit + 1, newest_first=newest_first)
    more, shown = len(rows) > limit, rows[:limit]
    lines = _lines(session, account, shown, edge, newest_first=newest_first)
    sign = account.kind.sign
    far = edge + sum(row.amount_cents for row in shown) * (-1 if newest_first else 1)
    opening, closing = (far, edge) if newest_first else (edge, far)
    following = str(Cursor(shown[-1].seq, shown[-1].line)) if more else None
    if window is None:
        return StatementPage(opening * sign, lines, closing * sign, following)
    carried = brought + blocks.total(session, account.account_id, window=window)
    return StatementPage(opening * sign, lines, closing * sign, following, brought * sign, carried * sign)


def _rows(
    session: Session, account_id: int, span: Span | None, cursor: Cursor | None, limit: int, *, newest_first: bool
) -> list[Any]:
    order = (Posting.entry_seq.desc(), Posting.line.desc()) if newest_first else (Posting.entry_seq, Posting.line)
    query = (
        sa.select(
            *(Entry.id, Entry.seq, Entry.kind, Entry.happened_at, Entry.recorded_at, Entry.booked_on, Entry.notes),
            *(Posting.amount_cents, Posting.line),
        )
        .join_from(Posting, Entry, Entry.seq == Posting.entry_seq)
        .where(Posting.account_id == account_id)
        .order_by(*order)
    )
    if cursor is not None:
        query = query.where(blocks.up_to(cursor, included=False) if newest_first else blocks.behind(cursor))
    if span is None:
        return list(session.execute(query.limit(limit)))
    window = span.window()
    query = query.where(windows.on_entry(window))
    found: list[Any] = []
    for run in _runs_from(session, account_id, span, cursor, newest_first=newest_first):
        part = query.where(Posting.entry_seq > run.after_seq)
        if run.seq is not None:
            part = part.where(Posting.entry_seq <= run.seq)
        found += session.execute(part.limit(limit - len(found)))
        if len(found) == limit:
            break
    return found


def _runs_from(
    session: Session, account_id: int, span: Span, cursor: Cursor | None, *, newest_first: bool
) -> Iterator[blocks.Run]:
    for run in blocks.runs_in(session, account_id, span.window(), backwards=newest_first):
        if cursor is None:
            yield run
        elif newest_first:
            if run.after_seq < cursor.seq:
                yield run
        elif run.seq is None or run.seq >= cursor.seq:
            yield run


def _lines(
    session: Session, account: KnownAccount, rows: Sequence[Any], edge: int, *, newest_first: bool
) -> tuple[StatementLine, ...]:
    others = _other_sides(session, [row.seq for row in rows])
    sign = account.kind.sign
    running = edge
    lines: list[StatementLine] = []
    for row in rows:
        after_it = running if newest_first else running + row.amount_cents
        lines.append(
            StatementLine(
                row.id,
                row.seq,
                EntryKind(row.kind),
                row.happened_at,
                row.recorded_at,
                row.amount_cents * sign,
                after_it * sign,
                booking_day(row.booked_on, row.recorded_at),
                metadata_of(row.notes),
                others.get((row.seq, row.amount_cents < 0), ()),
            )
        )
        running += -row.amount_cents if newest_first else row.amount_cents
    return tuple(lines)


def _other_sides(session: Session, seqs: Sequence[int]) -> dict[tuple[int, bool], tuple[str, ...]]:
    """By entry and side (True: of a credit line), the codes on the other side."""
    found: dict[tuple[int, bool], dict[str, None]] = {}
    for some in chunks(seqs):
        query = (
            sa.select(Posting.entry_seq, Posting.amount_cents, Account.code)
            .join_from(Posting, Account, Account.id == Posting.account_id)
            .where(Posting.entry_seq.in_(some), Posting.line < _COUNTERPARTS_READ)
            .order_by(Posting.entry_seq, Posting.line)
        )
        for seq, amount_cents, code in session.execute(query):
            found.setdefault((seq, amount_cents > 0), {})[code] = None
    return {key: tuple(codes) for key, codes in found.items()}


def metadata_of(notes: str | None) -> tuple[tuple[str, str], ...]:
    """What an entry's column of notes holds."""
    return tuple((key, value) for key, value in json.loads(notes)) if notes else ()
