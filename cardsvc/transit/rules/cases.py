"""Fare cases: rows of fare files, a journey, and the total that an engine must give. Anybody may bring a file of them.

The file describes its own form (`about`). An empty text is an empty field; times are local times of the agency.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cardsvc.errors import CityError, ErrorKind
from cardsvc.transit.rules.compiling import Table, compile_tables, show_amount
from cardsvc.transit.rules.journeys import FareEngine, Quote
from cardsvc.transit.rules.legs import Leg
from cardsvc.transit.rules.tables import FareStop, FareTables, Service

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LEG_FIELDS: Final = 5
_TIME: Final = re.compile(r"(?:([0-9]{4}-[0-9]{2}-[0-9]{2})[T ])?([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?\Z")


class InvalidCases(CityError):
    """The file, or one of its cases, cannot be read."""

    code = "invalid_fare_cases"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"The fare cases cannot be read: {problem}")


Total = str | None | dict[str, str]


@dataclass(frozen=True, slots=True)
class CheckedCase:
    """A case and what the engine gave. `problem` says why it gave nothing at all: the case cannot be read."""

    number: int
    group: str
    name: str
    want: Total
    got: Total
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem and (self.got or None) == (self.want or None)  # no medium with a fare: no fare


def check_cases(document: object) -> list[CheckedCase]:
    """Price every case of the document. Raises: InvalidCases when it is no such document at all."""
    if not isinstance(document, Mapping) or not isinstance(document.get("cases"), list):
        raise InvalidCases('it has no list "cases".')
    base, feeds = document.get("base") or {}, document.get("feeds") or {}
    if not isinstance(base, Mapping) or not isinstance(feeds, Mapping):
        raise InvalidCases('"base" and "feeds" are objects.')
    return [_checked(number, case, base, feeds) for number, case in enumerate(document["cases"], 1)]


def _checked(number: int, case: object, base: Mapping[str, Any], feeds: Mapping[str, Any]) -> CheckedCase:
    group, name, want = "", f"case {number}", None
    try:
        if not isinstance(case, Mapping):
            raise InvalidCases("a case is an object.")
        group, name, want = str(case.get("group", "")), str(case.get("name", name)), case["want"]
        return CheckedCase(number, group, name, want, _price(case, base, feeds))
    except CityError as error:
        return CheckedCase(number, group, name, want, None, str(error))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        return CheckedCase(number, group, name, want, None, f"It is not formed as cases are: {error!r}.")


def _price(case: Mapping[str, Any], base: Mapping[str, Any], feeds: Mapping[str, Any]) -> Total:
    feed = case["feed"]
    files = dict(feeds[feed] if isinstance(feed, str) else feed)
    files |= {name: case[name] for name in ("fare_transfer_rules", "fare_leg_join_rules") if name in case}
    tables = _tables(files, base)
    engine = FareEngine(tables)
    legs = [_leg(leg, base, tables) for leg in case["legs"]]
    categories = frozenset(case.get("rider_categories") or ())
    if not tables.media:
        return _shown(engine.quote(legs, categories=categories), tables.currency)
    totals = {
        medium: shown
        for medium in tables.media
        if (shown := _shown(engine.quote(legs, categories=categories, medium=medium), tables.currency)) is not None
    }
    return totals or None


def _shown(quote: Quote | None, currency: str) -> str | None:
    return None if quote is None else show_amount(quote.total_cents, currency)


def _tables(files: Mapping[str, Any], base: Mapping[str, Any]) -> FareTables:
    media = tuple(str(medium) for medium in files.get("fare_media") or ())
    tables = {f"{name}.txt": _table(rows) for name, rows in files.items() if name != "fare_media"}
    zone = _zone(base.get("agency_timezone", "UTC"))
    stops = {
        str(stop_id): (str(fields.get("parent_station") or ""), str(fields.get("stop_timezone") or ""))
        for stop_id, fields in (base.get("stops") or {}).items()
    }
    return compile_tables(
        tables,
        currency=base.get("currency", ""),
        zone=zone,
        stops=stops,
        network_of_route={str(route): str(network or "") for route, network in (base.get("routes") or {}).items()},
        services={str(name): _service(days) for name, days in (base.get("calendar") or {}).items()},
        media=media,
    )


def _table(rows: Sequence[Sequence[object]]) -> Table:
    heading = [str(field) for field in rows[0]]
    return Table(
        frozenset(heading),
        tuple({field: _text(value) for field, value in zip(heading, row, strict=True)} for row in rows[1:]),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _service(days: object) -> Service:
    """Days as text ("Monday to Friday", "Saturday and Sunday", "every day") or a list of dates and day names."""
    words = [str(day).lower() for day in days] if isinstance(days, list | tuple) else [str(days).lower()]
    weekdays: set[int] = set()
    added: set[date] = set()
    for text in words:
        if re.search(r"\b(every ?day|daily|all days)\b", text):
            weekdays.update(range(7))
        added.update(date.fromisoformat(found) for found in re.findall(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text))
        ranges = re.findall(r"([a-z]+day)\s*(?:to|-|through)\s*([a-z]+day)", text)
        for first, last in ranges:
            start, end = _DAYS.index(first), _DAYS.index(last)
            weekdays.update((start + step) % 7 for step in range((end - start) % 7 + 1))
        weekdays.update(_DAYS.index(found) for found in re.findall(r"[a-z]+day", text) if found in _DAYS)
    return Service(frozenset(weekdays), added=frozenset(added))


def _leg(leg: Sequence[Any], base: Mapping[str, Any], tables: FareTables) -> Leg:
    if len(leg) != _LEG_FIELDS:
        raise InvalidCases("a leg is [route, from, to, departure, arrival].")
    route, from_stop, to_stop, departure, arrival = (str(field) for field in leg)
    if route not in tables.network_of_route:
        raise InvalidCases(f"there is no route {route}.")
    zone = _zone(base.get("agency_timezone", "UTC"))
    return Leg(
        frozenset({tables.network_of_route[route]}),
        _stop(from_stop, tables),
        _stop(to_stop, tables),
        _time(departure, base, zone),
        _time(arrival, base, zone),
    )


def _stop(stop_id: str, tables: FareTables) -> FareStop:
    if stop_id not in tables.stops:
        raise InvalidCases(f"there is no stop {stop_id}.")
    return tables.stops[stop_id]


def _time(text: str, base: Mapping[str, Any], zone: ZoneInfo) -> datetime:
    """Local time of the agency. Hours past 24 are on the next day, as GTFS counts them."""
    found = _TIME.match(text)
    if found is None:
        raise InvalidCases(f"{text!r} is not a time like 07:45 or 2027-03-02T07:45.")
    day = date.fromisoformat(found[1] or str(base.get("date", "")))
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - a local clock time; its zone comes with the next line
    local = midnight + timedelta(hours=int(found[2]), minutes=int(found[3]), seconds=int(found[4] or 0))
    return local.replace(tzinfo=zone).astimezone(UTC)  # durations are true ones, also when clocks are put back


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidCases(f"there is no time zone {name}.") from None
