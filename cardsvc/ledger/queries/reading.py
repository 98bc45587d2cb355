"""What the ledger can be asked: small frozen values. A balance is natural unless it says debit or credit."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.ledger.models import Account, Balance, Entry, Posting
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.knowing import known_accounts
from cardsvc.ledger.rules import (
    AccountKind,
    AccountPolicy,
    Cursor,
    EntryKind,
    Fund,
    PostedLine,
    StoredEntry,
    UnknownAccount,
    UnknownEntry,
    control_code,
    day_of_books,
    entry_hash,
)

# an enum's own call costs more than the rest of a row
_KINDS = {kind.value: kind for kind in AccountKind}


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting as the account's owner sees it: `amount_cents` natural, `balance_after` including it."""

    entry_id: UUID
    seq: int
    kind: EntryKind
    happened_at: datetime
    recorded_at: datetime
    amount_cents: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class StatementPage:
    """`opening` is the balance before the page's oldest line, `closing` the one after its newest. `next` goes into
    `after` for the following page; None: there is none.
    """

    opening: int
    lines: tuple[StatementLine, ...]
    closing: int
    next: str | None


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """An account, or a control account with `accounts` of them. One of debit and credit is 0."""

    code: str
    kind: AccountKind
    fund: Fund
    currency: str
    accounts: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """`difference_cents` is debits less credits: 0, or something is broken."""

    lines: tuple[TrialBalanceLine, ...]
    difference_cents: int


@dataclass(frozen=True, slots=True)
class DayTotal:
    """A kind's entries recorded on a day of the books; `amount_cents` is the sum of their debits."""

    kind: EntryKind
    entries: int
    amount_cents: int


def balances(
    session: Session,
    codes: Iterable[str],
    *,
    happened_by: datetime | None = None,
    recorded_by: datetime | None = None,
) -> dict[str, int]:
    """Natural balances in cents: now, or of what happened, or was recorded, until a moment (included).

    Raises: UnknownAccount.
    """
    wanted = list(codes)
    accounts = known_accounts(session, wanted)
    for code in wanted:
        if code not in accounts:
            raise UnknownAccount(code)
    past = happened_by is not None or recorded_by is not None
    summed = {account.account_id for account in accounts.values() if past or account.policy is AccountPolicy.DERIVED}
    sums: dict[int, int] = {}
    for ids in chunks(summed):
        query = sa.select(Posting.account_id, sa.func.sum(Posting.amount_cents)).where(Posting.account_id.in_(ids))
        if past:
            query = query.join(Entry, Entry.seq == Posting.entry_seq)
        if happened_by is not None:
            query = query.where(Entry.happened_at <= happened_by)
        if recorded_by is not None:
            query = query.where(Entry.recorded_at <= recorded_by)
        sums |= {account_id: int(total) for account_id, total in session.execute(query.group_by(Posting.account_id))}
    return {
        code: sums.get(account.account_id, 0) * account.kind.sign
        if account.account_id in summed
        else account.balance_cents
        for code, account in accounts.items()
    }


