"""What the files of a feed must be, as data, and the checks that go through them. Places are named "file:row"."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from cardsvc.transit.rules.compiling import EMPTY, Row, Table, read_amount, read_clock

_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")
_DATE: Final = re.compile(r"[0-9]{8}\Z")
_DAY_END: Final = timedelta(hours=24)

Wrong = dict[str, list[str]]
Reference = tuple[tuple[str, str], ...]
"""Any of these (file, column) pairs may hold the value."""


@dataclass(frozen=True, slots=True)
class FileRule:
    """`needed` columns must be there and filled; `key` columns together name a row once; `one_of` lists what a field
    may hold when it is filled; `whole` fields are numbers of at least the given value.
    """

    needed: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    refers: Mapping[str, Reference] = field(default_factory=dict)
    one_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole: Mapping[str, int] = field(default_factory=dict)
    required: bool = False


_STOP: Final = (("stops.txt", "stop_id"),)
_AREA: Final = (("areas.txt", "area_id"),)
_AGENCY: Final = (("agency.txt", "agency_id"),)
_NETWORK: Final = (("networks.txt", "network_id"), ("routes.txt", "network_id"))
_PRODUCT: Final = (("fare_products.txt", "fare_product_id"),)
_GROUP: Final = (("fare_leg_rules.txt", "leg_group_id"),)
_FRAME: Final = (("timeframes.txt", "timeframe_group_id"),)
_SERVICE: Final = (("calendar.txt", "service_id"), ("calendar_dates.txt", "service_id"))
_CATEGORY: Final = (("rider_categories.txt", "rider_category_id"),)
_FLAG: Final = ("0", "1")
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

FILES: Final = {
    "agency.txt": FileRule(("agency_name",), ("agency_id",), required=True),
    "feed_info.txt": FileRule(),
    "stops.txt": FileRule(
        ("stop_id",), ("stop_id",), {"parent_station": _STOP}, {"location_type": tuple("01234")}, required=True
    ),
    "routes.txt": FileRule(("route_id",), ("route_id",), {"agency_id": _AGENCY}, required=True),
    "trips.txt": FileRule(
        ("trip_id", "route_id"), ("trip_id",), {"route_id": (("routes.txt", "route_id"),), "service_id": _SERVICE}
    ),
    "stop_times.txt": FileRule(("trip_id",), (), {"trip_id": (("trips.txt", "trip_id"),), "stop_id": _STOP}),
    "calendar.txt": FileRule(
        ("service_id", *_DAYS, "start_date", "end_date"), ("service_id",), one_of=dict.fromkeys(_DAYS, _FLAG)
    ),
    "calendar_dates.txt": FileRule(
        ("service_id", "date", "exception_type"), ("service_id", "date"), one_of={"exception_type": ("1", "2")}
    ),
    "areas.txt": FileRule(("area_id",), ("area_id",)),
    "stop_areas.txt": FileRule(
        ("area_id", "stop_id"), ("area_id", "stop_id"), {"area_id": (("areas.txt", "area_id"),), "stop_id": _STOP}
    ),
    "networks.txt": FileRule(("network_id",), ("network_id",)),
    "route_networks.txt": FileRule(
        ("network_id", "route_id"),
        ("route_id",),
        {"network_id": (("networks.txt", "network_id"),), "route_id": (("routes.txt", "route_id"),)},
    ),
    "timeframes.txt": FileRule(("timeframe_group_id", "service_id"), (), {"service_id": _SERVICE}),
    "rider_categories.txt": FileRule(
        ("rider_category_id",), ("rider_category_id",), one_of={"is_default_fare_category": _FLAG}
    ),
    "fare_media.txt": FileRule(
        ("fare_media_id", "fare_media_type"), ("fare_media_id",), one_of={"fare_media_type": tuple("01234")}
    ),
    "fare_products.txt": FileRule(
        ("fare_product_id", "amount", "currency"),
        ("fare_product_id", "rider_category_id", "fare_media_id"),
        {"rider_category_id": _CATEGORY, "fare_media_id": (("fare_media.txt", "fare_media_id"),)},
        required=True,
    ),
    "fare_leg_rules.txt": FileRule(
        ("fare_product_id",),
        ("network_id", "from_area_id", "to_area_id", "from_timeframe_group_id", "to_timeframe_group_id",
         "fare_product_id"),
        {
            "network_id": _NETWORK,
            "from_area_id": _AREA,
            "to_area_id": _AREA,
            "from_timeframe_group_id": _FRAME,
            "to_timeframe_group_id": _FRAME,
            "fare_product_id": _PRODUCT,
        },
        whole={"rule_priority": 0},
        required=True,
    ),
    "fare_leg_join_rules.txt": FileRule(
        (),
        ("from_network_id", "to_network_id", "from_stop_id", "to_stop_id"),
        {"from_network_id": _NETWORK, "to_network_id": _NETWORK, "from_stop_id": _STOP, "to_stop_id": _STOP},
    ),
    "fare_transfer_rules.txt": FileRule(
        ("fare_transfer_type",),
        ("from_leg_group_id", "to_leg_group_id", "fare_product_id", "transfer_count", "duration_limit"),
        {"from_leg_group_id": _GROUP, "to_leg_group_id": _GROUP, "fare_product_id": _PRODUCT},
        {"fare_transfer_type": tuple("012"), "duration_limit_type": tuple("0123")},
        {"transfer_count": -1, "duration_limit": 1},
    ),
    "x_settings.txt": FileRule(),
    "x_concessions.txt": FileRule(
        ("concession_id", "rider_category_id", "percent"),
        ("concession_id", "rider_category_id", "network_id", "agency_id", "valid_from"),
        {"rider_category_id": _CATEGORY, "network_id": _NETWORK, "agency_id": _AGENCY},
        {"statutory": _FLAG},
    ),
    "x_caps.txt": FileRule(
        ("cap_id", "period", "amount"),
        ("cap_id",),
        {"rider_category_id": _CATEGORY, "network_id": _NETWORK, "agency_id": _AGENCY},
        {"period": ("day", "week", "month")},
    ),
    "x_incomplete.txt": FileRule(
        ("network_id", "maximum_fare", "longest_ride"),
        ("network_id",),
        {"network_id": _NETWORK},
        {"complete_by": ("next_entry",)},
    ),
    "x_passes.txt": FileRule(("pass_id",), ("pass_id", "network_id"), {"network_id": _NETWORK}),
}  # fmt: skip
_DATES: Final = {
    "calendar.txt": ("start_date", "end_date"),
    "calendar_dates.txt": ("date",),
    "feed_info.txt": ("feed_start_date",),
}


def check_tables(tables: Mapping[str, Table], wrong: Wrong) -> None:
    """Add every wrong place to `wrong`. Later checks read what earlier ones found to be there."""
    for name, rule in FILES.items():
        table = tables.get(name)
        if table is None:
            if rule.required:
                _note(wrong, name, "The file is missing.")
        elif missing := [column for column in rule.needed if column not in table.columns]:
            for column in missing:
                _note(wrong, name, f"The column {column} is missing.")
        elif rule.required and not table.rows:
            _note(wrong, name, "The file has no rows.")
    if wrong:
        return
    for name, table in tables.items():
        if rule_of := FILES.get(name):
            _check_rows(name, table, rule_of, wrong)
            _check_references(name, table, rule_of, tables, wrong)
    _check_products(tables, wrong)
    _check_categories(tables, wrong)
    _check_networks(tables, wrong)
    _check_dates(tables, wrong)
    _check_timeframes(tables, wrong)
    _check_transfers(tables, wrong)
    _check_joins(tables, wrong)


def _note(wrong: Wrong, place: str, problem: str) -> None:
    wrong.setdefault(place, []).append(problem)


def _numbered(tables: Mapping[str, Table], name: str) -> Iterator[tuple[str, Row]]:
    for number, row in enumerate(tables.get(name, EMPTY).rows, 1):
        yield f"{name}:{number}", row


def known_values(tables: Mapping[str, Table], targets: Reference) -> frozenset[str]:
    return frozenset(row.get(column, "") for file, column in targets for row in tables.get(file, EMPTY).rows)


def _check_rows(name: str, table: Table, rule: FileRule, wrong: Wrong) -> None:
    seen: dict[tuple[str, ...], int] = {}
    for number, row in enumerate(table.rows, 1):
        place = f"{name}:{number}"
        for column in rule.needed:
            if not row[column]:
                _note(wrong, place, f"{column} is empty.")
        for column, allowed in rule.one_of.items():
            if row.get(column) and row[column] not in allowed:
                _note(wrong, place, f"{column} is {row[column]}, not one of {', '.join(allowed)}.")
        for column, least in rule.whole.items():
            if row.get(column) and not _is_whole(row[column], least):
                _note(wrong, place, f"{column} is {row[column]}, not a whole number of at least {least}.")
        key = tuple(row.get(column, "") for column in rule.key)
        if rule.key and seen.setdefault(key, number) != number:
            _note(wrong, place, f"It repeats row {seen[key]}: {', '.join(rule.key)} are the same.")


def _is_whole(text: str, least: int) -> bool:
    return bool(re.fullmatch(r"-?[0-9]{1,9}", text)) and int(text) >= least


def _check_references(name: str, table: Table, rule: FileRule, tables: Mapping[str, Table], wrong: Wrong) -> None:
    for column, targets in rule.refers.items():
        known = known_values(tables, targets)
        for number, row in enumerate(table.rows, 1):
            if row.get(column) and row[column] not in known:
                _note(wrong, f"{name}:{number}", f"{column} is {row[column]}, which {targets[0][0]} does not have.")


def _check_products(tables: Mapping[str, Table], wrong: Wrong) -> None:
    """Amounts have their currency's decimals, one currency holds for all, and no fare is below zero."""
    first = next((row["currency"] for _, row in _numbered(tables, "fare_products.txt")), "")
    for place, row in _numbered(tables, "fare_products.txt"):
        if not _CURRENCY.match(row["currency"]):
            _note(wrong, place, f"{row['currency']!r} is not the code of a currency.")
            continue
        if row["currency"] != first:
            _note(wrong, place, f"It is in {row['currency']}, the first row in {first}; a feed has one currency.")
        try:
            read_amount(row["amount"], row["currency"])
        except ValueError as error:
            _note(wrong, place, str(error))
    of_legs = {row["fare_product_id"] for row in tables.get("fare_leg_rules.txt", EMPTY).rows}
    for place, row in _numbered(tables, "fare_products.txt"):
        if row["amount"].startswith("-") and row["fare_product_id"] in of_legs:
            _note(wrong, place, "The fare of a leg cannot be negative; only a transfer's product may.")


