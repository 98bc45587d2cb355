"""Taps in, journeys with explained fares out: worked examples of each step, and wrong rows."""

from datetime import UTC, date, timedelta
from uuid import UUID

import pytest

from cardsvc.transit.rules.compiling import InvalidFareRow, Table
from cardsvc.transit.rules.pricing import HeldCategory, HeldPass, Rider, price
from cardsvc.transit.rules.rides import Ending, TapEvent
from tests.fares import FLAT, IN, LATER, MONDAY, OUT, TRANSFER_COLUMNS, bus, paid, rail, table, tap, tariff, terms

# ------------------------------------------------------------------------------------------------- base, transfers


def test_a_bus_and_a_train_within_the_gap_are_one_journey_with_its_transfer() -> None:
    priced = paid([bus(0), *rail(20, 45)])
    assert [journey.total_cents for journey in priced.journeys] == [1300 + 500]
    assert [line.amount_cents for line in priced.journeys[0].lines or ()] == [1300, 500]


def test_past_the_gap_the_train_is_a_journey_of_its_own() -> None:
    assert [journey.total_cents for journey in paid([bus(0), *rail(61, 80)]).journeys] == [1300, 2025]


def test_what_was_priced_within_a_limit_is_not_taken_for_what_is_beyond_it() -> None:
    limited = table(
        (*TRANSFER_COLUMNS, "duration_limit", "duration_limit_type"), ("bus", "rail", "0", "onward", "1200", "1")
    )
    version = tariff(transfers=limited)
    for gap, expected in ((20, 1800), (21, 3325), (20, 1800), (5, 1800), (40, 3325)):
        taps = [bus(0), *rail(gap, gap + 20)]
        assert price(taps, Rider(), [version], now=LATER).total_cents == expected


def test_an_unknown_stop_is_charged_nothing_and_says_so() -> None:
    (journey,) = paid([tap(0, "bus", "nowhere", FLAT)]).journeys
    assert journey.lines is None


def test_a_journey_is_priced_by_the_version_in_force_when_it_began() -> None:
    versions = [tariff(), tariff(version=2, since=MONDAY + timedelta(minutes=10))]
    priced = price([bus(0), *rail(20, 45), bus(200)], Rider(), versions, now=LATER)
    assert [journey.tariff_version for journey in priced.journeys] == [1, 2]


# ------------------------------------------------------------------------------------------------------ concessions


def test_a_senior_pays_a_fifth_less_by_law_and_half_on_rail_from_its_day() -> None:
    assert paid(rail(0, 30), "senior").total_cents == 1620
    tomorrow = rail(24 * 60, 24 * 60 + 30)
    assert paid(tomorrow, "senior").total_cents == 1012  # 10.125: what rounding would take, the law leaves


def test_what_the_rider_does_not_pay_is_owed_by_the_programme() -> None:
    (line,) = paid([bus(0)], "senior").journeys[0].lines or ()
    assert (line.amount_cents, line.subsidy_cents, line.paid_by) == (1040, 260, "city")


def test_a_cheaper_product_of_the_own_category_counts_instead() -> None:
    assert paid([bus(0)], "student").total_cents == 1200
    assert paid([bus(0)], "student", "senior").total_cents == 1040


def test_a_right_that_ended_yesterday_is_no_right() -> None:
    held = (HeldCategory("senior", date(2027, 1, 1), date(2027, 2, 28)),)
    assert price([bus(0)], Rider(held), [tariff()], now=LATER).total_cents == 1300


# ------------------------------------------------------------------------------------------------------ caps


def test_the_day_cap_ends_paying_and_the_explanation_names_it() -> None:
    priced = paid([bus(120 * number) for number in range(6)])
    assert [journey.total_cents for journey in priced.journeys] == [1300, 1300, 1300, 1300, 800, 0]
    assert [step.name for step in (priced.journeys[4].lines or ())[0].steps] == ["base", "cap"]
    assert (priced.journeys[4].lines or ())[0].steps[1].rule == "x_caps.txt:1 day"


def test_the_week_cap_of_a_network_counts_that_network_alone() -> None:
    days = [bus(24 * 60 * day + 120 * ride) for day in range(3) for ride in range(4)]
    priced = paid([*days, *rail(2 * 24 * 60 + 600, 2 * 24 * 60 + 620)])
    assert sum(j.total_cents or 0 for j in priced.journeys if j.rides[0].network == "bus") == 10_000
    assert priced.journeys[-1].total_cents == 2025


def test_after_midnight_it_is_still_the_fare_day_before() -> None:
    night = (24 - 8) * 60 + 60  # one in the morning
    priced = paid([*[bus(120 * number) for number in range(5)], bus(night), bus(night + 4 * 60)])
    assert [journey.total_cents for journey in priced.journeys][-2:] == [0, 1300]