def statement(
    session: Session, code: str, *, after: str | None = None, limit: int = 100, newest_first: bool = False
) -> StatementPage:
    """One page of an account's postings, oldest first or newest first, each with the balance after it.

    Raises: UnknownAccount; InvalidCursor when `after` is not a page's `next`.
    """
    account = known_accounts(session, [code]).get(code)
    if account is None:
        raise UnknownAccount(code)
    place = sa.tuple_(Posting.entry_seq, Posting.line)
    before_page: list[Any] = [Posting.account_id == account.account_id]
    on_page: list[Any] = [Posting.account_id == account.account_id]
    if after is not None:
        cursor = Cursor.parse(after)
        mark = sa.tuple_(sa.literal(cursor.seq, sa.BigInteger), sa.literal(cursor.line, sa.BigInteger))
        before_page.append(place < mark if newest_first else place <= mark)
        on_page.append(place < mark if newest_first else place > mark)
    elif not newest_first:
        before_page.append(sa.false())
    # Newest first, `edge` is the balance after the newest line shown; oldest first, before the oldest.
    edge = int(session.scalar(sa.select(sa.func.sum(Posting.amount_cents)).where(*before_page)) or 0)
    order = (Posting.entry_seq.desc(), Posting.line.desc()) if newest_first else (Posting.entry_seq, Posting.line)
    rows = session.execute(
        sa.select(
            Entry.id, Entry.seq, Entry.kind, Entry.happened_at, Entry.recorded_at, Posting.amount_cents, Posting.line
        )
        .join_from(Posting, Entry, Entry.seq == Posting.entry_seq)
        .where(*on_page)
        .order_by(*order)
        .limit(limit + 1)
    ).all()
    shown = rows[:limit]
    sign = account.kind.sign
    running = edge * sign
    lines: list[StatementLine] = []
    for entry_id, seq, kind, happened_at, recorded_at, amount_cents, _line in shown:
        natural = amount_cents * sign
        after_it = running if newest_first else running + natural
        lines.append(StatementLine(entry_id, seq, EntryKind(kind), happened_at, recorded_at, natural, after_it))
        running += -natural if newest_first else natural
    opening, closing = (running, edge * sign) if newest_first else (edge * sign, running)
    last = shown[-1] if len(rows) > limit else None
    return StatementPage(opening, tuple(lines), closing, str(Cursor(last.seq, last.line)) if last else None)


def trial_balance(session: Session, *, by_account: bool = False) -> TrialBalance:
    """Every account with money or movement in it, the many of a kind as one control account unless `by_account`.

    Checked accounts answer from their live balance, derived ones are summed: `check_books` proves that both agree.
    """
    named = (Account.code, Account.kind, Account.fund, Account.currency)
    live = sa.select(*named, Balance.balance_cents).join_from(Account, Balance)
    signed = sa.case((Account.kind.in_(("asset", "expense")), 1), else_=-1)
    summed = (
        sa.select(*named, (sa.func.sum(Posting.amount_cents) * signed).label("balance_cents"))
        .join_from(Account, Posting, Posting.account_id == Account.id)
        .where(Account.policy == AccountPolicy.DERIVED.value)
        .group_by(Account.id, *named)
    )
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for query in (live, summed):
        for code, kind, fund, currency, balance_cents in session.execute(query):
            group = groups.setdefault((code if by_account else control_code(code), kind, fund, currency), [0, 0])
            group[0] += 1
            group[1] += int(balance_cents) * _KINDS[kind].sign
    lines = tuple(
        TrialBalanceLine(code, _KINDS[kind], Fund(fund), currency, count, max(total, 0), max(-total, 0))
        for (code, kind, fund, currency), (count, total) in sorted(groups.items())
    )
    return TrialBalance(lines, sum(line.debit_cents - line.credit_cents for line in lines))


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
    return _with_lines(session, session.scalars(query).all())


def count_entries(session: Session) -> int:
    return session.scalar(sa.select(sa.func.count()).select_from(Entry)) or 0


def entry(session: Session, entry_id: UUID) -> StoredEntry:
    """Raises: UnknownEntry."""
    row = session.scalars(sa.select(Entry).where(Entry.id == entry_id)).one_or_none()
    if row is None:
        raise UnknownEntry(entry_id)
    return _with_lines(session, [row])[0]


def reversal_of(session: Session, entry_id: UUID) -> StoredEntry | None:
    """The entry that took `entry_id` back; None while it stands."""
    row = session.scalars(sa.select(Entry).where(Entry.reverses == entry_id)).one_or_none()
    return _with_lines(session, [row])[0] if row else None


def _with_lines(session: Session, rows: Sequence[Entry]) -> tuple[StoredEntry, ...]:
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
    metadata = tuple((key, value) for key, value in json.loads(row.notes)) if row.notes else ()
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
