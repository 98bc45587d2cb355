"""The only place of the service that reads the time. Everything else takes `now`, an aware UTC datetime."""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

MANILA = ZoneInfo("Asia/Manila")


class Clock(Protocol):
    def now(self) -> datetime:
        """The time now: aware, UTC, whole milliseconds (what the wire and the database keep)."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return _whole_milliseconds(datetime.now(UTC))  # noqa: TID251 - the one place


class FixedClock:
    """A clock that stands still until told: for tests, the story and the demo city's past."""

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def now(self) -> datetime:
        return self._now

    def set(self, at: datetime) -> None:
        """Go to `at`, forwards or backwards; `at` must be aware."""
        if at.tzinfo is None:
            raise ValueError("A clock needs a time with a zone.")
        self._now = _whole_milliseconds(at.astimezone(UTC))

    def advance(self, delta: timedelta) -> datetime:
        """Go on by `delta`; returns the new time."""
        self.set(self._now + delta)
        return self._now


def business_date(at: datetime) -> date:
    """The calendar day in the city at that moment: what day sheets, due dates and series are counted by."""
    return at.astimezone(MANILA).date()


def _whole_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)
