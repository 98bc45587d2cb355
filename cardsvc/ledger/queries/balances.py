"""Balances now and in the past, by any of an entry's dates or its place in the log. All natural, in cents."""

from collections.abc import Collection, Iterable
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, BalanceSnapshot, Entry, Posting, RunningBalance
from cardsvc.ledger.queries import blocks, windows
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.knowing import known_accounts
from cardsvc.ledger.rules import AccountKind, AccountPolicy, Cursor, DateBasis, Span, UnknownAccount, Window

_LINE_MAX = 10**9


def balances(
    session: Session,
    codes: Iterable[str],
    *,
    happened_by: datetime | None = None,
    recorded_by: datetime | None = None,
    booked_by: date | None = None,
    at: int | None = None,
) -> dict[str, int]:
    """Natural balances in cents: now, or of what happened, or was recorded, until a moment, or is booked on a day or
    earlier, or stood in the log up to the place `at` (all included). One of the four at most.

    Raises: UnknownAccount.
    """
    wanted = list(codes)
    accounts = known_accounts(session, wanted)
    for code in wanted:
        if code not in accounts:
            raise UnknownAccount(code)
    window = _window(happened_by, recorded_by, booked_by)
    if window is None and at is None:
        derived = {a.account_id for a in accounts.values() if a.policy is AccountPolicy.DERIVED}
        sums = now(session, derived)
        return {
            code: sums.get(account.account_id, 0) * account.kind.sign
            if account.account_id in derived
            else account.balance_cents
            for code, account in accounts.items()
        }
    sums = _past(session, {account.account_id for account in accounts.values()}, window, at)
    return {code: sums.get(account.account_id, 0) * account.kind.sign for code, account in accounts.items()}


def _window(happened_by: datetime | None, recorded_by: datetime | None, booked_by: date | None) -> Window | None:
    if happened_by is not None:
        return Window.until(DateBasis.HAPPENED, happened_by)
    if recorded_by is not None:
        return Window.until(DateBasis.RECORDED, recorded_by)
    return None if booked_by is None else Span(last=booked_by).window()


def now(session: Session, account_ids: Collection[int]) -> dict[int, int]:
    """The sums of the accounts' postings, debit positive: as the mark found them and what came behind it."""
    mark = blocks.mark(session)
    sums: dict[int, int] = {}
    for ids in chunks(account_ids):
        kept = sa.select(RunningBalance.account_id, RunningBalance.cents).where(RunningBalance.account_id.in_(ids))
        later = (
            sa.select(Posting.account_id, sa.func.sum(Posting.amount_cents))
            .where(Posting.account_id.in_(ids), Posting.entry_seq > mark)
            .group_by(Posting.account_id)
        )
        for query in (kept, later):
            for account_id, cents in session.execute(query):
                sums[account_id] = sums.get(account_id, 0) + int(cents)
    return sums


def in_debit(session: Session, like: str) -> tuple[str, ...]:
    """The codes of the derived accounts of debit kinds that fit `like` (as SQL's) and have more than nothing now: one
    statement, however many accounts there are.
    """
    behind = Posting.entry_seq > blocks.mark(session)
    kept = sa.select(RunningBalance.account_id, RunningBalance.cents)
    moved = sa.select(Posting.account_id).where(behind)
    parts = sa.union_all(
        kept.where(RunningBalance.cents > 0),
        kept.where(RunningBalance.cents < 0, RunningBalance.account_id.in_(moved)),
        sa.select(Posting.account_id, Posting.amount_cents).where(behind),
    ).subquery()
    sums = sa.select(parts.c.account_id).group_by(parts.c.account_id).having(sa.func.sum(parts.c.cents) > 0).subquery()
    debit = [kind.value for kind in AccountKind if kind.sign > 0]
    query = sa.select(Account.code).join(sums, sums.c.account_id == Account.id)
    chosen = Account.code.like(like), Account.kind.in_(debit), Account.policy == AccountPolicy.DERIVED.value
    return tuple(session.scalars(query.where(*chosen)))


def _past(session: Session, account_ids: Collection[int], window: Window | None, at: int | None) -> dict[int, int]:
    """Accounts with snapshots are summed by their blocks, the others, which have few postings, all at once."""
    place = None if at is None else Cursor(at, _LINE_MAX)
    sums: dict[int, int] = {}
    for ids in chunks(account_ids):
        large = set(
            session.scalars(sa.select(BalanceSnapshot.account_id).where(BalanceSnapshot.account_id.in_(ids)).distinct())
        )
        for account_id in large:
            sums[account_id] = blocks.total(session, account_id, place=place, window=window)
        query = sa.select(Posting.account_id, sa.func.sum(Posting.amount_cents)).group_by(Posting.account_id)
        query = query.where(Posting.account_id.in_([one for one in ids if one not in large]))
        if window is not None:
            query = query.join(Entry, Entry.seq == Posting.entry_seq).where(windows.on_entry(window))
        if at is not None:
            query = query.where(Posting.entry_seq <= at)
        sums |= {account_id: int(cents) for account_id, cents in session.execute(query)}
    return sums
