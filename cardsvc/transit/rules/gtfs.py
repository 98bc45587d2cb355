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
from cardsvc.transit.rules.checking_terms import check_terms
from cardsvc.transit.rules.compiling import EMPTY, InvalidFareRow, Row, Table, compile_tables, zone_of
from cardsvc.transit.rules.feed import FILE_BYTES_MAX, SOLE_AGENCY, TRANSIT_CARD, raise_wrong
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
    return compile_feed(read_tables(files))


def read_tables(files: Mapping[str, bytes]) -> dict[str, Table]:
    """The rows of the files that a fare may depend on. Raises: InvalidFeed."""
    wrong: dict[str, list[str]] = {}
    tables = {name: table for name, data in files.items() if (table := _table(name, data, wrong)) is not None}
    raise_wrong(wrong)
    check_tables(tables, wrong)
    raise_wrong(wrong)
    return tables


def compile_feed(tables: Mapping[str, Table]) -> FareFeed:
    """What the engine asks, out of rows that were checked. Raises: InvalidFeed."""
    wrong: dict[str, list[str]] = {}
    try:
        feed = _compiled(tables)
        check_terms(feed.tables, feed.terms, since=_first_day(tables), wrong=wrong)
    except InvalidFareRow as error:
        wrong[error.place] = [error.problem]
    raise_wrong(wrong)
    return feed


def _first_day(tables: Mapping[str, Table]) -> date | None:
    """The day from which the feed is good, where it says so."""
    days = [row.get("feed_start_date", "") for row in _rows(tables, "feed_info.txt")]
    return _date(days[0]) if days and days[0] else None


def _compiled(tables: Mapping[str, Table]) -> FareFeed:
    currency = next(iter(_values(tables, "fare_products.txt", "currency")), "")
    zone = zone_of("agency.txt", 1, _rows(tables, "agency.txt")[0].get("agency_timezone", "")) or ZoneInfo("UTC")
    network_of_route = networks_of_routes(tables)
    fares = compile_tables(
        tables,
        currency=currency,
        zone=zone,
        stops={
            row["stop_id"]: (row.get("parent_station", ""), row.get("stop_timezone", ""))
            for row in _rows(tables, "stops.txt")
        },
        network_of_route=network_of_route,
        services=_services(tables),
        media=tuple(_values(tables, "fare_media.txt", "fare_media_id")),
    )
    terms = read_terms(tables, currency=currency, zone=zone, agency_of=agencies_of_networks(tables))
    media = _rows(tables, "fare_media.txt")
    card = next((row["fare_media_id"] for row in media if row["fare_media_type"] == TRANSIT_CARD), "")
    return FareFeed(currency, zone, fares, terms, _routes_at(tables), card)


def networks_of_routes(tables: Mapping[str, Table]) -> dict[str, str]:
    """The network of each route, by either of the two ways in which a feed may say it; "" where it has none."""
    networks = {row["route_id"]: row.get("network_id", "") for row in _rows(tables, "routes.txt")}
    return networks | {row["route_id"]: row["network_id"] for row in _rows(tables, "route_networks.txt")}


def agencies_of_networks(tables: Mapping[str, Table]) -> dict[str, str]:
    """The agency that runs a network: that of its first route. A route in no network is in one named as its agency."""
    first = next((row.get("agency_id") or SOLE_AGENCY for row in _rows(tables, "agency.txt")), SOLE_AGENCY)
    agency_of_route = {row["route_id"]: row.get("agency_id") or first for row in _rows(tables, "routes.txt")}
    found: dict[str, str] = {}
    for route_id, network_id in networks_of_routes(tables).items():
        agency_id = agency_of_route[route_id]
        found.setdefault(network_id or agency_id, agency_id)
    return found


def _table(name: str, data: bytes, wrong: dict[str, list[str]]) -> Table | None:
    """The rows of a file that a fare may depend on; None for any other file."""
    if name not in FILES:
        return None
    if len(data) > FILE_BYTES_MAX:
        wrong[name] = ["The file is too large."]
        return None
    if b"\0" in data:  # csv would take it, a PostgreSQL text would not
        wrong[name] = ["The file is not CSV in UTF-8: a character is NUL."]
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