def _check_categories(tables: Mapping[str, Table], wrong: Wrong) -> None:
    """One category is the default; none need be only where no product has rows for several."""
    defaults = [
        place for place, row in _numbered(tables, "rider_categories.txt") if row.get("is_default_fare_category") == "1"
    ]
    for place in defaults[1:]:
        _note(wrong, place, f"Only one category is the default, and {defaults[0]} is that already.")
    sold_to: dict[tuple[str, str], str] = {}
    for place, row in _numbered(tables, "fare_products.txt"):
        category, medium = row.get("rider_category_id", ""), row.get("fare_media_id", "")
        if category and not defaults and sold_to.setdefault((row["fare_product_id"], medium), category) != category:
            _note(
                wrong, place, "The product is for several categories; one in rider_categories.txt must be the default."
            )


def _check_networks(tables: Mapping[str, Table], wrong: Wrong) -> None:
    """Routes name their networks in one of two ways."""
    if "networks.txt" not in tables and "route_networks.txt" not in tables:
        return
    for place, row in _numbered(tables, "routes.txt"):
        if row.get("network_id"):
            _note(wrong, place, "network_id is forbidden where the feed has networks.txt or route_networks.txt.")


def _check_dates(tables: Mapping[str, Table], wrong: Wrong) -> None:
    for name, columns in _DATES.items():
        optional = not FILES[name].needed
        for place, row in _numbered(tables, name):
            for column in columns:
                if not (optional and not row.get(column)) and not _is_date(row[column]):
                    _note(wrong, place, f"{column} is {row[column]}, not a date like 20270302.")


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.match(text)) and bool(date(int(text[:4]), int(text[4:6]), int(text[6:])))
    except ValueError:  # no year 0, no 30 February
        return False


