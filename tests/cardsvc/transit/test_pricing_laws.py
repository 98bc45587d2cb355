"""What holds for any day of any rider: order, caps, the law's floor, subsidies, versions, passes on sale."""

import itertools
import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardsvc.transit.rules.compiling import InvalidFareRow, Table
from cardsvc.transit.rules.pricing import HeldCategory, Priced, Rider, explained, price
from cardsvc.transit.rules.rides import Direction, TapEvent
from cardsvc.transit.rules.terms import read_terms
from tests.fares import (
    CAP,
    FLAT,
    IN,
    LATER,
    MANILA,
    MONDAY,
    OUT,
    TERMS,
    bus,
    paid,
    rail,
    table,
    tap,
    tariff,
    terms,
)

# ------------------------------------------------------------------------------------------------ laws


_events = st.lists(
    st.tuples(
        st.integers(0, 3 * 24 * 60),
        st.sampled_from(["bus", "rail"]),
        st.sampled_from(["w", "m", "e"]),
        st.sampled_from([IN, OUT]),
    ),
    max_size=14,
)
_categories = st.sets(st.sampled_from(["senior", "student"]))


def made(events: list[tuple[int, str, str, Direction]]) -> list[TapEvent]:
    return [tap(at, network, stop, FLAT if network == "bus" else way) for at, network, stop, way in events]


@settings(max_examples=150)
@given(_events, _categories, st.randoms(use_true_random=False))
def test_order_of_upload_and_replay_change_nothing(
    events: list[tuple[int, str, str, Direction]], categories: set[str], order: random.Random
) -> None:
    taps = made(events)
    first = paid(taps, *categories)
    shuffled = [*taps, *taps[:3]]
    order.shuffle(shuffled)
    assert paid(shuffled, *categories).journeys == first.journeys


@settings(max_examples=150)
@given(_events, _categories)
def test_caps_hold_and_every_amount_is_explained(
    events: list[tuple[int, str, str, Direction]], categories: set[str]
) -> None:
    priced = paid(made(events), *categories)
    spent: dict[date, int] = {}
    for journey in priced.journeys:
        for line in journey.lines or ():
            ride = journey.rides[line.ride]
            assert line.amount_cents >= 0
            assert line.steps[-1].after == line.amount_cents
            assert all(before.after == after.before for before, after in itertools.pairwise(line.steps))
            if not ride.is_incomplete:
                day = terms().fare_day(journey.rides[0].began_at)
                spent[day] = spent.get(day, 0) + line.amount_cents
    assert all(cents <= 6000 for cents in spent.values())
    assert sum(line.amount_cents for lines in explained(priced).values() for line in lines) == priced.total_cents


_caps = st.lists(
    st.tuples(
        st.sampled_from(["", "regular", "senior", "student"]),
        st.sampled_from(["", "bus", "rail"]),
        st.sampled_from(["day", "week"]),
        st.integers(0, 9000).map(lambda cents: f"{cents // 100}.{cents % 100:02}"),
    ),
    max_size=4,
)
_rebates = st.sampled_from(["5.00", "-3.00", "-13.00", "-99.99"])


def capped(rows: Sequence[tuple[str, ...]]) -> Table:
    return table(CAP, *((f"cap-{number}", *row) for number, row in enumerate(rows)))


def priced_with(taps: list[TapEvent], caps: Table, rebate: str, *categories: str) -> Priced:
    held = tuple(HeldCategory(category, date(2027, 1, 1), date(2027, 12, 31)) for category in categories)
    return price(taps, Rider(held), [tariff({"caps": caps}, onward=rebate)], now=LATER)


