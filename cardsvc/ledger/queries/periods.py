"""How far the books are closed, what was done to the months, and the balance that a close seals."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Entry, PeriodEvent, Posting
from cardsvc.ledger.rules import BooksDoNotBalance, Fund, city_date, control_code, day_of_books
from cardsvc.ledger.rules.periods import OPEN_BOOKS, Books, PeriodState, PeriodVerb, last_day, months
from crypto import cbor

_DOMAIN = "city.closing"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class ClosingLine:
    """A control account at the end of a month, or what a fund owes to the others (`interfund:<fund>`). One of debit and
    credit is 0.
    """

    code: str
    fund: str
    currency: str
    accounts: int
    debit_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class PeriodEventView:
    """What was done to a month. `action_id`: with whose two signatures; `log_size` and `balance_hash`: of a close."""

    number: int
    month: str
    verb: PeriodVerb
    done_at: datetime
    done_by: UUID
    action_id: UUID | None
    reason: str | None
    log_size: int | None
    balance_hash: bytes | None


@dataclass(frozen=True, slots=True)
class PeriodView:
    """A month of books with everything that was done to it, the oldest first."""

    month: str
    state: PeriodState
    events: tuple[PeriodEventView, ...]


def books(session: Session) -> Books:
    """How far the books are closed. One row, whatever their age."""
    row = session.execute(
        sa.select(PeriodEvent.closed_to, PeriodEvent.soft_closed_to).order_by(PeriodEvent.number.desc()).limit(1)
    ).one_or_none()
    return OPEN_BOOKS if row is None else Books(row.closed_to, row.soft_closed_to)


def booking_state(session: Session, day: date) -> PeriodState:
    """Whether the books of that day's month are open."""
    return books(session).state(day)


def first_open_day(session: Session) -> date | None:
    """The first day that is not closed, not even softly; None where nothing was ever closed."""
    marks = books(session)
    closed = [day for day in (marks.closed_to, marks.soft_closed_to) if day is not None]
    return max(closed) + timedelta(days=1) if closed else None


def last_number(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(PeriodEvent.number))) or 0


def first_booked(session: Session) -> date | None:
    """The oldest accounting date; None where nothing was posted yet."""
    booked: date | None = session.scalar(sa.select(sa.func.min(Entry.booked_on)))
    recorded: datetime | None = session.scalar(sa.select(sa.func.min(Entry.recorded_at)))
    days = (booked, None if recorded is None else city_date(recorded))
    return min((day for day in days if day is not None), default=None)


def periods(session: Session, today: date) -> list[PeriodView]:
    """Every month from the first of the books to this one, the newest first."""
    done: dict[str, list[PeriodEventView]] = {}
    for event in _events(session):
        done.setdefault(event.month, []).append(event)
    first, marks = first_booked(session), books(session)
    first = min([day for day in (first, *map(last_day, done)) if day is not None], default=today)
    return [
        PeriodView(month, marks.state(last_day(month)), tuple(done.get(month, ())))
        for month in reversed(months(first, today))
    ]


def _events(session: Session) -> list[PeriodEventView]:
    query: Any = sa.select(
        PeriodEvent.number,
        PeriodEvent.month,
        PeriodEvent.verb,
        PeriodEvent.done_at,
        PeriodEvent.done_by,
        PeriodEvent.action_id,
        PeriodEvent.reason,
        PeriodEvent.log_size,
        PeriodEvent.balance_hash,
    ).order_by(PeriodEvent.number)
    return [
        PeriodEventView(number, month, PeriodVerb(verb), *rest) for number, month, verb, *rest in session.execute(query)
    ]


# ------------------------------------------------------------------------------------------------ the balance sealed


def booked_by(day: date) -> sa.ColumnElement[bool]:
    """Of entries: whether the accounting date is that day or an earlier one."""
    _, end = day_of_books(day)
    return sa.or_(Entry.booked_on <= day, sa.and_(Entry.booked_on.is_(None), Entry.recorded_at < end))