def _check_timeframes(tables: Mapping[str, Table], wrong: Wrong) -> None:
    """Both times or neither, none past midnight, and no overlap within a group and service."""
    taken: dict[tuple[str, str], list[tuple[timedelta, timedelta, str]]] = {}
    for place, row in _numbered(tables, "timeframes.txt"):
        start, end = row.get("start_time", ""), row.get("end_time", "")
        if bool(start) != bool(end):
            _note(wrong, place, "start_time and end_time are given together or not at all.")
            continue
        try:
            begins, ends = read_clock(start or "00:00"), read_clock(end or "24:00")
        except ValueError as error:
            _note(wrong, place, str(error))
            continue
        if ends > _DAY_END or begins >= ends:
            _note(wrong, place, f"The time from {start} to {end} is not within one day.")
            continue
        others = taken.setdefault((row["timeframe_group_id"], row["service_id"]), [])
        for other_begins, other_ends, other in others:
            if begins < other_ends and other_begins < ends:
                _note(wrong, place, f"It overlaps with {other}.")
        others.append((begins, ends, place))


def _check_transfers(tables: Mapping[str, Table], wrong: Wrong) -> None:
    for place, row in _numbered(tables, "fare_transfer_rules.txt"):
        same = row.get("from_leg_group_id", "") == row.get("to_leg_group_id", "")
        count = row.get("transfer_count", "")
        if same and not count:
            _note(wrong, place, "transfer_count is needed where both leg groups are the same.")
        if not same and count:
            _note(wrong, place, "transfer_count is forbidden where the leg groups differ.")
        if count == "0":
            _note(wrong, place, "transfer_count is -1 or at least 1.")
        if bool(row.get("duration_limit")) != bool(row.get("duration_limit_type")):
            _note(wrong, place, "duration_limit and duration_limit_type are given together or not at all.")


def _check_joins(tables: Mapping[str, Table], wrong: Wrong) -> None:
    for place, row in _numbered(tables, "fare_leg_join_rules.txt"):
        for one, other in (("from_network_id", "to_network_id"), ("from_stop_id", "to_stop_id")):
            if bool(row.get(one)) != bool(row.get(other)):
                _note(wrong, place, f"{one} and {other} are given together or not at all.")
