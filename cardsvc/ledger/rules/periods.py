"""Periods: a month of books is open, then soft closed (adjustments only), then closed (nothing).

Two marks say it all: every month up to the one is closed, every month up to the other at least soft closed. So there
can be no hole, and what is reopened is always the last.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from cardsvc.ledger.rules.entries import Draft, EntryKind, Reason, Refused
from cardsvc.ledger.rules.errors import InvalidMonth, PeriodOutOfOrder
from cardsvc.ledger.rules.paging import city_date

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])", re.ASCII)
ADJUSTING = frozenset({EntryKind.JOURNAL_ENTRY, EntryKind.REVERSAL, EntryKind.ADJUSTMENT})
"""What a soft-closed month still takes."""
OFFICE = ADJUSTING | {EntryKind.BANK_DEPOSIT, EntryKind.CASH_WITHDRAWAL, EntryKind.FUNDING}
"""What the office writes itself: these belong into the month in which they happened, however late they arrive. A late
tap is booked in the open month instead.
"""


class PeriodState(StrEnum):
    OPEN = "open"
    SOFT_CLOSED = "soft_closed"
    CLOSED = "closed"


class PeriodVerb(StrEnum):
    SOFT_CLOSE = "soft_close"
    CLOSE = "close"
    REOPEN = "reopen"  # one step back: from closed to soft closed, from soft closed to open


@dataclass(frozen=True, slots=True)
class Books:
    """How far the books are closed: every day up to `closed_to`, and at least softly every day up to `soft_closed_to`
    (both included; None: nothing).
    """

    closed_to: date | None = None
    soft_closed_to: date | None = None

    def state(self, day: date) -> PeriodState:
        if self.closed_to is not None and day <= self.closed_to:
            return PeriodState.CLOSED
        if self.soft_closed_to is not None and day <= self.soft_closed_to:
            return PeriodState.SOFT_CLOSED
        return PeriodState.OPEN


OPEN_BOOKS = Books()


def check(draft: Draft, books: Books, recorded_on: date) -> Refused | None:
    """None where the books still take the draft; `recorded_on` is the city's day of its recording."""
    if books.soft_closed_to is None and books.closed_to is None:
        return None
    day = draft.booked_on or recorded_on
    state = books.state(day)
    if state is PeriodState.CLOSED or (state is PeriodState.SOFT_CLOSED and draft.kind not in ADJUSTING):
        how = "closed" if state is PeriodState.CLOSED else "closed to all but adjustments"
        return _refused(draft, day, how)
    if draft.kind in OFFICE:
        happened_on = city_date(draft.happened_at)
        if books.state(happened_on) is PeriodState.CLOSED:
            return _refused(draft, happened_on, "closed")
    return None


def _refused(draft: Draft, day: date, how: str) -> Refused:
    detail = f"The books of {month_of(day)} are {how}. Date it in an open month, or have the month reopened."
    return Refused(draft.entry_id, Reason.PERIOD_CLOSED, detail)


# ----------------------------------------------------------------------------------------------------- months


def month_of(day: date) -> str:
    """The month of books that a day belongs to, as "YYYY-MM"."""
    return f"{day:%Y-%m}"


def last_day(month: str) -> date:
    """The month's last day. Raises: InvalidMonth."""
    match = _MONTH.fullmatch(month)
    if match is None or match[1] == "0000" or month == "9999-12":
        raise InvalidMonth(month)
    year, number = int(match[1]), int(match[2])
    return date(year + number // 12, number % 12 + 1, 1) - timedelta(days=1)


def before(day: date) -> date:
    """The last day of the month before."""
    return day.replace(day=1) - timedelta(days=1)


def months(first: date, last: date) -> list[str]:
    """Every month from that of `first` to that of `last`."""
    found: list[str] = []
    day = first.replace(day=1)
    while day <= last:
        found.append(month_of(day))
        day = last_day(month_of(day)) + timedelta(days=1)
    return found


# ------------------------------------------------------------------------------------------------------ verbs


def apply(books: Books, verb: PeriodVerb, month: str, *, first_booked: date | None, today: date) -> Books:
    """How far the books are closed after the verb. `first_booked` is the oldest accounting date; None: no entry yet.

    Raises: InvalidMonth; PeriodOutOfOrder, naming the month whose turn it is.
    """
    end = last_day(month)
    if verb is PeriodVerb.REOPEN:
        return _reopen(books, month, end)
    if end >= today:
        raise PeriodOutOfOrder(f"{month} is not over: what happens in it must still find its place. Wait for its end")
    if verb is PeriodVerb.SOFT_CLOSE:
        _check_turn(month, end, books.soft_closed_to or books.closed_to, first_booked, "soft closed")
        return Books(books.closed_to, end)
    _check_turn(month, end, books.closed_to, first_booked, "closed")
    if books.soft_closed_to is None or end > books.soft_closed_to:
        raise PeriodOutOfOrder(f"{month} is open to everybody. Soft close it first, then close it")
    return Books(end, books.soft_closed_to)


def _check_turn(month: str, end: date, to: date | None, first_booked: date | None, done: str) -> None:
    if to is not None:
        turn = month_of(to + timedelta(days=1))
    elif first_booked is not None:
        turn = month_of(first_booked)
    else:
        raise PeriodOutOfOrder("Nothing was booked yet, so there is no month to close")
    if to is not None and end <= to:
        raise PeriodOutOfOrder(f"{month} is {done} already")
    if month != turn:
        raise PeriodOutOfOrder(f"Months are {done} in their order: it is the turn of {turn}")


def _reopen(books: Books, month: str, end: date) -> Books:
    if end == books.closed_to:
        return Books(before(end), books.soft_closed_to)
    if end == books.soft_closed_to:
        return Books(books.closed_to, before(end))
    last = books.closed_to or books.soft_closed_to
    turn = "No month is closed" if last is None else f"The last closed one comes first: {month_of(last)}"
    raise PeriodOutOfOrder(f"{month} cannot be reopened. {turn}")
