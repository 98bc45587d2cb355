"""Laws of charging: whatever the order in which taps arrive, the differences come to what the rider's taps cost."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from cardsvc.transit import rules
from cardsvc.transit.rules import charging, explaining, resuming
from cardsvc.transit.rules.charging import Charged, Pockets
from cardsvc.transit.rules.pricing import HeldCategory, HeldPass, Rider, price
from cardsvc.transit.rules.rides import NEVER_AGAIN, Direction, Ride, TapEvent

FEED = rules.read_feed(
    {path.name: path.read_bytes() for path in (Path(__file__).parents[3] / "demo" / "city" / "gtfs").glob("*.txt")}
)
MONDAY = datetime(2026, 11, 2, 1, tzinfo=UTC)  # nine in the morning in the city
TARIFF = rules.TariffVersion(1, MONDAY, rules.FareEngine(FEED.tables), FEED.terms, FEED.card_medium)
AGENCIES = {1: {"bus": "loop", "ferry": "ferry", "rail": "metro"}}
SENIOR = Rider((HeldCategory("senior", date(2026, 1, 1), date(2027, 12, 31)),))
WAYS = (
    ("bus", "ayala", Direction.FLAT),
    ("ferry", "pier-guadalupe", Direction.FLAT),
    ("rail", "metro-magallanes", Direction.IN),
    ("rail", "metro-ayala", Direction.OUT),
    ("rail", "metro-university", Direction.OUT),
)


@st.composite
def taps(draw: st.DrawFn) -> list[TapEvent]:
    """Up to a dozen taps of one rider within five days, at three gates."""
    made = draw(st.lists(st.tuples(st.sampled_from(WAYS), st.integers(0, 5 * 24 * 60), st.integers(1, 3)), max_size=12))
    return [
        TapEvent(UUID(int=number), UUID(int=gate), number, MONDAY + timedelta(minutes=minute), network, stop, direction)
        for number, ((network, stop, direction), minute, gate) in enumerate(made, 1)
    ]


def row_of(tap: TapEvent) -> resuming.Row:
    at_ms = (tap.at - MONDAY) // timedelta(milliseconds=1)
    facts = tap.tap_id.hex, at_ms, tap.sequence, tap.device_id.hex, tap.network, tap.stop_id, tap.direction.value
    return at_ms, tap.sequence, " ".join(map(str, facts)) + ";"


def event_of(row: resuming.Row) -> TapEvent:
    at_ms, sequence, text = row
    tap_id, _, _, device_id, network, stop, direction = text.rstrip(";").split(" ")
    ids, at = (UUID(tap_id), UUID(device_id)), MONDAY + timedelta(milliseconds=at_ms)
    return TapEvent(*ids, sequence, at, network, stop, Direction(direction))


def known_taps(events: Sequence[TapEvent] = ()) -> resuming.Taps:
    return resuming.Taps(map(row_of, events), resuming.quiet_time([TARIFF]), event_of)


def arriving(events: Sequence[TapEvent], rider: Rider) -> list[Charged]:
    """All charges, with the taps taken one after the other in this order."""
    charged: list[Charged] = []
    taps = known_taps()
    for event in events:
        taps.add(row_of(event), event)
        begin = taps.begin(row_of(event))
        window = charging.Windows([TARIFF]).of(event.at)
        journeys = taps.price(begin, rider, (TARIFF,))
        now = charging.standing(journeys, [TARIFF], AGENCIES, window.since)
        priced = {tap.tap_id for tap in taps.since(begin)}
        before = [one for one in charged if one.fare_day >= window.since and one.ride_id in priced]
        charged += (change.charged for change in charging.changes(now, charging.by_ride(before), event.tap_id))
    return charged


PASS = HeldPass(UUID(int=77), "rail-ten", MONDAY, MONDAY + timedelta(days=60), 3)


@settings(max_examples=60, deadline=None)
@given(st.lists(taps(), min_size=1, max_size=4), st.sampled_from([Rider(), SENIOR, Rider(passes=(PASS,))]))
def test_a_remembered_past_prices_the_rest_as_the_whole_does(weeks: list[list[TapEvent]], rider: Rider) -> None:
    events = [
        tap._replace(tap_id=UUID(int=1000 * week + tap.tap_id.int), at=tap.at + timedelta(days=2 * week))
        for week, some in enumerate(weeks)
        for tap in some
    ]
    whole = price(events, rider, [TARIFF], now=NEVER_AGAIN).journeys
    taps_ = known_taps(events)
    for event in events:
        begin = taps_.begin(row_of(event))
        rest = taps_.price(begin, rider, (TARIFF,))
        assert rest == (whole[-len(rest) :] if rest else ())
        first = {ride.first_tap.tap_id for journey in rest for ride in journey.rides}
        assert first <= {tap.tap_id for tap in taps_.since(begin)}


@settings(max_examples=60, deadline=None)
@given(taps(), st.randoms(use_true_random=False), st.sampled_from([Rider(), SENIOR, Rider(passes=(PASS,))]))
def test_what_each_batch_leaves_behind_prices_the_next_as_the_whole_does(
    events: list[TapEvent], random: Random, rider: Rider
) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    for number, event in enumerate(shuffled):
        known = known_taps(shuffled[:number])  # as they are read for every batch
        known.add(row_of(event), event)
        rest = known.price(known.begin(row_of(event)), rider, (TARIFF,))
        known.remember(rider, (TARIFF,))
        whole = price(shuffled[: number + 1], rider, [TARIFF], now=NEVER_AGAIN).journeys
        assert rest == (whole[-len(rest) :] if rest else ())


def test_an_explanation_is_canonical_json() -> None:
    events = [
        TapEvent(UUID(int=n), UUID(int=1), n, MONDAY + timedelta(minutes=125 * n), "bus", "ayala", Direction.FLAT)
        for n in range(9)
    ]
    journeys = price(events, Rider(), [TARIFF], now=NEVER_AGAIN).journeys
    texts = [explaining.explain(journey, 0) for journey in journeys]
    for text in texts:
        assert text == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    told = [explaining.read(text) for text in texts]
    assert [one["began_at"] for one in told] == [event.at.isoformat() for event in events]
    assert [one["fare_cents"] for one in told] == [journey.total_cents for journey in journeys]
    assert {one["capped"] for one in told} == {False, True}


def sums(charged: Sequence[Charged]) -> dict[tuple[UUID, str], tuple[int, int]]:
    """What each ride comes to, by who pays the rest of it."""
    found: dict[tuple[UUID, str], tuple[int, int]] = {}
    for one in charged:
        fare, subsidy = found.get((one.ride_id, one.network), (0, 0))
        found[one.ride_id, one.network] = fare + one.fare_cents, subsidy + one.subsidy_cents
    return {key: cents for key, cents in found.items() if any(cents)}


@settings(max_examples=40, deadline=None)
@given(taps(), st.randoms(use_true_random=False), st.sampled_from([Rider(), SENIOR, Rider(passes=(PASS,))]))
def test_the_order_of_arrival_never_changes_what_is_charged(events: list[TapEvent], random: Random, who: Rider) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)
    assert sums(arriving(events, who)) == sums(arriving(shuffled, who))


@settings(max_examples=40, deadline=None)
@given(taps(), st.sampled_from([Rider(), SENIOR, Rider(passes=(PASS,))]))
def test_what_was_charged_is_what_the_engine_says_and_what_operators_get(events: list[TapEvent], rider: Rider) -> None:
    charged = arriving(events, rider)
    priced = price(events, rider, [TARIFF], now=NEVER_AGAIN)
    fare, subsidy = sum(one.fare_cents for one in charged), sum(one.subsidy_cents for one in charged)
    assert fare == priced.total_cents
    posted = charging.to_operators(charging.Change(one, "") for one in charged)
    revenue = -sum(cents for code, cents in posted.items() if code.startswith("revenue:"))
    assert revenue == fare + subsidy
    assert sum(cents for code, cents in posted.items() if code.startswith("expense:")) == subsidy


@settings(max_examples=40, deadline=None)
@given(taps())
def test_no_cap_is_exceeded_and_a_senior_never_pays_more_than_the_law_leaves(events: list[TapEvent]) -> None:
    # who comes along on the same card pays the usual fare, which no cap of the holder's covers
    passed_back = any(ride.passed_back for journey in _journeys(events) for ride in journey)
    usual, senior = sums(arriving(events, Rider())), sums(arriving(events, SENIOR))
    assert passed_back or sum(fare for fare, _ in senior.values()) * 5 <= sum(fare for fare, _ in usual.values()) * 4
    by_day: dict[date, int] = {}
    for one in arriving(events, Rider()):
        if one.network == "bus":
            by_day[one.fare_day] = by_day.get(one.fare_day, 0) + one.fare_cents
    assert passed_back or all(cents <= 104_00 for cents in by_day.values())


def _journeys(events: Sequence[TapEvent]) -> list[tuple[Ride, ...]]:
    return [journey.rides for journey in price(events, Rider(), [TARIFF], now=NEVER_AGAIN).journeys]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(-30, 30).filter(bool), max_size=20))
def test_what_goes_back_is_never_more_than_was_taken_from_a_purse(moves: list[int]) -> None:
    sources = ("purse", "main")
    pockets = Pockets("owed", {"purse": 20, "main": 20}, {}, 0)
    paid = 0
    for move in moves:
        if move > 0:
            pockets.pay(move, sources)
            paid += move
        elif -move <= paid:
            paid += move
            assert sum(pockets.give_back(-move, sources).values()) == -move
        assert pockets.balances["purse"] <= 20
        assert pockets.owed_cents >= 0
        assert 40 - sum(pockets.balances.values()) + pockets.owed_cents == paid
