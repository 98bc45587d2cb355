"""Where a page of the ledger begins, and where a day of its books."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from cardsvc.ledger.rules.errors import InvalidCursor

_CITY_ZONE = ZoneInfo("Asia/Manila")  # the day of the books; what may not read a clock may not import one either
_CURSOR = re.compile(r"(-?[0-9]{1,18})-([0-9]{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in an account's statement, as text in `StatementPage.next`."""

    seq: int
    line: int

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """Raises: InvalidCursor."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise InvalidCursor
        return cls(int(match[1]), int(match[2]))

    def __str__(self) -> str:
        return f"{self.seq}-{self.line}"


def city_date(at: datetime) -> date:
    """The calendar day in the city at that moment."""
    return at.astimezone(_CITY_ZONE).date()


def day_of_books(day: date) -> tuple[datetime, datetime]:
    """The first moment of the city's calendar day, and of the next one; the last day there is ends with its last."""
    start = datetime.combine(day, time(), _CITY_ZONE)
    return start, datetime.combine(day, time.max, _CITY_ZONE) if day == date.max else start + timedelta(days=1)
