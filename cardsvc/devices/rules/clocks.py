"""How far a terminal's clock is off, from what its batches say and when they came."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

CLOCK_WINDOW = 9
"""How many batches one estimate looks at."""
_LEAST = 3
OFFSET_WARNING_MS = 2 * 60 * 1000
"""From here on people are told: `FUTURE_MAX` refuses at five minutes."""
_DAY_MS = 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Arrival:
    """One batch: when its terminal said that it sent it, and when it came."""

    sent_at: datetime
    received_at: datetime

    @property
    def ahead_ms(self) -> int:
        """How far the terminal's clock seems ahead. Every delay on the way takes from it, none adds."""
        return round((self.sent_at - self.received_at).total_seconds() * 1000)


@dataclass(frozen=True, slots=True)
class Clock:
    """`offset_ms`: how far the terminal's clock runs ahead (behind: negative). `drift_ms_a_day`: how that changes, None
    before there is enough to tell. `batches`: how many it was estimated from; `at`: when the newest of them came.
    """

    offset_ms: int
    drift_ms_a_day: int | None
    batches: int
    at: datetime

    @property
    def is_off(self) -> bool:
        return abs(self.offset_ms) >= OFFSET_WARNING_MS


def estimate(arrivals: Sequence[Arrival]) -> Clock | None:
    """The clock of a terminal, from its newest batches, newest first; None without any.

    Records are late by design and say nothing; a batch says when it was sent, and was only delayed since. So the
    batches that came with the least delay are right, and the median of the three best bears one clock that jumped.
    """
    if not arrivals:
        return None
    newest, before = arrivals[:CLOCK_WINDOW], arrivals[CLOCK_WINDOW : 2 * CLOCK_WINDOW]
    offset = _offset(newest)
    drift = None
    if before:
        days_ms = (_middle(newest) - _middle(before)) * 1000
        drift = round((offset - _offset(before)) * _DAY_MS / days_ms) if days_ms else None
    return Clock(offset, drift, len(newest), newest[0].received_at)


def _offset(arrivals: Sequence[Arrival]) -> int:
    best = sorted((arrival.ahead_ms for arrival in arrivals), reverse=True)[:_LEAST]
    return round(median(best))


def _middle(arrivals: Sequence[Arrival]) -> float:
    return median(arrival.received_at.timestamp() for arrival in arrivals)
