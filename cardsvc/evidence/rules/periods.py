"""The months of the books: whether one was open for an entry when it was recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from cardsvc.clock import business_date
from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.results import Judged
from crypto.wire.kinds import Kind

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
ADJUSTING: Final = frozenset({int(Kind.JOURNAL_ENTRY), int(Kind.REVERSAL)})
"""What a soft-closed month still takes."""
OFFICE: Final = ADJUSTING | {int(Kind.BANK_DEPOSIT), int(Kind.CASH_WITHDRAWAL), int(Kind.FUNDING)}
"""What belongs into the month in which it happened, however late it arrives."""


@dataclass(frozen=True, slots=True)
class Closing:
    """From `done_at` on the books are closed to one day and softly to another, both included."""

    done_at: int
    closed_to: date | None
    soft_closed_to: date | None


def read_periods(file: File) -> tuple[Judged, list[Closing]]:
    """What was done to the months, in its order."""
    judged, closings = Judged(file.name, 0), list[Closing]()
    for place, fields in file.rows(tables.PERIODS, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        _, month, _verb, closed, soft, done_at, _action, _log_size = fields
        try:
            closing = Closing(int(done_at), _day(closed), _day(soft))
        except ValueError as error:
            judged.findings.append(Finding(file.name, place, f"month {month}", "period", str(error)))
            continue
        if closings and closing.done_at < closings[-1].done_at:
            judged.findings.append(Finding(file.name, place, f"month {month}", "period", "it is not in its order"))
        closings.append(closing)
    return judged, closings


def refused(
    closings: Sequence[Closing], kind: int, booked_on: date | None, happened_at: int, recorded_at: int
) -> date | None:
    """The day whose month was closed for this entry at every moment of the millisecond of its recording."""
    days = [_refused(one, kind, booked_on, happened_at, recorded_at) for one in _at(closings, recorded_at)]
    return days[0] if days and all(days) else None


def _refused(
    books: Closing | None, kind: int, booked_on: date | None, happened_at: int, recorded_at: int
) -> date | None:
    if books is None:
        return None
    day = booked_on or _city_day(recorded_at)
    if _until(books.closed_to, day) or (_until(books.soft_closed_to, day) and kind not in ADJUSTING):
        return day
    if kind in OFFICE and _until(books.closed_to, _city_day(happened_at)):
        return _city_day(happened_at)
    return None


def _at(closings: Sequence[Closing], at_ms: int) -> list[Closing | None]:
    """How far the books were closed during this millisecond."""
    before = [one for one in closings if one.done_at < at_ms]
    return [before[-1] if before else None, *(one for one in closings if one.done_at == at_ms)]


def _until(closed_to: date | None, day: date) -> bool:
    return closed_to is not None and day <= closed_to


def _city_day(at_ms: int) -> date:
    return business_date(_EPOCH + timedelta(milliseconds=at_ms))


def _day(field: str) -> date | None:
    return date.fromisoformat(field) if field else None
