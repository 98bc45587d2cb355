"""Which of an entry's dates a question is about, and between which days."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from cardsvc.ledger.rules.paging import city_date, day_of_books


class DateBasis(StrEnum):
    """When it happened, when it was recorded, or its accounting date. A day is a day in the city."""

    HAPPENED = "happened"
    RECORDED = "recorded"
    BOOKED = "booked"


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `first` to `last`, both included; None: no end on that side."""

    first: date | None = None
    last: date | None = None
    by: DateBasis = DateBasis.BOOKED

    def window(self) -> "Window":
        if self.by is DateBasis.BOOKED:
            return Window(self.by, days=(self.first, None if self.last is None else self.last + timedelta(days=1)))
        start = None if self.first is None else day_of_books(self.first)[0]
        return Window(self.by, moments=(start, None if self.last is None else day_of_books(self.last)[1]))

    def before(self) -> "Span | None":
        """All days before the first; None: there are none."""
        return None if self.first is None else Span(None, self.first - timedelta(days=1), self.by)


@dataclass(frozen=True, slots=True)
class Window:
    """From the first of a pair (included) to the second (excluded), None without end: days for accounting dates,
    moments for the others.
    """

    by: DateBasis
    days: tuple[date | None, date | None] = (None, None)
    moments: tuple[datetime | None, datetime | None] = (None, None)

    @classmethod
    def until(cls, by: DateBasis, moment: datetime) -> "Window":
        """Everything up to a moment, included: times are whole milliseconds."""
        return cls(by, moments=(None, moment + timedelta(milliseconds=1)))


def booking_day(booked_on: date | None, recorded_at: datetime) -> date:
    """An entry's accounting date: its own, or the day of its recording."""
    return booked_on or city_date(recorded_at)
