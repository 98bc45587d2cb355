"""Reading a GTFS feed with Fares v2 files (google/transit, gtfs/spec/en/reference.md): rows, references, exact money.

What is read here is what flat fares need; every file of the feed is kept whole beside it.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from cardsvc.errors import CityError, ErrorKind
from cardsvc.money import CURRENCY

FILE_BYTES_MAX: Final = 64 * 1024 * 1024
ERRORS_SHOWN: Final = 100
_AMOUNT = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]+))?\Z")
_EXPONENT: Final = {"JPY": 0, "KRW": 0, "VND": 0}
_EXPONENT_USUAL: Final = 2
TRANSIT_CARD: Final = "2"  # fare_media_type
SOLE_AGENCY: Final = "main"  # the reference lets a feed's only agency go without an id
_ID = re.compile(r"[^\s:\x00-\x1f]{1,64}\Z")  # ids become parts of account codes and of signed taps
_NAME_MAX: Final = 200
_NO_FLAT_FARE: Final = (
    "No row gives a whole network one fare: a network_id, no areas, no times, and a product for the transit card. "
    "Fares by area cannot be charged yet."
)

REQUIRED: Final = {
    "agency.txt": ("agency_name",),
    "stops.txt": ("stop_id",),
    "routes.txt": ("route_id",),
    "fare_products.txt": ("fare_product_id", "amount", "currency"),
    "fare_leg_rules.txt": ("fare_product_id",),
}
OPTIONAL: Final = {
    "networks.txt": ("network_id",),
    "route_networks.txt": ("network_id", "route_id"),
    "rider_categories.txt": ("rider_category_id", "rider_category_name"),
    "fare_media.txt": ("fare_media_id", "fare_media_type"),
}


class InvalidFeed(CityError):
    """The feed was not taken; `fields` names files and rows (row 1 is the first under the heading)."""

    code: ClassVar[str] = "invalid_feed"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


@dataclass(frozen=True, slots=True)
class Fare:
    """One flat fare: a ride anywhere on a network. `rider_category` is "" for everybody."""

    network_id: str
    rider_category: str
    product_id: str
    amount_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Stop:
    stop_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Network:
    """A network and the agency that earns its fares."""

    network_id: str
    name: str
    agency_id: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What flat fares need of a feed. `default_category` is the rider category of a person without another."""

    networks: tuple[Network, ...]
    stops: tuple[Stop, ...]
    fares: tuple[Fare, ...]
    default_category: str


Row = Mapping[str, str]
Tables = Mapping[str, list[Row]]


def read(files: Mapping[str, bytes]) -> Feed:
    """Read a feed, given as file name to content. Raises: InvalidFeed naming every wrong row."""
    wrong: dict[str, list[str]] = {}
    tables = {name: _table(name, columns, files, wrong) for name, columns in (REQUIRED | OPTIONAL).items()}
    _raise(wrong)
    _check_ids(tables, wrong)
    _raise(wrong)
    networks = _networks(tables, wrong)
    fares = tuple(_fares(tables, {n.network_id for n in networks}, wrong))
    if not fares and not wrong:
        wrong["fare_leg_rules.txt"] = [_NO_FLAT_FARE]
    defaults = [row for row in tables["rider_categories.txt"] if row.get("is_default_fare_category") == "1"]
    if len(defaults) > 1:
        wrong["rider_categories.txt"] = ["Only one rider category may be the default one."]
    _raise(wrong)
    stops = tuple(Stop(row["stop_id"], row.get("stop_name", "")[:_NAME_MAX]) for row in tables["stops.txt"])
    return Feed(networks, stops, fares, defaults[0]["rider_category_id"] if defaults else "")


