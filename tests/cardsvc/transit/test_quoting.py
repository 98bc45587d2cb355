"""Whole feeds: a real one priced throughout, planted faults named by row, and the command that quotes a ride."""

import itertools
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cardsvc import transit
from cardsvc.transit import commands, rules
from tests import testdata
from tests.builders import CLERK
from tests.town import FEED, Town

AT = "2026-11-02T07:45"


def feed_files() -> dict[str, bytes]:
    return commands.read_files(FEED)


def zakroczym() -> Path:
    return testdata.folder("gtfs") / "zakroczym"


def run(*arguments: str, town: Town | None = None) -> Any:
    opened = (lambda: town.city) if town else None
    return CliRunner().invoke(commands.transit, ["quote", *arguments, "--json"], obj=opened)


def test_a_real_feed_prices_every_pair_of_areas_for_every_category() -> None:
    feed = rules.read_feed(commands.read_files(zakroczym()))
    stop_in = {next(iter(stop.areas)): stop.stop_id for stop in feed.tables.stops.values() if stop.areas}
    assert sorted(stop_in) == ["1", "2", "3"]
    fares = {
        (one, other, category): _cents(feed, stop_in[one], stop_in[other], category)
        for one, other in itertools.product(stop_in, repeat=2)
        for category in feed.tables.categories
    }
    assert len(fares) == 36
    amounts = {frozenset((one, other)): cents for (one, other, category), cents in fares.items() if category == "0"}
    assert amounts[frozenset("1")] == amounts[frozenset("2")] == amounts[frozenset("3")] == 0
    assert (amounts[frozenset("12")], amounts[frozenset("13")], amounts[frozenset("23")]) == (400, 500, 400)
    assert all(fares[one, other, "0"] == fares[other, one, "0"] for one, other in itertools.product(stop_in, repeat=2))


def _cents(feed: rules.FareFeed, from_stop: str, to_stop: str, category: str) -> int | None:
    at = rules.read_time("at", AT, feed.zone)
    return rules.quote(feed, rules.Question(from_stop, to_stop, at, at, "", (category,))).journey.total_cents


def test_a_quote_names_the_rows_that_make_it() -> None:
    result = run("--feed", str(FEED), "--from", "ayala", "--to", "buendia", "--at", AT, "--network", "bus")
    assert result.exit_code == 0
    answer = json.loads(result.output)
    assert (answer["total_cents"], answer["total"], answer["currency"]) == (1300, "13.00", "PHP")
    assert answer["lines"][0]["steps"] == [
        {"step": "base", "rule": "fare_leg_rules.txt:1, fare_products.txt:1 bus_ride", "before": "0", "after": "1300"}
    ]


def test_the_citys_own_tariff_answers_too(town: Town) -> None:
    taken = CliRunner().invoke(commands.transit, ["import", str(FEED)], obj=lambda: town.city)
    assert taken.exit_code == 0
    result = run("--from", "ayala", "--to", "buendia", "--at", "2036-01-01T08:00", "--network", "bus", town=town)
    assert json.loads(result.output)["tariff_version"] == 1
    early = run("--from", "ayala", "--to", "buendia", "--at", "2006-01-01T08:00", town=town)
    assert isinstance(early.exception, rules.InvalidQuote)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("--from", "mars", "--to", "buendia"), "from"),
        (("--from", "ayala", "--to", "mars"), "to"),
        (("--from", "ayala", "--to", "buendia", "--category", "king"), "category"),
        (("--from", "ayala", "--to", "buendia", "--network", "tram"), "network"),
        (("--from", "ayala", "--to", "buendia", "--medium", "shells"), "medium"),
        (("--from", "ayala", "--to", "buendia", "--arrive", "2026-11-02T07:00"), "arrival"),
        (("--from", "ayala", "--to", "buendia", "--arrive", "soon"), "arrive"),
    ],
)
def test_a_question_that_cannot_be_answered_says_what_is_wrong(arguments: tuple[str, ...], field: str) -> None:
    result = run("--feed", str(FEED), "--at", AT, *arguments)
    assert isinstance(result.exception, rules.InvalidQuote)
    assert list(result.exception.fields) == [field]


def test_an_unknown_fare_is_no_fare_and_exits_with_one(tmp_path: Path) -> None:
    for name, content in feed_files().items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "fare_leg_rules.txt").write_text("network_id,fare_product_id\nferry,bus_ride\n")
    (tmp_path / "fare_transfer_rules.txt").unlink()
    result = run("--feed", str(tmp_path), "--from", "ayala", "--to", "buendia", "--at", AT, "--network", "bus")
    assert result.exit_code == 1
    assert json.loads(result.output)["total_cents"] is None


