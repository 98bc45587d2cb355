"""Taps in, journeys with explained fares out: worked examples of each step, and the laws that hold for any day."""

import itertools
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardsvc.transit.rules.compiling import InvalidFareRow, Table, compile_tables
from cardsvc.transit.rules.journeys import FareEngine
from cardsvc.transit.rules.pricing import HeldCategory, HeldPass, Priced, Rider, explained, price
from cardsvc.transit.rules.rides import Direction, Ending, TapEvent
from cardsvc.transit.rules.tariffs import TariffVersion
from cardsvc.transit.rules.terms import Terms, read_terms

MANILA = ZoneInfo("Asia/Manila")
MONDAY = datetime(2027, 3, 1, 8, tzinfo=MANILA)
LATER = MONDAY + timedelta(days=40)
IN, OUT, FLAT = Direction.IN, Direction.OUT, Direction.FLAT


def table(*rows: Sequence[str]) -> Table:
    heading = rows[0]
    return Table(frozenset(heading), tuple(dict(zip(heading, row, strict=True)) for row in rows[1:]))


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
CAP = ("cap_id", "rider_category_id", "network_id", "period", "amount")


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
