"""GTFS feeds: the demo city's and another one's, and feeds with something wrong in them, which are not taken."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from cardsvc import transit
from cardsvc.clock import FixedClock
from cardsvc.transit import commands, rules
from tests import testdata
from tests.builders import CLERK
from tests.town import BUS_CENTS, FEED, Town

Files = dict[str, bytes]


@pytest.fixture
def files() -> Files:
    """The demo city's feed."""
    return commands.read_files(FEED)


def wrong(files: Files) -> dict[str, list[str]]:
    with pytest.raises(transit.InvalidFeed) as caught:
        rules.read(files)
    assert caught.value.fields
    return caught.value.fields


def changed(files: Files, name: str, old: str, new: str) -> Files:
    text = files[name].decode()
    assert old in text, f"{name} does not hold {old}"
    return files | {name: text.replace(old, new, 1).encode()}


def test_the_demo_citys_feed_says_what_a_ride_costs(files: Files) -> None:
    feed = rules.read(files)
    agencies = {network.network_id: network.agency_id for network in feed.networks}
    assert agencies == {"bus": "loop", "ferry": "ferry", "rail": "metro"}
    assert feed.default_category == "regular"
    bus = {fare.rider_category: fare.amount_cents for fare in feed.fares if fare.network_id == "bus"}
    assert bus["regular"] == BUS_CENTS  # the card's price, not the higher one for cash
    assert not [fare for fare in feed.fares if fare.network_id == "rail"]  # priced by distance
    assert feed.payers == ("education", "national-rail", "osca", "pdao")
    assert len(feed.stops) > 5


def zakroczym() -> Files:
    return commands.read_files(testdata.folder("gtfs") / "zakroczym")


def test_a_feed_without_flat_fares_is_taken_when_it_is_in_the_currency_of_the_books() -> None:
    files = zakroczym()
    feed = rules.read(files | {"fare_products.txt": files["fare_products.txt"].replace(b"PLN", b"PHP")})
    assert feed.fares == ()
    agency_id = files["agency.txt"].decode().splitlines()[1].split(",")[0]
    assert [(network.network_id, network.agency_id) for network in feed.networks] == [(agency_id, agency_id)]


def test_a_feed_in_another_currency_is_no_tariff_of_the_city_and_says_so_at_every_row() -> None:
    found = wrong(zakroczym())
    assert list(found) == [f"fare_products.txt:{row}" for row in range(1, 11)]
    assert found["fare_products.txt:1"] == ["It is in PLN; the city's books are kept in PHP, and so is its tariff."]


@pytest.mark.parametrize(
    ("name", "old", "new", "place", "says"),
    [
        ("fare_products.txt", "13.00,PHP", "13.0,PHP", "fare_products.txt:1", "'13.0' is not an amount in PHP with 2"),
        ("fare_products.txt", "13.00,PHP", "13,PHP", "fare_products.txt:1", "with 2 decimals"),
        ("fare_products.txt", "13.00,PHP", "13.00,JPY", "fare_products.txt:1", "with 0 decimals"),
        ("fare_products.txt", "13.00,PHP", "-13.00,PHP", "fare_products.txt:1", "cannot be negative"),
        ("fare_products.txt", "13.00,PHP", "13.00,PLN", "fare_products.txt:2", "the first row in PLN"),
        (
            "fare_products.txt",
            "regular,card",
            "nobody,card",
            "fare_products.txt:1",
            "rider_category_id is nobody, which rider_categories.txt does not have",
        ),
        (
            "fare_products.txt",
            "regular,card",
            "regular,coin",
            "fare_products.txt:1",
            "fare_media_id is coin, which fare_media.txt does not have",
        ),
        ("fare_products.txt", "13.00,PHP", ",PHP", "fare_products.txt:1", "amount is empty"),
        (
            "fare_leg_rules.txt",
            "bus,,,bus_ride",
            "bus,,,free_ride",
            "fare_leg_rules.txt:1",
            "fare_product_id is free_ride",
        ),
        ("fare_leg_rules.txt", "bus,,,bus_ride", "tram,,,bus_ride", "fare_leg_rules.txt:1", "network_id is tram"),
        ("route_networks.txt", "bus,L1", "bus,L9", "route_networks.txt:1", "route_id is L9"),
        ("route_networks.txt", "bus,L1", "tram,L1", "route_networks.txt:1", "network_id is tram"),
        ("routes.txt", "L1,loop", "L1,nobody", "routes.txt:1", "agency_id is nobody"),
        (
            "rider_categories.txt",
            "citizen,0",
            "citizen,1",
            "rider_categories.txt:2",
            "Only one category is the default",
        ),
        ("stops.txt", "buendia,Buendia", "ayala,Buendia", "stops.txt:2", "It repeats row 1: stop_id"),
        ("stops.txt", "poblacion,", "a:b,", "stop_times.txt:3", "stop_id is poblacion"),
        ("networks.txt", "ferry,River", "bus,River", "networks.txt:2", "It repeats row 1: network_id"),
        ("networks.txt", "ferry,River", "fer:ry,River", "route_networks.txt:3", "network_id is ferry"),
        ("agency.txt", "agency_name", "name", "agency.txt", "The column agency_name is missing."),
    ],
)
def test_what_is_wrong_is_named_by_file_and_row(
    files: Files, name: str, old: str, new: str, place: str, says: str
) -> None:
    found = wrong(changed(files, name, old, new))
    assert says in " ".join(found[place]), found