# ------------------------------------------------------------------------------------------------- the API


def asked(town: Town, **query: Any) -> Any:
    return town.client.get("/v1/transit/quote", query_string={name.rstrip("_"): text for name, text in query.items()})


def test_the_api_answers_anybody_as_the_command_does(town: Town) -> None:
    town.tariff()
    at = town.clock.now().isoformat()
    where = {"from": "metro-magallanes", "to": "metro-university", "at": at}
    answer = asked(town, **where, category=["senior", "pwd"])
    assert answer.status_code == 200
    ran = run(*(f"--{name}={text}" for name, text in where.items()), "--category=senior", "--category=pwd", town=town)
    assert answer.get_json() == json.loads(ran.output)
    assert (answer.get_json()["total"], answer.get_json()["lines"][0]["paid_by"]) == ("14.00", "national-rail")


def test_the_api_says_what_is_wrong_with_a_question(town: Town) -> None:
    none = asked(town, from_="ayala", to="buendia", at=AT)
    assert (none.status_code, none.get_json()["code"]) == (404, "no_tariff")
    town.tariff()
    later = town.clock.now().isoformat()
    for query, field in (
        ({"from_": "mars", "to": "buendia", "at": later}, "from"),
        ({"from_": "ayala", "to": "buendia", "at": "some other day"}, "at"),
        ({"from_": "ayala", "to": "buendia", "at": "9999-12-31T23:59:59-12:00"}, "at"),
        ({"from_": "ayala", "to": "buendia", "at": later, "category": "king"}, "category"),
        ({"from_": "ayala", "to": "buendia"}, "at"),
    ):
        answer = asked(town, **query)
        assert answer.status_code == 422
        assert field in json.dumps(answer.get_json())


def test_a_ride_is_quoted_by_the_version_of_its_time(town: Town) -> None:
    town.tariff()
    first = town.clock.now()
    town.clock.advance(timedelta(days=1))
    dearer = feed_files() | {"fare_products.txt": feed_files()["fare_products.txt"].replace(b"13.00,", b"14.00,")}
    now = town.clock.now()
    town.run(lambda session: transit.import_feed(session, dearer, valid_from=now, by=CLERK, now=now))
    fares = [
        (found["tariff_version"], found["total_cents"])
        for at in (first, now)
        if (found := asked(town, from_="ayala", to="poblacion", at=at.isoformat()).get_json())
    ]
    assert fares == [(1, 1300), (2, 1400)]


# ------------------------------------------------------------------------------------------------- planted faults


def with_file(name: str, text: str) -> dict[str, bytes]:
    return feed_files() | {name: text.encode()}


CALENDAR = (
    "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "all,1,1,1,1,1,1,1,20260101,20271231\n"
    "daily,1,1,1,1,1,1,1,20260101,20271231\n"
)
FRAMES = "timeframe_group_id,start_time,end_time,service_id\n"
LAW = "concession_id,rider_category_id,network_id,percent,valid_from,valid_to,statutory\nlaw,senior,,20,20260101,,1\n"
TRANSFERS = "from_leg_group_id,to_leg_group_id,transfer_count,duration_limit,duration_limit_type,fare_transfer_type\n"


