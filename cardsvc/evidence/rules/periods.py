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
    """Behind the leaf `after_leaf` the books are closed to one day and softly to another, both included; where no leaf
    is known, from `done_at` on.
    """

    done_at: int
    closed_to: date | None
    soft_closed_to: date | None
    after_leaf: int | None = None


def read_periods(file: File) -> tuple[Judged, list[Closing]]:
    """What was done to the months, in its order."""
    judged, closings = Judged(file.name, 0), list[Closing]()
    for place, fields in file.rows(tables.PERIODS, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        _, month, _verb, closed, soft, done_at, _action, _log_size, after = fields
        try:
            closing = Closing(int(done_at), _day(closed), _day(soft), int(after) if after else None)
        except ValueError as error:
            judged.findings.append(Finding(file.name, place, f"month {month}", "period", str(error)))
            continue
        if closings and _order(closing) < _order(closings[-1]):
            judged.findings.append(Finding(file.name, place, f"month {month}", "period", "it is not in its order"))
        closings.append(closing)
    return judged, closings


@dataclass(frozen=True, slots=True)
class Booked:
    """What of an entry says into which month it was booked, and when."""

    leaf: int
    kind: int
    booked_on: date | None
    happened_at: int
    recorded_at: int


def refused(closings: Sequence[Closing], entry: Booked) -> date | None:
    """The day whose month was closed for this entry at its leaf; where only clocks say, at every moment of the
    millisecond of its recording.
    """
    days = [_refused(one, entry) for one in _at(closings, entry)]
    return days[0] if days and all(days) else None


def backward(closings: Sequence[Closing], leaf: int, recorded_at: int) -> bool:
    """Whether an entry stands behind a closing and is dated before it: only a clock that was set back does that, so
    that even what belongs to its own day may be in a closed month.
    """
    return any(one.after_leaf is not None and one.after_leaf < leaf and recorded_at < one.done_at for one in closings)


def _refused(books: Closing | None, entry: Booked) -> date | None:
    if books is None:
        return None
    day = entry.booked_on or _city_day(entry.recorded_at)
    if _until(books.closed_to, day) or (_until(books.soft_closed_to, day) and entry.kind not in ADJUSTING):
        return day
    if entry.kind in OFFICE and _until(books.closed_to, _city_day(entry.happened_at)):
        return _city_day(entry.happened_at)
    return None


def _at(closings: Sequence[Closing], entry: Booked) -> list[Closing | None]:
    """How far the books were closed at this leaf, or may have been in its millisecond."""
    placed = [one for one in closings if one.after_leaf is not None and one.after_leaf < entry.leaf]
    if placed:
        return [placed[-1]]
    by_clock = [one for one in closings if one.after_leaf is None]
    before = [one for one in by_clock if one.done_at < entry.recorded_at]
    return [before[-1] if before else None, *(one for one in by_clock if one.done_at == entry.recorded_at)]


def _order(one: Closing) -> tuple[int, int]:
    """What was done before places were kept came first, in the order of the clock."""
    return (-2, one.done_at) if one.after_leaf is None else (one.after_leaf, one.done_at)


def _until(closed_to: date | None, day: date) -> bool:
    return closed_to is not None and day <= closed_to


def _city_day(at_ms: int) -> date:
    return business_date(_EPOCH + timedelta(milliseconds=at_ms))


def _day(field: str) -> date | None:
    return date.fromisoformat(field) if field else None
