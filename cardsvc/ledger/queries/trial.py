"""The trial balance: now, at a place of the log, or by accounting date; of all funds or of one.

Now it comes from live balances and snapshots. In the past it is what the mark found, more or less what was posted
between. `from_entries` sums every posting instead: the check of the others.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Balance, Entry, Posting, RunningBalance
from cardsvc.ledger.queries import blocks, windows
from cardsvc.ledger.rules import AccountKind, AccountPolicy, Fund, Span, control_code, day_of_books, interfund_code

# an enum's own call costs more than the rest of a row
_KINDS = {kind.value: kind for kind in AccountKind}
_DEBIT = Account.kind.in_([kind.value for kind in AccountKind if kind.sign > 0])
_UUID_GLOB = "-".join("[0-9a-f]" * length for length in (8, 4, 4, 4, 12))
_UUID_REGEX = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_UUID_LETTERS = 36


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """An account, or a control account with `accounts` of them. One of debit and credit is 0.

    `interfund:<fund>` has no accounts: it is computed, as what the fund owes to the others or they to it.
    """

    code: str
    kind: AccountKind
    fund: Fund
    currency: str
    accounts: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """`difference_cents` is debits less credits of what was posted: 0, or something is broken. `at` is the place in the
    log, `booked_by` the accounting date, that was asked for; None with both: now.
    """

    lines: tuple[TrialBalanceLine, ...]
    difference_cents: int
    at: int | None = None
    booked_by: date | None = None


def trial_balance(
    session: Session,
    *,
    by_account: bool = False,
    fund: Fund | None = None,
    at: int | None = None,
    booked_by: date | None = None,
    from_entries: bool = False,
) -> TrialBalance:
    """Every account whose balance is not 0, the many of a kind as one control account unless `by_account`.

    `at` is the place of the last entry that counts, `booked_by` the last accounting date; at most one of them.
    """
    groups: dict[tuple[str, str, str, str], list[int]] = {}
    for query in _queries(session, at, booked_by, by_account=by_account, from_entries=from_entries):
        shown = query if fund is None else query.where(Account.fund == fund.value)
        for code, kind, its_fund, currency, count, cents in session.execute(shown):
            key = code if by_account else control_code(code), kind, its_fund, currency
            group = groups.setdefault(key, [0, 0])
            group[0] += count
            group[1] += int(cents)
    lines = [
        _line(code, _KINDS[kind], Fund(its_fund), currency, count, cents)
        for (code, kind, its_fund, currency), (count, cents) in sorted(groups.items())
    ]
    difference = sum(line.debit_cents - line.credit_cents for line in lines) if fund is None else 0
    every = sorted([*lines, *_interfund(lines)], key=lambda line: (line.code, line.kind, line.fund, line.currency))
    return TrialBalance(tuple(every), difference, at, booked_by)


def _line(code: str, kind: AccountKind, fund: Fund, currency: str, accounts: int, cents: int) -> TrialBalanceLine:
    return TrialBalanceLine(code, kind, fund, currency, accounts, max(cents, 0), max(-cents, 0))


def _interfund(lines: Iterable[TrialBalanceLine]) -> list[TrialBalanceLine]:
    sums: dict[tuple[Fund, str], int] = {}
    for line in lines:
        key = line.fund, line.currency
        sums[key] = sums.get(key, 0) + line.debit_cents - line.credit_cents
    return [
        _line(interfund_code(fund), AccountKind.ASSET, fund, currency, 0, -cents)
        for (fund, currency), cents in sums.items()
        if cents
    ]


# ------------------------------------------------------------------------------------------------------- what is summed


def _queries(
    session: Session, at: int | None, booked_by: date | None, *, by_account: bool, from_entries: bool
) -> list[sa.Select[*tuple[Any, ...]]]:
    """Each gives code (or what many share), kind, fund, currency, number of accounts, sum with debits positive."""
    code = Account.code if by_account else _folded(session)
    if from_entries:
        return [_of(code, _counted(at, booked_by))]
    if at is None and booked_by is None:
        live = sa.select(Balance.account_id, (Balance.balance_cents * sa.case((_DEBIT, 1), else_=-1)).label("cents"))
        live = live.join_from(Balance, Account)
        derived = Account.policy == AccountPolicy.DERIVED.value
        since = _from_mark((_posted(Posting.entry_seq > blocks.mark(session)), 1), only=derived)
        return [_of(code, live), _of(code, since).where(derived)]
    return [_of(code, _past(session, at, booked_by))]


def _of(code: Any, sums: sa.Select[*tuple[Any, ...]]) -> sa.Select[*tuple[Any, ...]]:
    per = sums.subquery()
    named = (code, Account.kind, Account.fund, Account.currency)
    return (
        sa.select(*named, sa.func.count(), sa.func.sum(per.c.cents))
        .join_from(Account, per, per.c.account_id == Account.id)
        .where(per.c.cents != 0)
        .group_by(*named)
    )


def _posted(*conditions: sa.ColumnElement[bool], dated: bool = False) -> sa.Select[*tuple[Any, ...]]:
    query = sa.select(Posting.account_id, sa.func.sum(Posting.amount_cents).label("cents"))
    if dated:
        query = query.join_from(Entry, Posting, Posting.entry_seq == Entry.seq)
    return query.where(*conditions).group_by(Posting.account_id)


def _counted(at: int | None, booked_by: date | None) -> sa.Select[*tuple[Any, ...]]:
    if booked_by is not None:
        return _posted(windows.on_entry(Span(last=booked_by).window()), dated=True)
    return _posted() if at is None else _posted(Posting.entry_seq <= at)


def _from_mark(
    *moved: tuple[sa.Select[*tuple[Any, ...]], int], only: sa.ColumnElement[bool] | None = None
) -> sa.Select[*tuple[Any, ...]]:
    """The balances that the mark found, with what was posted added (1) or taken off (-1)."""
    kept = sa.select(RunningBalance.account_id, RunningBalance.cents)
    parts = [kept if only is None else kept.join_from(RunningBalance, Account).where(only)]
    for posted, sign in moved:
        one = posted.subquery()
        parts.append(sa.select(one.c.account_id, one.c.cents * sign))
    every = sa.union_all(*parts).subquery()
    cents = sa.func.sum(every.c.cents).label("cents")
    return sa.select(every.c.account_id, cents).group_by(every.c.account_id)


def _past(session: Session, at: int | None, booked_by: date | None) -> sa.Select[*tuple[Any, ...]]:
    """Either all that counts is summed, or what does not count is taken off what the mark found: whichever is less."""
    mark = blocks.mark(session)
    first, last = session.execute(sa.select(sa.func.min(Entry.seq), sa.func.max(Entry.seq))).one()
    if mark == blocks.BEFORE_ALL or first is None:
        return _counted(at, booked_by)
    if at is not None:
        if at >= mark:
            return _from_mark((_posted(Posting.entry_seq > mark, Posting.entry_seq <= at), 1))
        if mark - at < at - first:
            return _from_mark((_posted(Posting.entry_seq > at, Posting.entry_seq <= mark), -1))
        return _counted(at, booked_by)
    assert booked_by is not None
    recorded = sa.select(Entry.seq).where(Entry.recorded_at < day_of_books(booked_by)[1])
    until = session.scalar(recorded.order_by(Entry.recorded_at.desc()).limit(1))
    if until is None or last - until > until - first:
        return _counted(at, booked_by)
    later = windows.on_entry(Span(first=booked_by + timedelta(days=1)).window())
    return _from_mark((_posted(Posting.entry_seq > mark), 1), (_posted(later, dated=True), -1))


def _folded(session: Session) -> sa.ColumnElement[str]:
    """The code with the id in its second part, if one is there, as "*". It does most of what `control_code` does, where
    the many wallets are: what is left comes out of the database already grouped.
    """
    code = Account.code
    postgres = session.get_bind().dialect.name == "postgresql"
    colon = sa.func.strpos(code, ":") if postgres else sa.func.instr(code, ":")
    second = sa.func.substr(code, colon + 1, _UUID_LETTERS)
    is_id = second.op("~")(_UUID_REGEX) if postgres else second.op("GLOB")(_UUID_GLOB)
    rest = colon + 1 + _UUID_LETTERS
    whole = sa.func.substr(code, rest, 1).in_(["", ":"])
    folded = sa.func.substr(code, 1, colon).concat("*").concat(sa.func.substr(code, rest))
    return sa.case((is_id & whole, folded), else_=code)