@pytest.mark.parametrize(
    ("name", "old", "new", "place"),
    [
        ("fare_media.txt", "cash,Cash,0\n", f"cash,Cash,0\n{'a' * 65},Long,3\n", "fare_media.txt:3"),
        ("rider_categories.txt", "pwd,", "a b,A,0,\npwd,", "rider_categories.txt:4"),
        ("fare_products.txt", "ferry_ride,", "a:b,A,,card,1.00,PHP\nferry_ride,", "fare_products.txt:6"),
        ("x_concessions.txt", "osca", "os:ca", "x_concessions.txt:1"),
    ],
)
def test_an_id_that_no_account_or_tap_could_carry_is_refused(
    files: Files, name: str, old: str, new: str, place: str
) -> None:
    [sentence] = wrong(changed(files, name, old, new))[place]
    assert sentence.endswith("must have 1 to 64 characters, no spaces and no colon.")


def test_missing_and_unreadable_files_are_named(files: Files) -> None:
    required = ("agency.txt", "stops.txt", "routes.txt", "fare_products.txt", "fare_leg_rules.txt")
    assert wrong({}) == {name: ["The file is missing."] for name in required}
    broken = files | {"stops.txt": b"\xff\xfe\x00", "routes.txt": b'route_id\n"open', "agency.txt": b"agency_name\n"}
    found = wrong(broken)
    assert found["stops.txt"][0].startswith("The file is not CSV in UTF-8")
    assert found["routes.txt"][0].startswith("The file is not CSV in UTF-8")
    assert wrong(files | {"agency.txt": b"agency_name\n"})["agency.txt"] == ["The file has no rows."]


def test_a_sole_agency_may_go_without_an_id(files: Files) -> None:
    routes = files["routes.txt"].replace(b",loop,", b",,").replace(b",ferry,", b",,").replace(b",metro,", b",,")
    caps = files["x_caps.txt"].replace(b",loop,", b",,")
    feed = rules.read(files | {"agency.txt": b"agency_name\nThe only one\n", "routes.txt": routes, "x_caps.txt": caps})
    assert {network.agency_id for network in feed.networks} == {"main"}


def test_networks_may_be_named_by_the_routes_themselves(files: Files) -> None:
    routes = b"route_id,agency_id,network_id\nL1,loop,bus\nL2,loop,bus\nF1,ferry,ferry\nM1,metro,rail\n"
    kept = {name: data for name, data in files.items() if name not in ("networks.txt", "route_networks.txt")}
    assert rules.read(kept | {"routes.txt": routes}).fares == rules.read(files).fares


def test_many_errors_are_counted_and_the_first_hundred_shown(files: Files) -> None:
    rows = b"".join(b"p%d,x,PHP\n" % number for number in range(150))
    with pytest.raises(transit.InvalidFeed, match=r"^18[0-9] places of the feed are wrong") as caught:
        rules.read(files | {"fare_products.txt": b"fare_product_id,amount,currency\n" + rows})
    assert len(caught.value.fields) == 100


# ------------------------------------------------------------------------------------------------------ versions

Import = Callable[[Files], transit.Tariff]


@pytest.fixture
def take(session: Session, clock: FixedClock) -> Import:
    return lambda files: transit.import_feed(session, files, valid_from=clock.now(), by=CLERK, now=clock.now())