def test_an_incomplete_ride_neither_counts_to_a_cap_nor_is_capped() -> None:
    taps = [tap(0, "rail", "w", IN), *[bus(200 + 120 * number) for number in range(5)]]
    assert [journey.total_cents for journey in paid(taps).journeys] == [2800, 1300, 1300, 1300, 1300, 800]


# ------------------------------------------------------------------------------------------------ rides


def test_no_exit_costs_the_maximum_once_the_longest_ride_is_over() -> None:
    entry = tap(0, "rail", "w", IN)
    travelling = paid([entry], now=MONDAY + timedelta(minutes=120))
    assert [ride.ending for ride in travelling.journeys[0].rides] == [Ending.OPEN]
    assert travelling.total_cents == 0
    assert paid([entry], now=MONDAY + timedelta(minutes=121)).total_cents == 2800


def test_an_exit_without_an_entry_costs_the_maximum() -> None:
    (journey,) = paid([tap(0, "rail", "w", OUT)]).journeys
    assert (journey.rides[0].ending, journey.total_cents) == (Ending.NO_ENTRY, 2800)


def test_a_ride_too_long_is_two_incomplete_ones() -> None:
    assert [journey.total_cents for journey in paid(rail(0, 121)).journeys] == [2800, 2800]


def test_who_turns_back_at_once_pays_nothing() -> None:
    assert paid(rail(0, 5, "w", "w")).total_cents == 0
    assert paid(rail(0, 6, "w", "w")).total_cents == 2025


def test_the_next_entry_elsewhere_stands_for_the_missing_exit() -> None:
    priced = paid([tap(0, "rail", "w", IN), *rail(80, 100, "e", "m")])
    assert [(ride.ending, ride.to_stop) for journey in priced.journeys for ride in journey.rides] == [
        (Ending.COMPLETED, "e"),
        (Ending.TAPPED, "m"),
    ]
    assert priced.journeys[0].total_cents == 2800


def test_a_late_exit_replaces_the_maximum() -> None:
    entry, leaving = rail(0, 30)
    assert paid([entry]).total_cents == 2800
    assert paid([leaving, entry]).total_cents == 2025


def test_a_tap_at_the_same_gate_within_the_window_is_one() -> None:
    first, second = (tap(0, "bus", "m", FLAT, device=7) for _ in range(2))
    priced = paid([first, second, first])
    assert priced.total_cents == 1300
    assert {again.of for again in priced.again} == {first.tap_id}


# ------------------------------------------------------------------------------------------------ passes


def test_a_pass_pays_its_networks_for_its_time_and_its_rides() -> None:
    month = HeldPass(UUID(int=1), "bus-month", MONDAY, MONDAY + timedelta(days=1), None)
    ten = HeldPass(UUID(int=2), "ten", MONDAY, MONDAY + timedelta(days=2), 1)
    taps = [bus(0), *rail(100, 120), bus(24 * 60)]
    priced = price(taps, Rider(passes=(month, ten)), [tariff()], now=LATER)
    assert [journey.total_cents for journey in priced.journeys] == [0, 0, 1300]


# ------------------------------------------------------------------------------------------------ the files


@pytest.mark.parametrize(
    ("name", "rows", "problem"),
    [
        ("caps", table(("cap_id", "period", "amount"), ("c", "fortnight", "1.00")), "fortnight"),
        ("caps", table(("cap_id", "period", "amount"), ("c", "day", "-1.00")), "negative"),
        ("caps", table(("cap_id", "period", "amount"), ("c", "day", "1")), "decimals"),
        ("concessions", table(("concession_id", "rider_category_id", "percent"), ("c", "s", "101")), "percentage"),
        ("concessions", table(("concession_id", "percent"), ("c", "20")), "rider_category_id"),
        (
            "concessions",
            table(
                ("concession_id", "rider_category_id", "percent", "valid_from", "valid_to"),
                ("c", "s", "20", "20270302", "20270301"),
            ),
            "before it begins",
        ),
        ("settings", table(("journey_gap",), ("1",), ("2",)), "one row"),
        ("settings", table(("journey_gap",), ("-1",)), "number of seconds"),
        ("incomplete", table(("network_id", "maximum_fare", "longest_ride"), ("r", "1.00", "soon")), "soon"),
    ],
)
def test_a_wrong_row_is_named(name: str, rows: Table, problem: str) -> None:
    with pytest.raises(InvalidFareRow, match=problem):
        terms(**{name: rows})


def test_times_of_other_zones_are_the_same_moments() -> None:
    taps = [bus(0), *rail(20, 45)]
    elsewhere = [
        TapEvent(t.tap_id, t.device_id, t.sequence, t.at.astimezone(UTC), t.network, t.stop_id, t.direction)
        for t in taps
    ]
    assert paid(elsewhere).total_cents == paid(taps).total_cents
