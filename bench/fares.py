"""The fare engine on the demo city's tariff, warm, against the signature check that every tap has behind it."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from bench.frame import Figure, Options, at_least, race, rate
from bench.limits import VERIFY, raw_verify
from cardsvc import transit

_FEED: Final = Path(__file__).parents[1] / "demo" / "city" / "gtfs"
_MONDAY: Final = datetime(2026, 11, 2, 5, tzinfo=ZoneInfo("Asia/Manila"))
_FAR: Final = datetime(2100, 1, 1, tzinfo=ZoneInfo("UTC"))
_DAYS: Final = 5
_BUS_STOPS: Final = ("magallanes", "ayala", "poblacion", "cityhall", "buendia", "guadalupe")
_STATIONS: Final = ("metro-magallanes", "metro-ayala", "metro-poblacion", "metro-guadalupe", "metro-university")
_RIDERS: Final = "the week of each rider"
_SENIORS: Final = "the week of each rider with a concession"
_UNIT: Final = "taps/s"
TARGET: Final = at_least(5)


@dataclass(frozen=True, slots=True)
class Week:
    """A rider's taps from Monday to Friday."""

    rider: transit.Rider
    taps: Sequence[transit.TapEvent]


def figures(options: Options) -> Iterator[Figure]:
    """Taps a second on one core, from taps to journeys that are explained and capped."""
    feed = transit.read_feed({path.name: path.read_bytes() for path in sorted(_FEED.glob("*.txt"))})
    engine = transit.FareEngine(feed.tables)
    tariff = transit.TariffVersion(1, _MONDAY - timedelta(days=30), engine, feed.terms, feed.card_medium)
    people = options.size(1_000, 100)
    usual = made_weeks(people)
    seniors = made_weeks(people, "senior")

    def priced(weeks: Sequence[Week]) -> float:
        return rate(lambda: price_weeks(weeks, tariff))

    signatures = options.size(4_000, 800)
    runners = {
        VERIFY: lambda _turn: raw_verify(signatures),
        _RIDERS: lambda _turn: priced(usual),
        _SENIORS: lambda _turn: priced(seniors),
    }
    reached = race(runners, options)
    yield reached.figure(_RIDERS, _UNIT, VERIFY, TARGET)
    yield reached.figure(_SENIORS, _UNIT, VERIFY)
    yield Figure("taps of one rider's week", sum(len(week.taps) for week in usual) / people, "taps")


def made_weeks(people: int, *categories: str) -> list[Week]:
    """Always the same riders: most by bus, a third by rail or by both, some to a second bus, few forget to tap out."""
    dice, numbers = random.Random(5), count(1)
    held = tuple(transit.HeldCategory(category, date.min, date.max) for category in categories)
    return [Week(transit.Rider(held), _taps(dice, numbers)) for _ in range(people)]


def price_weeks(weeks: Sequence[Week], tariff: transit.TariffVersion) -> int:
    """How many taps were priced."""
    for week in weeks:
        transit.price(week.taps, week.rider, (tariff,), now=_FAR)
    return sum(len(week.taps) for week in weeks)


def _taps(dice: random.Random, numbers: "count[int]") -> list[transit.TapEvent]:
    taps: list[transit.TapEvent] = []
    by_bus, by_rail = dice.choice([(True, False), (True, False), (False, True), (True, True)])
    home, work = dice.sample(_STATIONS, 2)

    def tap(at: datetime, network: str, stop: str, direction: transit.Direction) -> None:
        number = next(numbers)
        taps.append(
            transit.TapEvent(UUID(int=number), UUID(int=dice.randrange(500)), number, at, network, stop, direction)
        )

    for day in range(_DAYS):
        for hour, (start, end) in ((1, (home, work)), (12, (work, home))):
            at = _MONDAY + timedelta(days=day, hours=hour, minutes=dice.randrange(90), seconds=dice.randrange(60))
            if by_bus:
                tap(at, "bus", dice.choice(_BUS_STOPS), transit.Direction.FLAT)
            if by_rail:
                tap(at + timedelta(minutes=20), "rail", start, transit.Direction.IN)
                if dice.random() > 1 / 50:
                    tap(at + timedelta(minutes=45), "rail", end, transit.Direction.OUT)
    return taps