@pytest.mark.parametrize(
    ("name", "text", "place", "says"),
    [
        ("timeframes.txt", FRAMES + "p,06:00,09:00,none\n", "timeframes.txt:1", "service_id is none"),
        (
            "timeframes.txt",
            FRAMES + "p,06:00,09:00,all\np,08:59,10:00,all\n",
            "timeframes.txt:2",
            "overlaps with timeframes.txt:1",
        ),
        ("timeframes.txt", FRAMES + "p,06:00,,all\n", "timeframes.txt:1", "together or not at all"),
        ("timeframes.txt", FRAMES + "p,06:00,24:01,all\n", "timeframes.txt:1", "not within one day"),
        ("timeframes.txt", FRAMES + "p,six,seven,all\n", "timeframes.txt:1", "not a time of day"),
        ("fare_transfer_rules.txt", TRANSFERS + ",,,,,0\n", "fare_transfer_rules.txt:1", "transfer_count is needed"),
        ("fare_transfer_rules.txt", TRANSFERS + ",,0,,,0\n", "fare_transfer_rules.txt:1", "-1 or at least 1"),
        ("fare_transfer_rules.txt", TRANSFERS + ",,-1,60,,0\n", "fare_transfer_rules.txt:1", "duration_limit_type"),
        ("fare_transfer_rules.txt", TRANSFERS + ",,-1,,,7\n", "fare_transfer_rules.txt:1", "not one of 0, 1, 2"),
        ("fare_transfer_rules.txt", TRANSFERS + "x,,,,,0\n", "fare_transfer_rules.txt:1", "from_leg_group_id is x"),
        ("stop_areas.txt", "area_id,stop_id\nz,ayala\n", "stop_areas.txt:1", "area_id is z"),
        (
            "fare_leg_rules.txt",
            "network_id,fare_product_id\nbus,bus_ride\nbus,bus_ride\n",
            "fare_leg_rules.txt:2",
            "It repeats row 1",
        ),
        (
            "fare_leg_rules.txt",
            "network_id,fare_product_id,rule_priority\nbus,bus_ride,-1\n",
            "fare_leg_rules.txt:1",
            "rule_priority is -1",
        ),
        ("x_concessions.txt", "concession_id,rider_category_id,percent\nlaw,king,20\n", "x_concessions.txt:1", "king"),
        ("x_caps.txt", "cap_id,period,amount\nday,day,1\n", "x_caps.txt:1", "'1' is not an amount"),
        ("x_caps.txt", "cap_id,amount\nday,1.00\n", "x_caps.txt", "The column period is missing."),
        ("timeframes.txt", FRAMES + "p,06:00,06:60,all\n", "timeframes.txt:1", "not a time of day"),
        ("timeframes.txt", FRAMES + "p,,09:00,all\n", "timeframes.txt:1", "together or not at all"),
        (
            "timeframes.txt",
            FRAMES + "p,,,all\np,09:00,10:00,all\n",
            "timeframes.txt:2",
            "overlaps with timeframes.txt:1",
        ),
        ("fare_transfer_rules.txt", TRANSFERS + "bus_leg,ferry_leg,1,,,0\n", "fare_transfer_rules.txt:1", "forbidden"),
        ("fare_transfer_rules.txt", TRANSFERS + "bus_leg,bus_leg,-2,,,0\n", "fare_transfer_rules.txt:1", "-2"),
        ("fare_transfer_rules.txt", TRANSFERS + "bus_leg,bus_leg,x,,,0\n", "fare_transfer_rules.txt:1", "count is x"),
        ("fare_transfer_rules.txt", TRANSFERS + ",,-1,,0,0\n", "fare_transfer_rules.txt:1", "together or not at all"),
        ("fare_transfer_rules.txt", TRANSFERS + ",,-1,0,0,0\n", "fare_transfer_rules.txt:1", "duration_limit is 0"),
        ("fare_transfer_rules.txt", TRANSFERS + ",x,,,,0\n", "fare_transfer_rules.txt:1", "to_leg_group_id is x"),
        (
            "fare_transfer_rules.txt",
            TRANSFERS + ",,-1,,,\n",
            "fare_transfer_rules.txt:1",
            "fare_transfer_type is empty",
        ),
        (
            "fare_transfer_rules.txt",
            "from_leg_group_id,to_leg_group_id,fare_transfer_type,fare_product_id\nbus_leg,ferry_leg,0,gift\n",
            "fare_transfer_rules.txt:1",
            "fare_product_id is gift, which fare_products.txt does not have",
        ),
        ("stop_areas.txt", "area_id,stop_id\nk0,mars\n", "stop_areas.txt:1", "stop_id is mars"),
        ("areas.txt", "area_id\nk0\nk0\n", "areas.txt:2", "It repeats row 1"),
        ("areas.txt", "area_id\nk0\n", "fare_leg_rules.txt:4", "to_area_id is k3, which areas.txt does not have"),
        ("route_networks.txt", "network_id,route_id\ntram,L1\n", "route_networks.txt:1", "network_id is tram"),
        ("route_networks.txt", "network_id,route_id\nbus,L1\nferry,L1\n", "route_networks.txt:2", "It repeats row 1"),
        ("fare_media.txt", "fare_media_id,fare_media_type\ncard,2\ncard,2\n", "fare_media.txt:2", "It repeats row 1"),
        ("fare_media.txt", "fare_media_id,fare_media_type\ncard,5\n", "fare_media.txt:1", "not one of 0, 1, 2, 3, 4"),
        (
            "fare_leg_rules.txt",
            "network_id,from_timeframe_group_id,fare_product_id\nbus,dawn,bus_ride\n",
            "fare_leg_rules.txt:1",
            "from_timeframe_group_id is dawn",
        ),
        (
            "fare_leg_rules.txt",
            "network_id,fare_product_id\nbus,gift\n",
            "fare_leg_rules.txt:1",
            "fare_product_id is gift",
        ),
        (
            "fare_leg_join_rules.txt",
            "from_network_id,to_network_id,from_stop_id,to_stop_id\nrail,tram,,mars\n",
            "fare_leg_join_rules.txt:1",
            "to_network_id is tram, which networks.txt does not have. to_stop_id is mars",
        ),
        ("x_caps.txt", "cap_id,agency_id,period,amount\nday,nobody,day,1.00\n", "x_caps.txt:1", "agency_id is nobody"),
        ("x_caps.txt", "cap_id,period,amount\nday,year,1.00\n", "x_caps.txt:1", "period is year"),
        (
            "x_caps.txt",
            "cap_id,network_id,agency_id,period,amount\nday,bus,loop,day,1.00\n",
            "x_caps.txt:1",
            "name one of them",
        ),
        ("x_passes.txt", "pass_id,network_id\nten,tram\n", "x_passes.txt:1", "network_id is tram"),
        ("x_passes.txt", "pass_id,rides\nten,0\n", "x_passes.txt:1", "not a number of at least 1"),
        ("x_settings.txt", "fare_day_start\n24:00\n", "x_settings.txt:1", "not within a day"),
        (
            "x_incomplete.txt",
            "network_id,maximum_fare,longest_ride\nrail,27.99,7200\n",
            "x_incomplete.txt:1",
            "The maximum fare is 27.99, but a ride costs up to 28.00.",
        ),
        (
            "x_concessions.txt",
            LAW + "less,senior,bus,10,20260601,20261231,0\n",
            "x_concessions.txt:2",
            "It gives 10 %, less than the 20 % that x_concessions.txt:1 gives by law.",
        ),
        (
            "x_concessions.txt",
            LAW.replace(",20,", ",20.01,"),
            "fare_products.txt:3",
            "It costs 10.40; x_concessions.txt:1 leaves at most 10.39 of 13.00 by law.",
        ),
    ],
)
def test_a_planted_fault_is_named_by_its_row(name: str, text: str, place: str, says: str) -> None:
    with pytest.raises(rules.InvalidFeed) as caught:
        rules.read_feed(with_file(name, text) | {"calendar.txt": CALENDAR.encode()})
    assert says in " ".join(caught.value.fields.get(place, [])), caught.value.fields


