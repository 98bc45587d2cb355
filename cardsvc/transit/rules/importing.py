"""A feed as the city's own tariff: everything that a quote needs, and what the books and the wire add to it."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from cardsvc.money import CURRENCY
from cardsvc.transit.rules.checking import Wrong
from cardsvc.transit.rules.compiling import EMPTY, Row, Table, read_amount
from cardsvc.transit.rules.feed import TRANSIT_CARD, Fare, Feed, Network, Stop, raise_wrong
from cardsvc.transit.rules.gtfs import agencies_of_networks, compile_feed, read_tables
from cardsvc.transit.rules.selling import offers

_ID = re.compile(r"[^\s:\x00-\x1f]{1,64}\Z")  # ids become parts of account codes and of signed taps
_NAME_MAX: Final = 200
_IDS: Final = {
    "agency.txt": "agency_id",
    "stops.txt": "stop_id",
    "routes.txt": "route_id",
    "networks.txt": "network_id",
    "rider_categories.txt": "rider_category_id",
    "fare_media.txt": "fare_media_id",
    "fare_products.txt": "fare_product_id",
    "x_concessions.txt": "paid_by",
    "x_passes.txt": "pass_id",
}
_NOT_FLAT: Final = ("from_area_id", "to_area_id", "from_timeframe_group_id", "to_timeframe_group_id")


def read(files: Mapping[str, bytes]) -> Feed:
    """Read a feed, given as file name to content, as the tariff of a city whose books are kept in `CURRENCY`.

    A feed without flat fares is one too: its rides are priced by area, distance or time. Raises: InvalidFeed, naming
    every wrong row.
    """
    tables = read_tables(files)
    feed = compile_feed(tables)
    wrong: Wrong = {}
    _check_ids(tables, wrong)
    _check_currency(tables, wrong)
    raise_wrong(wrong)
    agency_of = agencies_of_networks(tables)
    names = {row["network_id"]: row.get("network_name", "") for row in _rows(tables, "networks.txt")}
    return Feed(
        tuple(
            Network(name, (names.get(name) or name)[:_NAME_MAX], agency) for name, agency in sorted(agency_of.items())
        ),
        tuple(Stop(row["stop_id"], row.get("stop_name", "")[:_NAME_MAX]) for row in _rows(tables, "stops.txt")),
        tuple(_flat_fares(tables)),
        feed.tables.default_category,
        tuple(sorted({concession.paid_by for concession in feed.terms.concessions if concession.paid_by})),
        tuple(offer.pass_id for offer in offers(feed.terms.passes.values(), agency_of) if not offer.agency),
    )


def _rows(tables: Mapping[str, Table], name: str) -> tuple[Row, ...]:
    return tables.get(name, EMPTY).rows


def _check_ids(tables: Mapping[str, Table], wrong: Wrong) -> None:
    """Ids are short and without spaces. Only a sole agency, and what nobody pays, may go without."""
    for name, column in _IDS.items():
        rows = _rows(tables, name)
        for number, row in enumerate(rows, 1):
            found = row.get(column, "")
            may_be_empty = column == "paid_by" or (column == "agency_id" and len(rows) == 1)
            if not (_ID.match(found) or (may_be_empty and not found)):
                problem = f"{column} must have 1 to 64 characters, no spaces and no colon."
                wrong.setdefault(f"{name}:{number}", []).append(problem)


def _check_currency(tables: Mapping[str, Table], wrong: Wrong) -> None:
    for number, row in enumerate(_rows(tables, "fare_products.txt"), 1):
        if row["currency"] != CURRENCY:
            wrong.setdefault(f"fare_products.txt:{number}", []).append(
                f"It is in {row['currency']}; the city's books are kept in {CURRENCY}, and so is its tariff."
            )


def _flat_fares(tables: Mapping[str, Table]) -> Iterator[Fare]:
    """Leg rules that name a network and neither areas nor times are flat fares; their products say the amounts."""
    media = {row["fare_media_id"]: row["fare_media_type"] for row in _rows(tables, "fare_media.txt")}
    for rule in _rows(tables, "fare_leg_rules.txt"):
        if not rule.get("network_id") or any(rule.get(column) for column in _NOT_FLAT):
            continue
        for row in _rows(tables, "fare_products.txt"):
            if row["fare_product_id"] != rule["fare_product_id"]:
                continue
            if media.get(row.get("fare_media_id", ""), TRANSIT_CARD) == TRANSIT_CARD:
                amount = read_amount(row["amount"], row["currency"])
                category = row.get("rider_category_id", "")
                yield Fare(rule["network_id"], category, row["fare_product_id"], amount, row["currency"])
