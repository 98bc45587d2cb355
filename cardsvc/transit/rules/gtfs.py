"""A whole GTFS feed with its fares: read, checked row by row, and made into what the fare engine asks.

Checked is what a fare depends on, by the reference: required fields, references, keys, enumerations, amounts with the
decimals of their currency, timeframes that do not overlap, the rules about rule_priority and transfer_count.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from cardsvc.transit.rules.checking import FILES, check_tables
from cardsvc.transit.rules.compiling import EMPTY, InvalidFareRow, Row, Table, compile_tables, zone_of
from cardsvc.transit.rules.feed import ERRORS_SHOWN, FILE_BYTES_MAX, TRANSIT_CARD, InvalidFeed
from cardsvc.transit.rules.tables import FareTables, Service
from cardsvc.transit.rules.terms import Terms, read_terms

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ADDED: Final = "1"


@dataclass(frozen=True, slots=True)
class FareFeed:
    """A feed as the engine wants it. `routes_at` says which routes serve a stop; `card_medium` is the transit card."""

    currency: str
    zone: ZoneInfo
    tables: FareTables
    terms: Terms
    routes_at: Mapping[str, frozenset[str]]
    card_medium: str


def read_feed(files: Mapping[str, bytes]) -> FareFeed:
    """Read and check a feed, given as file name to content.

    Raises: InvalidFeed, naming every wrong place.
    """
    wrong: dict[str, list[str]] = {}
    tables = {name: table for name, data in files.items() if (table := _table(name, data, wrong)) is not None}
    _raise(wrong)
    check_tables(tables, wrong)
    _raise(wrong)
    try:
        return _compiled(tables)
    except InvalidFareRow as error:
        raise InvalidFeed("1 place of the feed is wrong; nothing was taken.", fields={"feed": [str(error)]}) from error


def _compiled(tables: Mapping[str, Table]) -> FareFeed:
    currency = next(iter(_values(tables, "fare_products.txt", "currency")), "")
    zone = zone_of("agency.txt", 1, _rows(tables, "agency.txt")[0].get("agency_timezone", "")) or ZoneInfo("UTC")
    networks = {row["route_id"]: row.get("network_id", "") for row in _rows(tables, "routes.txt")}
    networks |= {row["route_id"]: row["network_id"] for row in _rows(tables, "route_networks.txt")}
    fares = compile_tables(
        tables,
        currency=currency,
        zone=zone,
        stops={
            row["stop_id"]: (row.get("parent_station", ""), row.get("stop_timezone", ""))
            for row in _rows(tables, "stops.txt")
        },
        network_of_route=networks,
        services=_services(tables),
        media=tuple(_values(tables, "fare_media.txt", "fare_media_id")),
    )
    media = _rows(tables, "fare_media.txt")
    card = next((row["fare_media_id"] for row in media if row["fare_media_type"] == TRANSIT_CARD), "")
    return FareFeed(currency, zone, fares, read_terms(tables, currency=currency, zone=zone), _routes_at(tables), card)


def _table(name: str, data: bytes, wrong: dict[str, list[str]]) -> Table | None:
    """The rows of a file that a fare may depend on; None for any other file."""
    if name not in FILES:
        return None
    if len(data) > FILE_BYTES_MAX:
        wrong[name] = ["The file is too large."]
        return None
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        heading = [field.strip() for field in next(reader, [])]
        rows = [row for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        wrong[name] = [f"The file is not CSV in UTF-8: {error}."]
        return None
    if len(set(heading)) != len(heading):
        wrong[name] = ["A column stands there twice."]
        return None
    for number, row in enumerate(rows, 1):
        if len(row) > len(heading):
            wrong[f"{name}:{number}"] = ["The row has more fields than the heading."]
    return Table(frozenset(heading), tuple(_filled(heading, row) for row in rows))


def _filled(heading: list[str], row: list[str]) -> Row:
    fields = [value.strip() for value in row] + [""] * (len(heading) - len(row))
    return dict(zip(heading, fields, strict=False))


def _services(tables: Mapping[str, Table]) -> dict[str, Service]:
    """Of calendar.txt and calendar_dates.txt together; a service may stand in either alone."""
    added: dict[str, set[date]] = {}
    removed: dict[str, set[date]] = {}
    for row in _rows(tables, "calendar_dates.txt"):
        days = added if row["exception_type"] == _ADDED else removed
        days.setdefault(row["service_id"], set()).add(_date(row["date"]))
    regular = {row["service_id"]: row for row in _rows(tables, "calendar.txt")}
    return {
        service_id: Service(
            frozenset(number for number, day in enumerate(_WEEKDAYS) if regular.get(service_id, {}).get(day) == "1"),
            _date(regular[service_id]["start_date"]) if service_id in regular else date.min,
            _date(regular[service_id]["end_date"]) if service_id in regular else date.max,
            frozenset(added.get(service_id, ())),
            frozenset(removed.get(service_id, ())),
        )
        for service_id in {*regular, *added, *removed}
    }


def _routes_at(tables: Mapping[str, Table]) -> dict[str, frozenset[str]]:
    route_of = {row["trip_id"]: row["route_id"] for row in _rows(tables, "trips.txt")}
    found: dict[str, set[str]] = {}
    for row in _rows(tables, "stop_times.txt"):
        if row["trip_id"] in route_of:
            found.setdefault(row.get("stop_id", ""), set()).add(route_of[row["trip_id"]])
    return {stop_id: frozenset(routes) for stop_id, routes in found.items()}


def _rows(tables: Mapping[str, Table], name: str) -> tuple[Row, ...]:
    return tables.get(name, EMPTY).rows


def _values(tables: Mapping[str, Table], name: str, column: str) -> Iterator[str]:
    return (row[column] for row in _rows(tables, name))


def _date(text: str) -> date:
    return date(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _raise(wrong: dict[str, list[str]]) -> None:
    if wrong:
        shown = dict(list(wrong.items())[:ERRORS_SHOWN])
        places = "1 place" if len(wrong) == 1 else f"{len(wrong)} places"
        verb = "is" if len(wrong) == 1 else "are"
        raise InvalidFeed(f"{places} of the feed {verb} wrong; nothing was taken.", fields=shown)
