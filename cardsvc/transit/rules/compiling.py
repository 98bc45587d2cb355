"""From the rows of fare files to `FareTables`. Reads what is there; what a feed must be is checked at its import."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cardsvc.errors import CityError, ErrorKind
from cardsvc.transit.rules.tables import (
    FareStop,
    FareTables,
    JoinRule,
    LegRule,
    LimitType,
    Product,
    Service,
    Timeframe,
    TransferRule,
    TransferType,
)

_AMOUNT: Final = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,4}))?\Z")
_CLOCK: Final = re.compile(r"([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?\Z")
# ISO 4217 decimals of currencies whose number of them is not two.
_EXPONENTS: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}  # fmt: skip
_EXPONENT_USUAL: Final = 2


class InvalidFareRow(CityError):
    """A row that says nothing the engine could use."""

    code = "invalid_fare_row"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, file: str, row: int, problem: str) -> None:
        super().__init__(f"{file} row {row}: {problem}")
        self.place, self.problem = f"{file}:{row}", problem


Row = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Table:
    """A file: its columns, which matter even where a field is empty, and its rows."""

    columns: frozenset[str]
    rows: tuple[Row, ...]


EMPTY: Final = Table(frozenset(), ())


def exponent(currency: str) -> int:
    """How many decimals an amount in the currency has (ISO 4217)."""
    return _EXPONENTS.get(currency, _EXPONENT_USUAL)


def read_amount(text: str, currency: str) -> int:
    """Minor units. Raises: ValueError unless the text has exactly the decimals of its currency."""
    found = _AMOUNT.match(text)
    if found is None or len(found[3] or "") != exponent(currency):
        raise ValueError(f"{text!r} is not an amount in {currency} with {exponent(currency)} decimals.")
    return int(f"{found[1]}{found[2]}{found[3] or ''}")


def show_amount(minor: int, currency: str) -> str:
    """Decimal text with exactly the decimals of the currency."""
    places = exponent(currency)
    digits = f"{abs(minor):0{places + 1}d}"
    sign = "-" if minor < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def compile_tables(
    files: Mapping[str, Table],
    *,
    currency: str,
    zone: ZoneInfo,
    stops: Mapping[str, tuple[str, str]],
    network_of_route: Mapping[str, str],
    services: Mapping[str, Service],
    media: tuple[str, ...],
) -> FareTables:
    """`files` by name ("fare_products.txt"); `stops` as id to (parent_station, stop_timezone); `zone` is the agency's.

    Raises: InvalidFareRow.
    """
    legs = files.get("fare_leg_rules.txt", EMPTY)
    categories = files.get("rider_categories.txt", EMPTY)
    return FareTables(
        currency=currency,
        stops=_stops(stops, files.get("stop_areas.txt", EMPTY), zone),
        network_of_route=network_of_route,
        products=_products(files, currency),
        leg_rules=tuple(each_row("fare_leg_rules.txt", legs, _leg_rule)),
        has_priority="rule_priority" in legs.columns,
        join_rules=tuple(each_row("fare_leg_join_rules.txt", files.get("fare_leg_join_rules.txt", EMPTY), _join_rule)),
        transfer_rules=tuple(
            each_row("fare_transfer_rules.txt", files.get("fare_transfer_rules.txt", EMPTY), _transfer)
        ),
        timeframes=_timeframes(files.get("timeframes.txt", EMPTY), services),
        categories=tuple(row["rider_category_id"] for row in categories.rows),
        default_category=next(
            (row["rider_category_id"] for row in categories.rows if row.get("is_default_fare_category") == "1"), ""
        ),
        media=media,
    )


def each_row(file: str, table: Table, read: Callable[[int, Row], T]) -> list[T]:
    """Every row through `read`, which is given its number too. Raises: InvalidFareRow."""
    found = []
    for number, row in enumerate(table.rows, 1):
        try:
            found.append(read(number, row))
        except (KeyError, ValueError) as error:
            problem = f"the column {error} is missing." if isinstance(error, KeyError) else str(error)
            raise InvalidFareRow(file, number, problem) from None
    return found


def _products(files: Mapping[str, Table], currency: str) -> dict[str, tuple[Product, ...]]:
    def read(number: int, row: Row) -> Product:
        return Product(
            number,
            row["fare_product_id"],
            row.get("rider_category_id", ""),
            row.get("fare_media_id", ""),
            read_amount(row["amount"], row.get("currency") or currency),
        )

    found: dict[str, tuple[Product, ...]] = {}
    for product in each_row("fare_products.txt", files.get("fare_products.txt", EMPTY), read):
        found[product.product_id] = (*found.get(product.product_id, ()), product)
    return found


def _leg_rule(number: int, row: Row) -> LegRule:
    return LegRule(
        number,
        row.get("leg_group_id", ""),
        row.get("network_id", ""),
        row.get("from_area_id", ""),
        row.get("to_area_id", ""),
        row.get("from_timeframe_group_id", ""),
        row.get("to_timeframe_group_id", ""),
        row["fare_product_id"],
        int(row.get("rule_priority") or 0),
    )


def _join_rule(number: int, row: Row) -> JoinRule:
    return JoinRule(
        number,
        row.get("from_network_id", ""),
        row.get("to_network_id", ""),
        row.get("from_stop_id", ""),
        row.get("to_stop_id", ""),
    )


def _transfer(number: int, row: Row) -> TransferRule:
    limit, count = row.get("duration_limit", ""), row.get("transfer_count", "")
    return TransferRule(
        number,
        row.get("from_leg_group_id", ""),
        row.get("to_leg_group_id", ""),
        int(count) if count else None,
        timedelta(seconds=int(limit)) if limit else None,
        LimitType(int(row.get("duration_limit_type") or 0)),
        TransferType(int(row["fare_transfer_type"])),
        row.get("fare_product_id", ""),
    )


def _timeframes(table: Table, services: Mapping[str, Service]) -> dict[str, tuple[Timeframe, ...]]:
    def read(_number: int, row: Row) -> Timeframe:
        if row["service_id"] not in services:
            raise ValueError(f"there is no service {row['service_id']}.")
        return Timeframe(
            row["timeframe_group_id"],
            read_clock(row.get("start_time") or "00:00"),
            read_clock(row.get("end_time") or "24:00"),
            services[row["service_id"]],
        )

    found: dict[str, tuple[Timeframe, ...]] = {}
    for frame in each_row("timeframes.txt", table, read):
        found[frame.group_id] = (*found.get(frame.group_id, ()), frame)
    return found


def read_clock(text: str) -> timedelta:
    """Time since midnight, also past 24:00. Raises: ValueError."""
    found = _CLOCK.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a time of day.")
    return timedelta(hours=int(found[1]), minutes=int(found[2]), seconds=int(found[3] or 0))


def _stops(stops: Mapping[str, tuple[str, str]], table: Table, zone: ZoneInfo) -> dict[str, FareStop]:
    """A station's areas and time zone are its platforms' too: the areas only where a platform is not listed itself, the
    zone always, be it the agency's because the station names none.
    """
    areas: dict[str, frozenset[str]] = {}
    for row in table.rows:
        areas[row["stop_id"]] = areas.get(row["stop_id"], frozenset()) | {row["area_id"]}
    found = {}
    for number, (stop_id, (parent, named)) in enumerate(stops.items(), 1):
        own_zone = stops[parent][1] if parent in stops else named
        found[stop_id] = FareStop(
            stop_id,
            parent or stop_id,
            zone_of("stops.txt", number, own_zone) or zone,
            areas.get(stop_id) or areas.get(parent, frozenset()),
        )
    return found


def zone_of(file: str, row: int, name: str) -> ZoneInfo | None:
    """The time zone of that name; None where there is none. Raises: InvalidFareRow."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        raise InvalidFareRow(file, row, f"there is no time zone {name}.") from None