def closing_balance(session: Session, day: date) -> tuple[ClosingLine, ...]:
    """The trial balance of everything booked up to the end of the day, summed from the entries, with what each fund
    owes to the others. Debits and credits are equal, or something is broken.
    """
    sums = (
        sa.select(Posting.account_id, sa.func.sum(Posting.amount_cents).label("cents"))
        .join(Entry, Entry.seq == Posting.entry_seq)
        .where(booked_by(day))
        .group_by(Posting.account_id)
        .subquery()
    )
    rows = session.execute(
        sa.select(Account.code, Account.fund, Account.currency, sums.c.cents).join(
            sums, sums.c.account_id == Account.id
        )
    )
    groups: dict[tuple[str, str, str], list[int]] = {}
    funds: dict[tuple[str, str, str], list[int]] = {}
    for code, fund, currency, cents in rows:
        group = groups.setdefault((control_code(code), fund, currency), [0, 0])
        group[0] += 1
        group[1] += int(cents)
        funds.setdefault((f"interfund:{Fund(fund)}", fund, currency), [0, 0])[1] -= int(cents)
    owed = {key: found for key, found in funds.items() if found[1]}
    return tuple(
        ClosingLine(*key, accounts=count, debit_cents=max(cents, 0), credit_cents=max(-cents, 0))
        for key, (count, cents) in sorted((groups | owed).items())
    )


def imbalance(lines: Iterable[ClosingLine]) -> str | None:
    """What does not balance, in words; None where every fund and all together do."""
    by_fund: dict[tuple[str, str], int] = {}
    between = 0
    for line in lines:
        signed = line.debit_cents - line.credit_cents
        by_fund[line.fund, line.currency] = by_fund.get((line.fund, line.currency), 0) + signed
        between += signed if line.code.startswith("interfund:") else 0
    for (fund, currency), cents in sorted(by_fund.items()):
        if cents:
            return f"The {fund} fund does not balance: {cents} cents of {currency}."
    return f"What the funds owe each other does not come to nothing: {between} cents." if between else None


def balance_hash(month: str, log_size: int, lines: Sequence[ClosingLine]) -> bytes:
    """SHA-256 of what a close seals: the month, how far the published log reached, and every line."""
    rows: list[cbor.Value] = [
        [line.code, line.fund, line.currency, line.accounts, line.debit_cents, line.credit_cents] for line in lines
    ]
    return hashlib.sha256(cbor.encode([_DOMAIN, _VERSION, month, log_size, rows])).digest()


def write_balance(lines: Sequence[ClosingLine]) -> str:
    return json.dumps([asdict(line) for line in lines])


def read_balance(text: str) -> tuple[ClosingLine, ...]:
    return tuple(ClosingLine(**row) for row in json.loads(text))


def sealed_balance(session: Session, month: str) -> tuple[ClosingLine, ...] | None:
    """What the last close of the month sealed; None where it was never closed."""
    query = sa.select(PeriodEvent.balance).where(PeriodEvent.month == month, PeriodEvent.verb == PeriodVerb.CLOSE)
    text = session.scalar(query.order_by(PeriodEvent.number.desc()).limit(1))
    return None if text is None else read_balance(text)


@dataclass(frozen=True, slots=True)
class PeriodsChecked:
    """How many closes there were; the balance of the last one that stands was recomputed."""

    closes: int


def check_periods(session: Session) -> PeriodsChecked:
    """Recompute the balance of the last closed month from the entries, and every seal from what it covers. A closed
    month's balance has all before it in it, so nothing slipped into an earlier one either.

    Raises: BooksDoNotBalance.
    """
    closes = session.scalars(
        sa.select(PeriodEvent).where(PeriodEvent.verb == PeriodVerb.CLOSE).order_by(PeriodEvent.number)
    ).all()
    for close in closes:
        if balance_hash(close.month, close.log_size or 0, read_balance(close.balance or "[]")) != close.balance_hash:
            raise BooksDoNotBalance(f"the balance that the close of {close.month} sealed was changed")
    closed_to = books(session).closed_to
    standing = [close for close in closes if close.closed_to == closed_to]
    if closed_to is not None and standing:
        close = standing[-1]
        if write_balance(closing_balance(session, last_day(close.month))) != close.balance:
            raise BooksDoNotBalance(f"something was booked into {close.month} or before, after it was closed")
    return PeriodsChecked(len(closes))