def test_a_changed_feed_is_the_next_version_and_the_same_one_changes_nothing(
    session: Session, clock: FixedClock, files: Files, take: Import
) -> None:
    first = take(files)
    clock.advance(timedelta(hours=1))
    assert take(files) == first
    dearer = take(changed(files, "fare_products.txt", "13.00,PHP", "14.00,PHP"))
    assert (first.version, dearer.version) == (1, 2)
    fare = transit.flat_fare(dearer, "bus", "regular")
    assert fare is not None
    assert fare.amount_cents == 14_00
    assert transit.tariff_at(session, clock.now()) == dearer
    assert transit.tariff_at(session, clock.now() - timedelta(minutes=1)) == first
    assert transit.tariff_at(session, clock.now() - timedelta(days=1)) is None


def test_a_wrong_feed_leaves_the_tariff_as_it_was(session: Session, files: Files, take: Import) -> None:
    first = take(files)
    with pytest.raises(transit.InvalidFeed):
        take(files | {"stops.txt": b""})
    assert transit.tariffs(session, [1, 2]) == {1: first}


def test_a_category_without_a_fare_of_its_own_pays_everybodys_and_never_nothing() -> None:
    fares = (rules.Fare("bus", "", "all", 15_00, "PHP"), rules.Fare("bus", "senior", "less", 12_00, "PHP"))
    tariff = transit.Tariff(1, datetime(2026, 11, 2, tzinfo=UTC), "", {"bus": "loop"}, fares)
    prices = {c: f.amount_cents for c in ("senior", "pwd", "") if (f := transit.flat_fare(tariff, "bus", c))}
    assert prices == {"senior": 12_00, "pwd": 15_00, "": 15_00}
    assert transit.flat_fare(tariff, "ferry", "senior") is None


def test_the_command_takes_a_folder_or_a_zip_and_refuses_the_rest(town: Town, tmp_path: Path, files: Files) -> None:
    archive = tmp_path / "feed.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)

    def run(path: Path) -> object:
        return CliRunner().invoke(
            commands.transit, ["import", str(path), "--json"], obj=lambda: town.city, catch_exceptions=False
        )

    for path in (FEED, archive):
        result = run(path)
        assert json.loads(getattr(result, "output", "")) == {"version": 1, "fares": len(rules.read(files).fares)}
    neither = tmp_path / "feed.txt"
    neither.write_text("no feed")
    with pytest.raises(transit.InvalidFeed, match="neither a folder nor a zip file"):
        run(neither)


def test_a_tariff_is_written_again_byte_for_byte(town: Town, tmp_path: Path) -> None:
    def run(*arguments: str) -> Any:
        return CliRunner().invoke(commands.transit, [*arguments, "--json"], obj=lambda: town.city)

    assert "There is no such tariff" in run("export", str(tmp_path / "none")).output
    run("import", str(FEED))
    told = run("export", str(tmp_path / "feed"))
    assert json.loads(told.output)["version"] == 1
    assert commands.read_files(tmp_path / "feed") == commands.read_files(FEED)


def test_a_tariff_may_be_imported_for_a_time_to_come_and_for_none_that_is_past(town: Town) -> None:
    def run(since: str) -> Any:
        arguments = ["import", str(FEED), "--valid-from", since, "--json"]
        return CliRunner().invoke(commands.transit, arguments, obj=lambda: town.city)

    tomorrow = town.clock.now() + timedelta(days=1)
    past = run((town.clock.now() - timedelta(minutes=1)).isoformat())
    assert (past.exit_code, "is in the past" in past.output) == (2, True)
    assert run(tomorrow.isoformat()).exit_code == 0
    assert town.run(lambda session: transit.tariff_at(session, town.clock.now())) is None
    found = town.run(lambda session: transit.tariff_at(session, tomorrow))
    assert found is not None
    assert found.valid_from == tomorrow


def test_the_tariff_in_force_is_public(town: Town) -> None:
    missing = town.client.get("/v1/transit/tariff")
    assert (missing.status_code, missing.get_json()["code"]) == (404, "no_tariff")
    town.tariff()
    answer = town.client.get("/v1/transit/tariff").get_json()
    assert (answer["version"], answer["default_category"]) == (1, "regular")
    fare = {"network_id": "bus", "rider_category": "regular", "product_id": "bus_ride", "amount_cents": 13_00}
    assert fare | {"currency": "PHP"} in answer["fares"]
