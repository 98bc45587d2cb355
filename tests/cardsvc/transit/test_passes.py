"""Passes: bought with card and PIN, used by rides, taken back by finance; refused where anything is off."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from cardsvc import ledger, transit
from cardsvc.clock import MANILA
from cardsvc.transit import riding, versions
from cardsvc.transit.passes import Holding
from cardsvc.transit.riding.queries import RideView
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought, Tap
from tests.town import BUS_CENTS, Person, Result, Terminal, Town, tap

P, C = Purpose.PRESENCE, Purpose.CONSENT
WEEK_CENTS, TEN_CENTS, MONTH_CENTS = 150_00, 180_00, 1200_00
PRICES = {"bus-week": WEEK_CENTS, "rail-ten": TEN_CENTS, "city-month": MONTH_CENTS}
POOL = "liability:transit:pass:city-month"


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person(5_000_00)


def wanted(town: Town, pass_id: str = "bus-week", *, begins: date | None = None, **other: Any) -> PassBought:
    facts: dict[str, Any] = {"tariff_version": 1, "amount_cents": PRICES.get(pass_id, 1), "currency": "PHP"} | other
    return PassBought(pass_id=pass_id, begins=begins or town.today(), **facts)


def buy(town: Town, person: Person, pass_id: str = "bus-week", **other: Any) -> Result:
    return town.kiosk().send_one(wanted(town, pass_id, **other), person.signs(C))


def bought(town: Town, person: Person, pass_id: str = "bus-week", **other: Any) -> Result:
    result = buy(town, person, pass_id, **other)
    assert result.outcome == "accepted", result
    return result


def ride(town: Town, gate: Terminal, person: Person, minutes: int = 5) -> None:
    town.clock.advance(timedelta(minutes=minutes))
    result = gate.send_one(tap(), person.signs(P))
    assert result.outcome == "accepted", result


def by_rail(town: Town, gate: Terminal, person: Person) -> None:
    """From one station to the next and out again."""
    for stop, direction, shown in (("metro-magallanes", "in", 28_00), ("metro-ayala", "out", 0)):
        town.clock.advance(timedelta(minutes=20))
        result = gate.send_one(Tap("rail", stop, direction, shown, "PHP", 1, 1), person.signs(P))
        assert result.outcome == "accepted", result
    town.clock.advance(timedelta(hours=3))


def held(town: Town, person: Person) -> list[Holding]:
    return town.run(lambda session: transit.held(session, person.wallet_id, town.clock.now()))


def rides(town: Town, person: Person) -> list[RideView]:
    return town.run(lambda session: riding.rides(session, person.wallet_id))


def take_back(town: Town, result: Result) -> Any:
    asked = {"entry_id": str(result.record_id), "reason": "Sold by mistake"}
    return town.act("/v1/finance/reversals", "finance", **asked)


def test_a_pass_is_bought_with_card_and_pin_and_rides_under_it_cost_nothing(town: Town, ana: Person) -> None:
    sold = bought(town, ana)
    assert town.verified(sold).amount_cents == WEEK_CENTS
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS
    gate = town.validator()
    for _ in range(3):
        ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS
    assert town.balance_of("revenue:transit:loop") == [WEEK_CENTS]
    for one in rides(town, ana):
        assert (one.fare_cents, [(step.step, step.rule) for step in one.steps]) == (0, [("pass", "pass bus-week")])
    [mine] = held(town, ana)
    assert (mine.holding_id, mine.name, mine.networks) == (sold.record_id, "Bus for a week", ("bus",))
    assert (mine.rides_left, mine.valid_from) == (None, town.clock.now() - timedelta(minutes=15))
    assert mine.valid_to == mine.valid_from.replace(hour=20) + timedelta(days=6)  # four in the morning, a week on
    town.check()


def test_the_entry_says_which_pass_it_is_and_by_which_tariff(town: Town, ana: Person) -> None:
    sold = bought(town, ana)
    assert sold.record_id is not None
    entry = town.run(lambda session: ledger.entry(session, sold.record_id))  # type: ignore[arg-type]
    assert (entry.kind, entry.rule, dict(entry.metadata)) == (
        ledger.EntryKind.PASS_BOUGHT,
        "transit/pass/1#1",
        {"pass": "bus-week"},
    )


def test_a_pass_of_several_operators_waits_to_be_divided_by_finance(town: Town, ana: Person) -> None:
    assert town.balance_of(POOL) == [0]  # opened with the feed
    bought(town, ana, "city-month")
    ride(town, town.validator(), ana)
    assert town.balance_of(POOL, "revenue:transit:loop") == [MONTH_CENTS, 0]
    assert town.balance(ana) == 5_000_00 - MONTH_CENTS
    town.check()


def test_ten_rides_are_used_up_and_the_eleventh_is_charged(town: Town, ana: Person) -> None:
    bought(town, ana, "rail-ten")
    gate = town.validator()
    for left in (9, 8, 7):
        by_rail(town, gate, ana)
        assert [one.rides_left for one in held(town, ana)] == [left]
    for _ in range(7):
        by_rail(town, gate, ana)
    assert (town.balance(ana), [one.rides_left for one in held(town, ana)]) == (5_000_00 - TEN_CENTS, [0])
    by_rail(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - TEN_CENTS - 15_00
    town.check()


def test_a_pass_that_begins_today_begins_when_it_is_sold_and_nothing_before_changes(town: Town, ana: Person) -> None:
    gate = town.validator()
    ride(town, gate, ana)
    town.clock.advance(timedelta(minutes=1))
    bought(town, ana)
    late = town.clock.now() - timedelta(seconds=30)
    town.clock.advance(timedelta(minutes=5))
    assert gate.send_one(tap(), ana.signs(P), at=late).outcome == "accepted"  # ridden before, it came after
    ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS - 2 * BUS_CENTS
    town.check()


def test_a_ride_that_a_gate_ahead_of_the_citys_clock_took_before_stays_as_it_was_charged(
    town: Town, ana: Person
) -> None:
    gate = town.validator()
    ahead = town.clock.now() + timedelta(minutes=4)
    assert gate.send_one(tap(), ana.signs(P), at=ahead).outcome == "accepted"
    bought(town, ana)
    for _ in range(2):
        ride(town, gate, ana, minutes=10)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS - BUS_CENTS
    assert [one.fare_cents for one in rides(town, ana)] == [0, 0, BUS_CENTS]
    town.check()


def test_a_pass_that_would_be_good_for_no_time_is_not_sold(town: Town, ana: Person) -> None:
    feed = town.run(lambda session: versions.files_of(session, 1))
    feed["x_passes.txt"] += b"bus-day,Bus for a day,bus,40.00,1,\n"
    now = town.clock.now()
    town.run(lambda session: transit.import_feed(session, feed, valid_from=now, by=ana.resident_id, now=now))
    today = town.today()
    day_ends = datetime(today.year, today.month, today.day, 4, tzinfo=MANILA) + timedelta(days=1)
    town.clock.advance(day_ends - town.clock.now() - timedelta(minutes=2))
    ahead = town.clock.now() + timedelta(minutes=4)
    assert town.validator().send_one(tap(), ana.signs(P), at=ahead).outcome == "accepted"
    before = town.balance(ana)
    day: dict[str, Any] = {"tariff_version": 2, "amount_cents": 40_00}
    refused = buy(town, ana, "bus-day", begins=today, **day)
    assert (refused.reason, town.balance(ana), held(town, ana)) == ("not_permitted", before, [])
    town.clock.advance(timedelta(minutes=5))  # the day after
    assert buy(town, ana, "bus-day", begins=today + timedelta(days=1), **day).outcome == "accepted"
    town.check()


def test_a_pass_for_a_later_day_counts_from_that_day_on(town: Town, ana: Person) -> None:
    bought(town, ana, begins=town.today() + timedelta(days=2))
    gate = town.validator()
    ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS - BUS_CENTS
    town.clock.advance(timedelta(days=2))
    ride(town, gate, ana)
    town.clock.advance(timedelta(days=7))
    ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS - 2 * BUS_CENTS
    assert held(town, ana) == []
    town.check()


def test_money_for_rides_pays_before_the_wallet_does(town: Town, ana: Person) -> None:
    town.cycle(ana)
    town.fund(1_000_00, "benefits:RICE:fund")
    purse = {"name": "rides-2026", "purpose": "transit", "source": "benefits:RICE:fund"}
    path = f"/v1/wallets/{ana.wallet_id}/purses"
    assert town.act(path, "treasurer", **purse, amount_cents=50_00, currency="PHP")["outcome"] == "accepted"
    sold = bought(town, ana)
    assert town.balance_of(f"wallet:{ana.wallet_id}:purse:rides-2026", f"wallet:{ana.wallet_id}:main") == [0, 4_900_00]
    assert take_back(town, sold)["outcome"] == "accepted"
    assert town.balance_of(f"wallet:{ana.wallet_id}:purse:rides-2026") == [50_00]
    town.check()


def test_what_is_off_is_refused_and_nothing_is_taken(town: Town, ana: Person) -> None:
    today = town.today()
    for reason, asked in (
        ("wrong_amount", wanted(town, amount_cents=WEEK_CENTS - 1)),
        ("wrong_amount", wanted(town, currency="USD")),
        ("unknown_reference", wanted(town, "bus-year")),
        ("unknown_reference", wanted(town, tariff_version=2)),
        ("not_permitted", wanted(town, begins=today - timedelta(days=1))),
        ("not_permitted", wanted(town, begins=today + timedelta(days=31))),
    ):
        result = town.kiosk().send_one(asked, ana.signs(C))
        assert (result.outcome, result.reason) == ("rejected", reason), asked
    assert bought(town, ana, begins=today + timedelta(days=30)).outcome == "accepted"
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS
    assert town.count("rider_pass") == 1
    town.check()


def test_a_tariff_that_is_no_longer_in_force_sells_nothing(town: Town, ana: Person) -> None:
    town.tariff(capped=False)  # another feed, in force at once
    assert (buy(town, ana).reason, town.balance(ana)) == ("unknown_reference", 5_000_00)
    assert bought(town, ana, tariff_version=2).outcome == "accepted"


def test_a_wallet_that_is_short_buys_nothing_and_owes_nothing(town: Town, ana: Person) -> None:
    ben = town.rich_person(149_99)
    assert buy(town, ben).reason == "insufficient_funds"
    assert (town.balance(ben), town.owed(ben), held(town, ben)) == (149_99, 0, [])
    town.check()


def test_who_has_no_wallet_or_only_shows_the_card_buys_nothing(town: Town, ana: Person) -> None:
    assert town.kiosk().send_one(wanted(town), ana.signs(P)).reason == "missing_authorisation"
    assert town.validator().send_one(wanted(town), ana.signs(C)).reason == "not_permitted"
    assert town.balance(ana) == 5_000_00


def test_the_same_record_again_sells_once(town: Town, ana: Person) -> None:
    kiosk = town.kiosk()
    _, item = kiosk.make(wanted(town), ana.signs(C))
    [first], [again] = kiosk.send([item]), kiosk.send([item])
    assert (first.replayed, again.replayed, again.outcome) == (False, True, "accepted")
    assert (town.balance(ana), town.count("rider_pass")) == (5_000_00 - WEEK_CENTS, 1)
    town.check()


def test_a_sale_that_came_a_day_late_is_good_from_then_on(town: Town, ana: Person) -> None:
    kiosk, gate = town.kiosk(), town.validator()
    kiosk.add(wanted(town), ana.signs(C))
    kiosk.add(wanted(town), ana.signs(C))
    ride(town, gate, ana)
    town.clock.advance(timedelta(hours=20))
    first, second = kiosk.waiting
    assert [one.outcome for one in kiosk.send([first])] == ["accepted"]
    ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS - BUS_CENTS
    town.clock.advance(timedelta(days=2))  # by then it asks for days that are over
    assert [one.reason for one in kiosk.send([second])] == ["not_permitted"]
    town.check()


def test_a_sale_that_finance_takes_back_ends_the_pass_and_its_rides_are_charged_with_the_next(
    town: Town, ana: Person
) -> None:
    gate = town.validator()
    sold = bought(town, ana)
    for _ in range(2):
        ride(town, gate, ana)
    town.clock.advance(timedelta(days=5))  # into the next week, which caps begin anew
    assert take_back(town, sold)["outcome"] == "accepted"
    assert (town.balance(ana), held(town, ana)) == (5_000_00, [])
    ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - 3 * BUS_CENTS
    ride(town, gate, ana)
    assert town.balance(ana) == 5_000_00 - 4 * BUS_CENTS
    assert town.balance_of("revenue:transit:loop") == [4 * BUS_CENTS]
    assert take_back(town, sold)["reason"] == "already_done"
    town.check()


def test_a_dear_pass_is_taken_back_by_two(town: Town, ana: Person) -> None:
    sold = bought(town, ana, "city-month")
    assert take_back(town, sold)["reason"] == "not_permitted"
    assert town.balance(ana) == 5_000_00 - MONTH_CENTS


def test_a_pass_that_the_next_tariff_keeps_without_a_price_stays_good_and_is_not_sold(town: Town, ana: Person) -> None:
    bought(town, ana)
    feed = town.run(lambda session: versions.files_of(session, 1))
    feed["x_passes.txt"] = feed["x_passes.txt"].replace(b",150.00,", b",,")
    now = town.clock.now()
    town.run(lambda session: transit.import_feed(session, feed, valid_from=now, by=ana.resident_id, now=now))
    ride(town, town.validator(), ana)
    assert town.balance(ana) == 5_000_00 - WEEK_CENTS
    assert buy(town, ana, tariff_version=2).reason == "unknown_reference"
