"""A small tariff of a bus and a railway, and taps of a rider, for tests of what rides cost."""

import itertools
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from cardsvc.transit.rules.compiling import Table, compile_tables
from cardsvc.transit.rules.journeys import FareEngine
from cardsvc.transit.rules.pricing import HeldCategory, Priced, Rider, price
from cardsvc.transit.rules.rides import Direction, TapEvent
from cardsvc.transit.rules.tariffs import TariffVersion
from cardsvc.transit.rules.terms import Terms, read_terms

MANILA = ZoneInfo("Asia/Manila")
MONDAY = datetime(2027, 3, 1, 8, tzinfo=MANILA)
LATER = MONDAY + timedelta(days=40)
IN, OUT, FLAT = Direction.IN, Direction.OUT, Direction.FLAT


def table(*rows: Sequence[str]) -> Table:
    heading = rows[0]
    return Table(frozenset(heading), tuple(dict(zip(heading, row, strict=True)) for row in rows[1:]))


CAP = ("cap_id", "rider_category_id", "network_id", "period", "amount")
TRANSFER_COLUMNS = ("from_leg_group_id", "to_leg_group_id", "fare_transfer_type", "fare_product_id")
FARES = {
    "fare_products.txt": table(
        ("fare_product_id", "rider_category_id", "amount"),
        ("bus", "regular", "13.00"),
        ("bus", "student", "12.00"),
        ("rail_short", "", "20.25"),
        ("rail_long", "", "28.00"),
        ("onward", "", "5.00"),
    ),
    "fare_leg_rules.txt": table(
        ("leg_group_id", "network_id", "from_area_id", "to_area_id", "fare_product_id", "rule_priority"),
        ("bus", "bus", "", "", "bus", ""),
        ("rail", "rail", "", "", "rail_short", ""),
        ("rail", "rail", "west", "east", "rail_long", "1"),
        ("rail", "rail", "east", "west", "rail_long", "1"),
    ),
    "fare_transfer_rules.txt": table(
        TRANSFER_COLUMNS,
        ("bus", "rail", "0", "onward"),
    ),
    "rider_categories.txt": table(
        ("rider_category_id", "is_default_fare_category"), ("regular", "1"), ("senior", "0"), ("student", "0")
    ),
    "stop_areas.txt": table(("area_id", "stop_id"), ("west", "w"), ("east", "e")),
}
TERMS = {
    "x_settings.txt": table(("fare_day_start", "journey_gap", "duplicate_window"), ("04:00", "3600", "30")),
    "x_concessions.txt": table(
        ("concession_id", "rider_category_id", "network_id", "percent", "valid_from", "valid_to", "paid_by", "basis"),
        ("law", "senior", "", "20", "", "", "city", "RA 9994"),
        ("rail-half", "senior", "rail", "50", "20270302", "20281231", "national", "order of the day"),
    ),
    "x_caps.txt": table(
        ("cap_id", "rider_category_id", "network_id", "period", "amount"),
        ("day", "", "", "day", "60.00"),
        ("bus-week", "", "bus", "week", "100.00"),
    ),
    "x_incomplete.txt": table(
        ("network_id", "maximum_fare", "longest_ride", "same_stop_grace", "complete_by", "complete_within"),
        ("rail", "28.00", "7200", "300", "next_entry", "5400"),
    ),
    "x_passes.txt": table(("pass_id", "network_id"), ("bus-month", "bus"), ("ten", "")),
}


def terms(**changed: Table) -> Terms:
    files = TERMS | {f"x_{name}.txt": rows for name, rows in changed.items()}
    return read_terms(files, currency="PHP", zone=MANILA)


def tariff(
    changed: dict[str, Table] | None = None,
    version: int = 1,
    since: datetime = MONDAY - timedelta(days=30),
    onward: str = "5.00",
    transfers: Table = FARES["fare_transfer_rules.txt"],
) -> TariffVersion:
    products = FARES["fare_products.txt"]
    rows = tuple({**row, "amount": onward} if row["fare_product_id"] == "onward" else row for row in products.rows)
    tables = compile_tables(
        FARES | {"fare_products.txt": Table(products.columns, rows), "fare_transfer_rules.txt": transfers},
        currency="PHP",
        zone=MANILA,
        stops=dict.fromkeys("wmen", ("", "")),
        network_of_route={},
        services={},
        media=(),
    )
    return TariffVersion(version, since, FareEngine(tables), terms(**changed or {}))


_numbers = itertools.count(1)


def tap(minutes: int, network: str, stop: str, direction: Direction, device: int | None = None) -> TapEvent:
    number = next(_numbers)
    return TapEvent(
        UUID(int=number),
        UUID(int=device or number),
        number,
        MONDAY + timedelta(minutes=minutes),
        network,
        stop,
        direction,
    )


def bus(minutes: int) -> TapEvent:
    return tap(minutes, "bus", "m", FLAT)


def rail(start: int, end: int, from_stop: str = "w", to_stop: str = "m") -> list[TapEvent]:
    return [tap(start, "rail", from_stop, IN), tap(end, "rail", to_stop, OUT)]


def paid(taps: list[TapEvent], *categories: str, now: datetime = LATER, **changed: Table) -> Priced:
    held = tuple(HeldCategory(category, date(2027, 1, 1), date(2027, 12, 31)) for category in categories)
    return price(taps, Rider(held), [tariff(changed)], now=now)
