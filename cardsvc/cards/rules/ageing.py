"""How long orders have waited."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cardsvc.cards.rules.errors import InvalidAge
from cardsvc.cards.rules.states import CardState

_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}
_AGE = re.compile(r"([0-9]{1,5})([dhm])")
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Ageing:
    """The orders of one stage: how many, and how long they have been in it (whole seconds). All None where none is.

    Of ten orders the median is the age of the fifth, `p90_seconds` that of the ninth, counted from the youngest.
    """

    stage: CardState
    count: int
    oldest_since: datetime | None
    oldest_seconds: int | None
    median_seconds: int | None
    p90_seconds: int | None


def ageing(stage: CardState, since: Sequence[datetime], now: datetime) -> Ageing:
    """The stage's orders by the times since which each is in it, in any order."""
    if not since:
        return Ageing(stage, 0, None, None, None, None)
    ages = sorted(max(0, (now - one) // _SECOND) for one in since)
    return Ageing(stage, len(ages), min(since), ages[-1], _at_rank(ages, 50), _at_rank(ages, 90))


def _at_rank(ages: Sequence[int], percent: int) -> int:
    """The age below or at which so many of a hundred lie (nearest rank): the age of a real order, never a mean."""
    return ages[(len(ages) * percent + 99) // 100 - 1]


def read_age(text: str) -> timedelta:
    """An age as people write it: 3d, 12h or 30m. Raises: InvalidAge."""
    found = _AGE.fullmatch(text.strip().lower())
    if found is None:
        raise InvalidAge
    return int(found[1]) * _UNITS[found[2]]
