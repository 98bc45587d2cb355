"""The journal as text for foreign tools, which judge our sums: whole, or of a fund, a month, a range of days."""

from collections.abc import Iterator
from datetime import date, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Entry
from cardsvc.ledger.queries.searching import Wanted, find_entries
from cardsvc.ledger.queries.trial import TrialBalance, trial_balance
from cardsvc.ledger.rules import AccountKind, Fund, Span, StoredEntry, city_date, foreign
from cardsvc.ledger.rules.foreign import NamedAccount, Names, Tool

_PAGE = 1000
_DAY = timedelta(days=1)


def journal(session: Session, tool: Tool, *, span: Span | None = None, fund: Fund | None = None) -> Iterator[str]:
    """The entries of the days and the fund in the tool's own text, by accounting date, in the order of the log.

    Before them the accounts and what they held, behind them what they hold, which the tool checks. Where an entry
    touches several funds, what they owe each other are lines of their own, so that each fund's lines sum to zero.
    """
    names = Names.make(tool, accounts(session))
    limits = _limits(session)
    if limits is None:
        yield from foreign.heading(names, date(1970, 1, 1), fund)
        return
    first = limits[0] if span is None or span.first is None else span.first
    last = limits[1] if span is None or span.last is None else span.last
    yield from foreign.heading(names, min(first, limits[0]), fund)
    if first > limits[0]:
        yield foreign.opening(names, first, _balances(session, fund, first - _DAY))
    for entry in _entries(session, span, fund):
        yield foreign.transaction(names, entry, fund)
    yield from foreign.closing(names, last, last + _DAY, _balances(session, fund, last))


def csv_journal(session: Session, *, span: Span | None = None, fund: Fund | None = None) -> Iterator[str]:
    """The lines of the entries as CSV (RFC 4180), with a heading."""
    names = Names.make(Tool.HLEDGER, accounts(session))
    yield foreign.csv_heading()
    for entry in _entries(session, span, fund):
        yield foreign.csv_rows(names, entry, fund)


def _entries(session: Session, span: Span | None, fund: Fund | None) -> Iterator[StoredEntry]:
    after: int | None = None
    wanted = Wanted(span=span, fund=fund)
    while page := find_entries(session, wanted, after=after, limit=_PAGE):
        yield from page
        after = page[-1].seq


def accounts(session: Session) -> Iterator[NamedAccount]:
    """Every account; those of other funds too, because their lines say what the funds owe each other."""
    columns = Account.code, Account.kind, Account.fund, Account.currency, Account.opened_at
    rows = session.execute(sa.select(*columns).order_by(Account.id))
    for code, kind, its_fund, currency, opened_at in rows:
        yield NamedAccount(code, AccountKind(kind), Fund(its_fund), currency, city_date(opened_at))


def _limits(session: Session) -> tuple[date, date] | None:
    """The first and the last accounting date; None: no entry yet."""
    days: list[date] = []
    for end in (sa.func.min, sa.func.max):
        recorded = session.scalar(sa.select(end(Entry.recorded_at)))
        booked = session.scalar(sa.select(end(Entry.booked_on)))
        if recorded is None:
            return None
        days += [city_date(recorded), *([booked] if booked is not None else [])]
    return min(days), max(days)


def _balances(session: Session, fund: Fund | None, day: date) -> dict[str, int]:
    """By account, debit positive, what the funds owe each other among them."""
    lines = trial_balance(session, by_account=True, fund=fund, booked_by=day).lines
    return {line.code: line.debit_cents - line.credit_cents for line in lines}


def trial_balance_csv(balance: TrialBalance) -> Iterator[str]:
    """A trial balance as CSV, with a row of totals for each fund."""
    yield foreign.csv_row(("fund", "account", "kind", "currency", "accounts", "debit", "credit"))
    for fund in Fund:
        lines = [line for line in balance.lines if line.fund is fund]
        for line in lines:
            amounts = (foreign.decimal_text(cents) if cents else "" for cents in (line.debit_cents, line.credit_cents))
            facts = (fund.value, line.code, line.kind.value, line.currency, str(line.accounts))
            yield foreign.csv_row((*facts, *amounts))
        if lines:
            sums = sum(line.debit_cents for line in lines), sum(line.credit_cents for line in lines)
            yield foreign.csv_row((fund.value, "total", "", "", "", *map(foreign.decimal_text, sums)))