def _table(name: str, columns: tuple[str, ...], files: Mapping[str, bytes], wrong: dict[str, list[str]]) -> list[Row]:
    data = files.get(name)
    if data is None:
        if name in REQUIRED:
            wrong[name] = ["The file is missing."]
        return []
    if len(data) > FILE_BYTES_MAX:
        wrong[name] = ["The file is too large."]
        return []
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        rows: list[Row] = [{key: (value or "").strip() for key, value in row.items() if key} for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        wrong[name] = [f"The file is not CSV in UTF-8: {error}."]
        return []
    missing = [column for column in columns if column not in (reader.fieldnames or ())]
    if missing:
        wrong[name] = [f"The column {column} is missing." for column in missing]
        return []
    for number, row in enumerate(rows, 1):
        empty = [column for column in columns if not row.get(column)]
        if empty:
            wrong[f"{name}:{number}"] = [f"{column} is empty." for column in empty]
    return rows


_IDS: Final = {
    "agency.txt": "agency_id",
    "stops.txt": "stop_id",
    "routes.txt": "route_id",
    "networks.txt": "network_id",
    "rider_categories.txt": "rider_category_id",
    "fare_media.txt": "fare_media_id",
}


def _check_ids(tables: Tables, wrong: dict[str, list[str]]) -> None:
    """Every file's own ids: one row each, short, without spaces. Only a sole agency may go without."""
    for name, column in _IDS.items():
        seen: set[str] = set()
        for number, row in enumerate(tables[name], 1):
            found = row.get(column, "")
            if column == "agency_id" and not found and len(tables[name]) == 1:
                continue
            if found in seen:
                wrong[f"{name}:{number}"] = [f"The {column} {found} is there already."]
            elif not _ID.match(found):
                wrong[f"{name}:{number}"] = [f"{column} must have 1 to 64 characters, no spaces and no colon."]
            seen.add(found)
    if not tables["agency.txt"]:
        wrong["agency.txt"] = ["There is no agency."]


def _networks(tables: Tables, wrong: dict[str, list[str]]) -> tuple[Network, ...]:
    """Networks by networks.txt and route_networks.txt, or by routes.network_id (the two forms the reference allows)."""
    agencies = [row.get("agency_id") or SOLE_AGENCY for row in tables["agency.txt"]]
    agency_of_route = {row["route_id"]: row.get("agency_id") or agencies[0] for row in tables["routes.txt"]}
    names = {row["network_id"]: row.get("network_name", "") for row in tables["networks.txt"]}
    pairs = [
        (row["network_id"], row["route_id"], f"route_networks.txt:{number}")
        for number, row in enumerate(tables["route_networks.txt"], 1)
    ]
    pairs += [
        (row["network_id"], row["route_id"], f"routes.txt:{number}")
        for number, row in enumerate(tables["routes.txt"], 1)
        if row.get("network_id")
    ]
    agency_of: dict[str, str] = {}
    for network_id, route_id, place in pairs:
        if route_id not in agency_of_route:
            wrong[place] = [f"There is no route {route_id}."]
        elif tables["networks.txt"] and network_id not in names:
            wrong[place] = [f"There is no network {network_id}."]
        else:
            agency_of.setdefault(network_id, agency_of_route[route_id])
    for number, row in enumerate(tables["routes.txt"], 1):
        if row.get("agency_id") and row["agency_id"] not in agencies:
            wrong[f"routes.txt:{number}"] = [f"There is no agency {row['agency_id']}."]
    return tuple(Network(n, names.get(n, n)[:_NAME_MAX], agency) for n, agency in sorted(agency_of.items()))


def _fares(tables: Tables, networks: set[str], wrong: dict[str, list[str]]) -> Iterator[Fare]:
    """Leg rules that name a network and neither areas nor times are flat fares; their products say the amounts."""
    media = {row["fare_media_id"]: row["fare_media_type"] for row in tables["fare_media.txt"]}
    categories = {row["rider_category_id"] for row in tables["rider_categories.txt"]}
    products: dict[str, list[tuple[Row, int]]] = {}
    for number, row in enumerate(tables["fare_products.txt"], 1):
        amount = _amount(row, f"fare_products.txt:{number}", media, categories, wrong)
        products.setdefault(row["fare_product_id"], []).append((row, amount))
    for number, rule in enumerate(tables["fare_leg_rules.txt"], 1):
        place, network_id = f"fare_leg_rules.txt:{number}", rule.get("network_id", "")
        if rule["fare_product_id"] not in products:
            wrong[place] = [f"There is no fare product {rule['fare_product_id']}."]
        elif network_id and network_id not in networks:
            wrong[place] = [f"There is no network {network_id}."]
        elif network_id and not any(rule.get(column) for column in _NOT_FLAT):
            for row, amount in products[rule["fare_product_id"]]:
                if media.get(row.get("fare_media_id", ""), TRANSIT_CARD) != TRANSIT_CARD:
                    continue
                if row["currency"] != CURRENCY:
                    wrong[place] = [f"Its fare is in {row['currency']}; the city's books are kept in {CURRENCY}."]
                category = row.get("rider_category_id", "")
                yield Fare(network_id, category, row["fare_product_id"], amount, row["currency"])


_NOT_FLAT: Final = ("from_area_id", "to_area_id", "from_timeframe_group_id", "to_timeframe_group_id")


def _amount(row: Row, place: str, media: Mapping[str, str], categories: set[str], wrong: dict[str, list[str]]) -> int:
    """Minor units; the text must carry exactly the decimals of its currency (reference: Currency amount)."""
    problems = []
    exponent = _EXPONENT.get(row["currency"], _EXPONENT_USUAL)
    match = _AMOUNT.match(row["amount"])
    if match is None or len(match[3] or "") != exponent:
        problems.append(f"{row['amount']!r} is not an amount in {row['currency']} with {exponent} decimals.")
    elif match[1]:
        problems.append("A flat fare cannot be negative.")
    if row.get("fare_media_id") and row["fare_media_id"] not in media:
        problems.append(f"There is no fare medium {row['fare_media_id']}.")
    if row.get("rider_category_id") and row["rider_category_id"] not in categories:
        problems.append(f"There is no rider category {row['rider_category_id']}.")
    if problems:
        wrong[place] = problems
        return 0
    assert match is not None
    return int(match[2] + (match[3] or ""))


def _raise(wrong: dict[str, list[str]]) -> None:
    if wrong:
        shown = dict(list(wrong.items())[:ERRORS_SHOWN])
        raise InvalidFeed(f"{len(wrong)} places of the feed are wrong; nothing was taken.", fields=shown)
