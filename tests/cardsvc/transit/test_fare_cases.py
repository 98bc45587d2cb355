"""Fares v2: the cases that came with the project, worked amounts, and what must hold for any tables."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from cardsvc.transit import commands, rules
from tests import testdata

COUNT = 43


def document() -> dict[str, Any]:
    found = json.loads((testdata.folder("fares") / "cases.json").read_bytes())
    assert isinstance(found, dict)
    return found


def test_every_given_case_is_priced_as_it_wants() -> None:
    checked = rules.check_cases(document())
    assert len(checked) == COUNT
    assert [case for case in checked if not case.ok] == []


def test_a_wrong_total_is_found() -> None:
    planted = document()
    planted["cases"][4]["want"] = "0.01"
    wrong = [case for case in rules.check_cases(planted) if not case.ok]
    assert [case.number for case in wrong] == [5]


@pytest.mark.parametrize("number", range(COUNT))
def test_the_order_of_rows_does_not_matter(number: int) -> None:
    shuffled = document()
    for feed in shuffled["feeds"].values():
        _turn_round(feed)
    case = shuffled["cases"][number]
    if isinstance(case["feed"], dict):
        _turn_round(case["feed"])
    _turn_round(case)
    assert rules.check_cases(shuffled)[number].ok


def _turn_round(files: dict[str, Any]) -> None:
    for name, rows in files.items():
        if name.startswith("fare_") or name in ("timeframes", "stop_areas", "rider_categories"):
            files[name] = [rows[0], *reversed(rows[1:])] if rows and isinstance(rows[0], list) else rows


BASE = {
    "agency_timezone": "Asia/Manila",
    "currency": "PHP",
    "date": "2027-03-02",
    "routes": {"A": "bus", "B": "rail", "C": "ferry"},
    "stops": {"w": {}, "x": {}, "y": {}, "z": {}},
    "calendar": {},
}
PRODUCTS = [["fare_product_id", "amount"], ["a", "13.00"], ["b", "20.00"], ["c", "30.00"]]
PRODUCTS += [["ab", "3.00"], ["bc", "5.00"], ["less", "-7.00"], ["both", "25.00"]]
LEG_RULES = [["leg_group_id", "network_id", "fare_product_id"], ["bus", "bus", "a"], ["rail", "rail", "b"]]
LEG_RULES += [["ferry", "ferry", "c"]]
TRANSFER = ["from_leg_group_id", "to_leg_group_id", "fare_transfer_type", "fare_product_id"]
LEGS = [
    ["A", "w", "x", "07:00", "07:20"],
    ["B", "x", "y", "07:30", "07:50"],
    ["C", "y", "z", "08:00", "08:20"],
]


def total(transfers: list[list[Any]], legs: list[list[str]], **files: Any) -> Any:
    feed = {"fare_products": PRODUCTS, "fare_leg_rules": LEG_RULES, "fare_transfer_rules": [TRANSFER, *transfers]}
    case = {"feed": feed | files, "legs": legs, "want": ""}
    (checked,) = rules.check_cases({"base": BASE, "feeds": {}, "cases": [case]})
    assert not checked.problem
    return checked.got


@pytest.mark.parametrize(
    ("transfers", "want"),
    [
        ([], "33.00"),
        ([["bus", "rail", 0, "ab"]], "16.00"),
        ([["bus", "rail", 1, "ab"]], "36.00"),
        ([["bus", "rail", 1, "less"]], "26.00"),
        ([["bus", "rail", 2, "both"]], "25.00"),
        ([["bus", "rail", 0, ""]], "13.00"),
        ([["rail", "bus", 0, "ab"]], "33.00"),
    ],
)
def test_the_worked_amounts_of_two_rides(transfers: list[list[Any]], want: str) -> None:
    assert total(transfers, LEGS[:2]) == want


@pytest.mark.parametrize(
    ("first", "second", "want"),
    [
        (0, 0, "21.00"),
        (1, 1, "71.00"),
        (2, 2, "8.00"),
        (0, 2, "21.00"),
        (2, 0, "8.00"),
        (2, 1, "38.00"),
        (1, 2, "41.00"),
    ],
)
def test_the_worked_amounts_of_three_rides(first: int, second: int, want: str) -> None:
    assert total([["bus", "rail", first, "ab"], ["rail", "ferry", second, "bc"]], LEGS) == want


def test_a_leg_that_no_rule_fits_makes_the_whole_fare_unknown() -> None:
    assert total([], LEGS, fare_leg_rules=LEG_RULES[:3]) is None


def test_an_area_listed_for_another_network_is_unknown_not_free() -> None:
    rows = [
        ["leg_group_id", "network_id", "from_area_id", "fare_product_id"],
        ["bus", "bus", "", "a"],
        ["rail", "rail", "inner", "b"],
    ]
    areas = [["area_id", "stop_id"], ["inner", "w"]]
    assert total([], LEGS[:1], fare_leg_rules=rows, stop_areas=areas) is None


def test_two_rides_past_the_count_begin_a_new_fare() -> None:
    rows = [[*TRANSFER, "transfer_count"], ["bus", "bus", 0, "", 1]]
    again = [["A", "w", "x", "07:00", "07:05"], ["A", "x", "w", "07:10", "07:15"], ["A", "w", "x", "07:20", "07:25"]]
    assert total([], again, fare_transfer_rules=rows) == "26.00"


def test_the_limit_of_a_chain_runs_from_its_first_ride() -> None:
    rows = [
        [*TRANSFER, "transfer_count", "duration_limit", "duration_limit_type"],
        ["bus", "bus", 0, "", -1, 3600, 1],
    ]
    rides = [["A", "w", "x", f"{hour:02}:{minute:02}", f"{hour:02}:{minute + 5:02}"] for hour, minute in _HALF_HOURS]
    assert total([], rides, fare_transfer_rules=rows) == "26.00"


_HALF_HOURS = [(7, 0), (7, 30), (8, 0), (8, 30)]


def test_after_midnight_the_next_day_counts() -> None:
    frames = [["timeframe_group_id", "start_time", "end_time", "service_id"], ["night", "00:00", "05:00", "tuesdays"]]
    rows = [
        ["leg_group_id", "network_id", "from_timeframe_group_id", "fare_product_id"],
        ["bus", "bus", "night", "ab"],
    ]
    case = {
        "feed": {"fare_products": PRODUCTS, "fare_leg_rules": rows, "timeframes": frames},
        "legs": [["A", "w", "x", "2027-03-01T24:30", "2027-03-01T24:50"]],  # Monday's service, Tuesday's clock
        "want": "3.00",
    }
    base = BASE | {"calendar": {"tuesdays": "Tuesday"}}
    (checked,) = rules.check_cases({"base": base, "feeds": {}, "cases": [case]})
    assert checked.ok


def priced(feed: dict[str, Any], legs: list[list[str]], base: dict[str, Any] | None = None, **case: Any) -> Any:
    document = {"base": BASE | (base or {}), "feeds": {}, "cases": [{"feed": feed, "legs": legs, "want": "", **case}]}
    (checked,) = rules.check_cases(document)
    assert not checked.problem, checked.problem
    return checked.got


RAIL_IN_TWO_ZONES = [
    ["network_id", "from_area_id", "to_area_id", "fare_product_id"],
    ["rail", "near", "near", "a"],
    ["rail", "near", "far", "b"],
    ["rail", "far", "far", "c"],
]
STATION = {"stops": {"s": {"location_type": 1}, "p": {"parent_station": "s"}, "q": {"parent_station": "s"}, "x": {}}}


def test_a_platform_is_in_the_areas_of_its_station_unless_it_has_its_own() -> None:
    areas = [["area_id", "stop_id"], ["near", "s"], ["far", "q"], ["far", "x"]]
    feed = {"fare_products": PRODUCTS, "fare_leg_rules": RAIL_IN_TWO_ZONES, "stop_areas": areas}
    assert priced(feed, [["B", "p", "x", "07:00", "07:20"]], STATION) == "20.00"
    assert priced(feed, [["B", "q", "x", "07:00", "07:20"]], STATION) == "30.00"
    assert priced(feed, [["B", "x", "p", "07:00", "07:20"]], STATION) is None  # no rule leads from far to near


@pytest.mark.parametrize(("station", "platform", "want"), [("Asia/Tokyo", "", "5.00"), ("", "Asia/Tokyo", None)])
def test_a_platform_keeps_the_time_of_its_station_even_where_that_names_none(
    station: str, platform: str, want: str | None
) -> None:
    stops = {"s": {"stop_timezone": station}, "p": {"parent_station": "s", "stop_timezone": platform}, "x": {}}
    frames = [["timeframe_group_id", "start_time", "end_time", "service_id"], ["late", "23:00", "24:00", "any"]]
    rows = [["network_id", "from_timeframe_group_id", "fare_product_id"], ["bus", "late", "bc"]]
    feed = {"fare_products": PRODUCTS, "fare_leg_rules": rows, "timeframes": frames}
    base = {"stops": stops, "calendar": {"any": "every day"}}
    assert priced(feed, [["A", "p", "x", "22:30", "22:40"]], base) == want  # half past eleven in Tokyo


def test_the_end_of_a_ride_has_a_timeframe_of_its_own() -> None:
    frames = [["timeframe_group_id", "start_time", "end_time", "service_id"], ["peak", "07:00", "09:00", "any"]]
    rows = [
        ["network_id", "from_timeframe_group_id", "to_timeframe_group_id", "fare_product_id", "rule_priority"],
        ["bus", "", "", "a", ""],
        ["bus", "peak", "peak", "b", 1],
    ]
    feed = {"fare_products": PRODUCTS, "fare_leg_rules": rows, "timeframes": frames}
    base = {"calendar": {"any": "every day"}}
    assert priced(feed, [["A", "w", "x", "08:00", "08:59"]], base) == "20.00"
    assert priced(feed, [["A", "w", "x", "08:00", "09:00"]], base) == "13.00"
    assert priced(feed, [["A", "w", "x", "06:59", "07:30"]], base) == "13.00"


def test_of_rules_with_the_same_priority_the_cheapest_counts() -> None:
    rows = [["network_id", "fare_product_id", "rule_priority"], ["bus", "b", 2], ["bus", "c", 2], ["", "ab", 1]]
    feed = {"fare_products": PRODUCTS, "fare_leg_rules": rows}
    assert priced(feed, LEGS[:1]) == "20.00"
    assert priced(feed, LEGS[1:2]) == "3.00"


def test_three_rides_become_one_and_a_transfer_follows_from_all_of_them() -> None:
    joins = [["from_network_id", "to_network_id", "from_stop_id", "to_stop_id"], ["rail", "rail", "", ""]]
    rides = [["B", "w", "x", "07:00", "07:10"], ["B", "x", "y", "07:12", "07:20"], ["B", "y", "z", "07:22", "07:30"]]
    onward = [["C", "z", "w", "07:40", "08:00"]]
    limited: list[list[Any]] = [
        [*TRANSFER, "duration_limit", "duration_limit_type"],
        ["rail", "ferry", 0, "bc", 3600, 0],  # from the first departure to the last arrival: exactly an hour
    ]
    feed = {"fare_products": PRODUCTS, "fare_leg_rules": LEG_RULES}
    assert priced(feed, rides, fare_leg_join_rules=joins) == "20.00"
    assert priced(feed, rides + onward, fare_leg_join_rules=joins, fare_transfer_rules=limited) == "25.00"
    limited[1][4] = 3599
    assert priced(feed, rides + onward, fare_leg_join_rules=joins, fare_transfer_rules=limited) == "50.00"


def test_after_a_ride_that_begins_a_new_fare_the_count_begins_again() -> None:
    rows = [[*TRANSFER, "transfer_count"], ["bus", "bus", 0, "ab", 1]]
    rides = [["A", "w", "x", f"07:{minute:02}", f"07:{minute + 5:02}"] for minute in (0, 10, 20, 30)]
    assert total([], rides, fare_transfer_rules=rows) == "32.00"  # 13 + 3, and again


def test_a_journey_with_no_fare_on_any_medium_is_unknown_however_the_case_says_so() -> None:
    products = [["fare_product_id", "fare_media_id", "amount"], ["a", "card", "13.00"]]
    feed = {"fare_media": ["card"], "fare_products": products, "fare_leg_rules": LEG_RULES[:2]}
    wanted: tuple[Any, ...] = (None, {})
    for want in wanted:
        case = {"feed": feed, "legs": LEGS[:2], "want": want}
        (checked,) = rules.check_cases({"base": BASE, "feeds": {}, "cases": [case]})
        assert checked.ok


_groups = st.sampled_from(["bus", "rail", "ferry", ""])
_transfers = st.lists(
    st.tuples(_groups, _groups, st.sampled_from([0, 1, 2]), st.sampled_from(["", "ab", "bc", "less", "both"])).map(
        list
    ),
    max_size=6,
)


@settings(max_examples=60)
@given(_transfers, st.lists(st.sampled_from(LEGS), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_total_is_found_whatever_the_rules_and_whatever_their_order(
    transfers: list[list[Any]], rides: list[list[str]], shuffle: Any
) -> None:
    found = total(transfers, rides)
    assert found is not None
    shuffle.shuffle(transfers)
    assert total(transfers, rides) == found


# ------------------------------------------------------------------------------------------------- the command


def run(path: Path) -> Any:
    return CliRunner().invoke(commands.transit, ["check-cases", str(path), "--json"])


def test_the_command_says_that_all_agree() -> None:
    result = run(testdata.folder("fares") / "cases.json")
    assert result.exit_code == 0
    assert json.loads(result.output) == {"ok": True, "cases": COUNT, "agree": COUNT, "differing": []}


def test_the_command_lists_what_differs_and_what_cannot_be_read(tmp_path: Path) -> None:
    planted = document()
    planted["cases"] = copy.deepcopy(planted["cases"][:3])
    planted["cases"][0]["want"] = "1.00"
    planted["cases"][1]["legs"][0][0] = "nowhere"
    path = tmp_path / "cases.json"
    path.write_text(json.dumps(planted))
    result = run(path)
    assert result.exit_code == 1
    differing = json.loads(result.output)["differing"]
    assert [case["number"] for case in differing] == [1, 2]
    assert differing[0]["got"] == "43.00"
    assert differing[1]["problem"] == "The fare cases cannot be read: there is no route nowhere."


@pytest.mark.parametrize("content", [b"", b"[]", b'{"cases": 1}', b"\xff"])
def test_what_is_no_file_of_cases_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "cases.json"
    path.write_bytes(content)
    result = run(path)
    assert isinstance(result.exception, rules.InvalidCases)


@pytest.mark.parametrize("case", [None, 3, {}, {"want": None}, {"want": None, "feed": "none", "legs": []}])
def test_a_case_that_cannot_be_read_is_named_and_the_others_go_on(case: Any) -> None:
    given_cases = document()
    given_cases["cases"] = [case, given_cases["cases"][0]]
    first, second = rules.check_cases(given_cases)
    assert first.problem
    assert second.ok