@settings(max_examples=200)
@given(_events, _caps, _rebates, st.sampled_from([("senior",), ("senior", "student"), ("student", "senior")]))
def test_no_cap_transfer_or_rounding_leaves_a_rider_less_than_the_law_gives(
    events: list[tuple[int, str, str, Direction]], rows: list[tuple[str, ...]], rebate: str, held: tuple[str, ...]
) -> None:
    taps, caps = made(events), capped(rows)
    usual, reduced = priced_with(taps, caps, rebate), priced_with(taps, caps, rebate, *held)
    for full, less in zip(usual.journeys, reduced.journeys, strict=True):
        assert (full.total_cents is None) == (less.total_cents is None)
        assert 0 <= Fraction(less.total_cents or 0) <= Fraction(full.total_cents or 0) * Fraction(80, 100)
        assert all(line.steps[-1].after == line.amount_cents for line in less.lines or ())


@settings(max_examples=100)
@given(_events, _caps)
def test_subsidy_and_fare_are_together_what_anybody_else_would_pay(
    events: list[tuple[int, str, str, Direction]], rows: list[tuple[str, ...]]
) -> None:
    taps, caps = made(events), capped(rows)
    usual, reduced = priced_with(taps, caps, "5.00"), priced_with(taps, caps, "5.00", "senior")
    for full, less in zip(usual.journeys, reduced.journeys, strict=True):
        assert sum(line.amount_cents + line.subsidy_cents for line in less.lines or ()) == (full.total_cents or 0)


@settings(max_examples=100)
@given(_events, _caps, _categories)
def test_every_cap_that_holds_is_kept(
    events: list[tuple[int, str, str, Direction]], rows: list[tuple[str, ...]], categories: set[str]
) -> None:
    spent: dict[tuple[str, date], int] = {}
    found = terms(caps=capped(rows))
    held = frozenset(categories) or frozenset({"regular"})
    for journey in priced_with(made(events), capped(rows), "5.00", *categories).journeys:
        day = found.fare_day(journey.rides[0].began_at)
        for line in journey.lines or ():
            for cap in found.caps if not journey.rides[line.ride].is_incomplete else ():
                if cap.holds(held, line.network):
                    key = cap.cap_id, found.period_of(cap.period, day)
                    spent[key] = spent.get(key, 0) + line.amount_cents
                    assert spent[key] <= cap.amount_cents


def test_a_cap_takes_nothing_of_what_the_law_gives() -> None:
    rows = table(CAP, ("day", "", "", "day", "30.00"))
    taps = [bus(120 * number) for number in range(4)]
    assert [j.total_cents for j in paid(taps, caps=rows).journeys] == [1300, 1300, 400, 0]
    senior = paid(taps, "senior", caps=rows).journeys
    assert [j.total_cents for j in senior] == [1040, 1040, 320, 0]
    (third,) = senior[2].lines or ()
    assert [(step.name, step.rule) for step in third.steps][-1] == ("floor", "x_concessions.txt:1 law")
    assert (third.subsidy_cents, third.paid_by) == (80, "city")


def test_a_promotion_that_is_no_law_may_be_taken_back_by_a_cap() -> None:
    concessions = table(("concession_id", "rider_category_id", "percent", "statutory"), ("summer", "senior", "50", "0"))
    taps = [bus(120 * number) for number in range(6)]
    rows = table(CAP, ("day", "", "", "day", "30.00"))
    assert paid(taps, "senior", caps=rows, concessions=concessions).total_cents == 3000


def test_a_cap_of_the_default_category_is_for_who_has_no_other() -> None:
    rows = table(CAP, ("day", "regular", "", "day", "20.00"), ("less", "senior", "", "day", "12.00"))
    taps = [bus(0), bus(120)]
    assert paid(taps, caps=rows).total_cents == 2000
    assert paid(taps, "senior", caps=rows).total_cents == 1200


def test_a_cap_and_a_concession_of_an_operator_hold_on_all_its_networks_and_no_other() -> None:
    files = TERMS | {
        "x_caps.txt": table(("cap_id", "agency_id", "period", "amount"), ("loop", "loop", "day", "20.00")),
        "x_concessions.txt": table(
            ("concession_id", "rider_category_id", "agency_id", "percent"), ("law", "senior", "loop", "20")
        ),
    }
    found = read_terms(files, currency="PHP", zone=MANILA, agency_of={"bus": "loop", "night": "loop", "rail": "metro"})
    assert found.caps[0].networks == found.concessions[0].networks == {"bus", "night"}
    with pytest.raises(InvalidFareRow, match="no network is run by an agency loop"):
        read_terms(files, currency="PHP", zone=MANILA)