def test_several_currencies_defaults_and_ways_to_name_networks_are_named_by_their_rows() -> None:
    def fields(name: str, old: str, new: str) -> dict[str, list[str]]:
        text = feed_files()[name].decode()
        assert old in text
        with pytest.raises(rules.InvalidFeed) as caught:
            rules.read_feed(with_file(name, text.replace(old, new, 1)))
        return caught.value.fields

    assert list(fields("fare_products.txt", "15.00,PHP", "15.00,EUR")) == ["fare_products.txt:2"]
    assert list(fields("rider_categories.txt", "pwd,Person with disability,0", "pwd,P,1")) == ["rider_categories.txt:4"]
    none = fields("rider_categories.txt", "Regular,1", "Regular,0")
    assert "must be the default" in none["fare_products.txt:3"][0]
    routes = "route_id,agency_id,network_id\nL1,loop,bus\nL2,loop,\nF1,ferry,\nM1,metro,\n"
    with pytest.raises(rules.InvalidFeed) as caught:
        rules.read_feed(with_file("routes.txt", routes))
    assert list(caught.value.fields) == ["routes.txt:1"]
    twice = fields("fare_products.txt", "bus_ride,Bus ride,senior", "bus_ride,Bus ride,regular")
    assert "It repeats row 1" in twice["fare_products.txt:3"][0]


def test_a_negative_fare_is_refused_and_a_negative_transfer_is_not() -> None:
    products = feed_files()["fare_products.txt"].decode()
    heading, first = products.splitlines()[:2]
    with pytest.raises(rules.InvalidFeed, match="1 place of the feed is wrong") as caught:
        rules.read_feed(with_file("fare_products.txt", products.replace("13.00", "-13.00", 1)))
    assert "cannot be negative" in caught.value.fields["fare_products.txt:1"][0]
    rebate = first.replace("bus_ride", "rebate").replace("13.00", "-2.00")
    assert rules.read_feed(with_file("fare_products.txt", f"{products.rstrip()}\n{rebate}\n")).currency == "PHP"
    assert heading.startswith("fare_product_id")


def test_the_demo_feed_and_the_real_one_have_no_fault() -> None:
    for feed in (FEED, zakroczym()):
        assert rules.read_feed(commands.read_files(feed)).tables.leg_rules
