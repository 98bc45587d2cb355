"""What a ride would cost: the question of a rider who has not travelled yet, put to the engine that explains fares."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from cardsvc.errors import CityError, ErrorKind
from cardsvc.transit.rules.compiling import show_amount
from cardsvc.transit.rules.gtfs import FareFeed
from cardsvc.transit.rules.journeys import FareEngine
from cardsvc.transit.rules.pricing import HeldCategory, Journey, Rider, price_rides
from cardsvc.transit.rules.rides import Direction, Ending, Ride, TapEvent
from cardsvc.transit.rules.tariffs import FareLine, TariffVersion

_NOBODY = UUID(int=0)
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


class InvalidQuote(CityError):
    """The question names something that the tariff does not have, or leaves something open."""

    code = "invalid_quote"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem, fields={field: [problem]})


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as somebody wrote it: `at` and `arrive` are text, an empty field is left to the tariff."""

    from_stop: str
    to_stop: str
    at: str
    arrive: str = ""
    network: str = ""
    categories: tuple[str, ...] = ()
    medium: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A ride from one stop to another (ids), `departure` and `arrival` aware. Empty: the tariff decides or asks."""

    from_stop: str
    to_stop: str
    departure: datetime
    arrival: datetime
    network: str = ""
    categories: tuple[str, ...] = ()
    medium: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`journey.total_cents` is None where the tariff does not know the fare."""

    question: Question
    network: str
    medium: str
    currency: str
    journey: Journey

    def document(self) -> dict[str, Any]:
        """As JSON: amounts in minor units, and as text in the currency's decimals."""
        total = self.journey.total_cents
        return {
            "from": self.question.from_stop,
            "to": self.question.to_stop,
            "at": self.question.departure.isoformat(),
            "network": self.network,
            "categories": list(self.question.categories),
            "medium": self.medium,
            "tariff_version": self.journey.tariff_version,
            "currency": self.currency,
            "known": total is not None,
            "total_cents": total,
            "total": None if total is None else show_amount(total, self.currency),
            "lines": [_line(line) for line in self.journey.lines or ()],
        }


def _line(line: FareLine) -> dict[str, Any]:
    return {
        "network": line.network,
        "amount_cents": line.amount_cents,
        "subsidy_cents": line.subsidy_cents,
        "paid_by": line.paid_by,
        "steps": [
            {"step": step.name, "rule": step.rule, "before": str(step.before), "after": str(step.after)}
            for step in line.steps
        ],
    }


def quote(feed: FareFeed, question: Question, *, tariff: TariffVersion | None = None) -> Answer:
    """Price the ride by a feed; `tariff` is the same as it is kept ready, where it is. Raises: InvalidQuote."""
    for name, stop in (("from", question.from_stop), ("to", question.to_stop)):
        if stop not in feed.tables.stops:
            raise InvalidQuote(name, f"There is no stop {stop} in the tariff.")
    for category in question.categories:
        if category not in feed.tables.categories:
            known = ", ".join(feed.tables.categories) or "none"
            raise InvalidQuote("category", f"There is no category of riders {category}. Known: {known}.")
    if question.arrival < question.departure:
        raise InvalidQuote("arrival", "The ride ends before it begins.")
    network, medium = _network(feed, question), _medium(feed, question)
    if tariff is None or tariff.medium != medium:
        number = 0 if tariff is None else tariff.version
        tariff = TariffVersion(number, question.departure, FareEngine(feed.tables), feed.terms, medium)
    held = tuple(HeldCategory(category, date.min, date.max) for category in question.categories)
    (journey,) = price_rides([_ride(question, network)], Rider(held), [tariff])
    return Answer(question, network, medium, feed.currency, journey)


def _network(feed: FareFeed, question: Question) -> str:
    """The network that was named, or the only one whose routes serve both stops."""
    known = set(feed.tables.network_of_route.values())
    if question.network:
        if question.network not in known:
            raise InvalidQuote("network", f"There is no network {question.network}. Known: {_listed(known)}.")
        return question.network
    serving = _routes(feed, question.from_stop) & _routes(feed, question.to_stop)
    by_routes = feed.routes_at and len(known) > 1
    found = {feed.tables.network_of_route[route] for route in serving} if by_routes else known
    if len(found) != 1:
        what = f"Several networks serve both stops: {_listed(found)}." if found else "No route serves both stops."
        raise InvalidQuote("network", f"{what} Name the network.")
    return found.pop()


def _routes(feed: FareFeed, stop_id: str) -> frozenset[str]:
    """Those of the stop, and of every platform of a station."""
    station = feed.tables.stops[stop_id].station_id
    beside: Sequence[str] = [stop.stop_id for stop in feed.tables.stops.values() if stop.station_id == station]
    return frozenset[str]().union(*(feed.routes_at.get(stop, frozenset()) for stop in beside))


def _medium(feed: FareFeed, question: Question) -> str:
    """The medium that was named, else the transit card, else the first."""
    media = feed.tables.media
    if question.medium and question.medium not in media:
        raise InvalidQuote("medium", f"There is no fare medium {question.medium}. Known: {_listed(set(media))}.")
    return question.medium or feed.card_medium or (media[0] if media else "")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(name or "(without a name)" for name in names)) or "none"


def _ride(question: Question, network: str) -> Ride:
    start = TapEvent(_NOBODY, _NOBODY, 1, question.departure, network, question.from_stop, Direction.IN)
    end = TapEvent(_NOBODY, _NOBODY, 2, question.arrival, network, question.to_stop, Direction.OUT)
    return Ride(Ending.TAPPED, network, start, end, question.from_stop, question.to_stop)


def read_time(name: str, text: str, zone: ZoneInfo) -> datetime:
    """A local time of the agency, or one with its own offset. Raises: InvalidQuote."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidQuote(name, f"{text!r} is not a time like 2027-03-02T07:45.") from None
    if not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise InvalidQuote(name, f"{text!r} is not of a year from {_FIRST_YEAR} to {_LAST_YEAR}.")
    return found if found.tzinfo else found.replace(tzinfo=zone)