# ------------------------------------------------------------------------------------------ versions, pass-back


def test_a_ride_is_read_by_the_terms_of_its_time_however_late_it_is_priced_again() -> None:
    shorter = table(("network_id", "maximum_fare", "longest_ride"), ("rail", "50.00", "600"))
    before, after = tariff(), tariff({"incomplete": shorter}, 2, MONDAY + timedelta(minutes=200))
    taps = [*rail(0, 45), *rail(300, 345)]
    first = price(taps[:2], Rider(), [before], now=LATER).total_cents
    again = price(taps, Rider(), [before, after], now=LATER)
    assert [journey.total_cents for journey in again.journeys] == [first, 5000, 5000]


def test_a_card_that_is_passed_back_pays_the_full_fare_for_the_other_person() -> None:
    settings_ = table(("duplicate_window", "pass_back_window"), ("30", "120"))
    taps = [tap(minutes, "bus", "m", FLAT, device=7) for minutes in (0, 1, 30)]
    priced = paid(taps, "senior", settings=settings_)
    assert [(j.rides[0].passed_back, j.total_cents) for j in priced.journeys] == [
        (False, 1040),
        (True, 1300),
        (False, 1040),
    ]
    assert paid(taps, "senior").total_cents == 3 * 1040  # without the setting nobody is suspected


@settings(max_examples=60)
@given(_events, _events, _categories)
def test_what_others_ride_and_what_was_remembered_change_nobodys_fare(
    mine: list[tuple[int, str, str, Direction]], others: list[tuple[int, str, str, Direction]], categories: set[str]
) -> None:
    shared, held = tariff(), tuple(HeldCategory(one, date(2027, 1, 1), date(2027, 12, 31)) for one in categories)
    taps = made(mine)
    price(made(others), Rider(), [shared], now=LATER)
    after = price(taps, Rider(held), [shared], now=LATER)
    assert after == price(taps, Rider(held), [tariff()], now=LATER)


# ------------------------------------------------------------------------------------------- passes on sale, days


def test_a_pass_is_good_for_its_fare_days_and_its_rides() -> None:
    found = terms(
        passes=table(
            ("pass_id", "pass_name", "network_id", "amount", "days", "rides"),
            ("two-days", "Two days", "bus", "40.00", "2", ""),
            ("three", "", "bus", "30.00", "", "3"),
            ("three", "", "rail", "", "", ""),
        )
    )
    assert found.passes["three"].networks == {"bus", "rail"}
    assert (found.passes["three"].name, found.passes["three"].amount_cents, found.passes["three"].rides) == (
        "three",
        3000,
        3,
    )
    begins, ends = found.pass_window("two-days", date(2027, 3, 1))
    four = timedelta(hours=4)
    assert (begins, ends) == (
        datetime(2027, 3, 1, tzinfo=MANILA) + four,
        datetime(2027, 3, 3, tzinfo=MANILA) + four,
    )
    assert found.pass_window("three", date(2027, 3, 1))[1] > LATER


def test_a_week_of_fare_days_ends_on_monday_at_the_start_of_the_fare_day() -> None:
    rows = table(CAP, ("week", "", "bus", "week", "20.00"))
    to_next_monday = 7 * 24 * 60 - 4 * 60  # from eight on Monday to four on the next
    taps = [bus(0), bus(120), bus(to_next_monday - 61), bus(to_next_monday)]
    assert [journey.total_cents for journey in paid(taps, caps=rows).journeys] == [1300, 700, 0, 1300]


def test_a_journey_belongs_to_the_fare_day_on_which_it_began() -> None:
    rows = table(CAP, ("day", "", "bus", "day", "20.00"))
    four = 20 * 60
    (journey,) = paid([bus(four - 30), bus(four + 10)], caps=rows).journeys
    assert journey.total_cents == 2000
