"""Rides with an entry and an exit, late taps and taps in one batch: what is charged is what the taps together cost."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.transit.models import RideCharge, RideTap
from cardsvc.transit.rules import explaining
from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap
from tests.town import BUS_CENTS, Person, Terminal, Town, tap

P = Purpose.PRESENCE
HOLD_CENTS, SHORT_CENTS = 28_00, 15_00
MINUTE = timedelta(minutes=1)


def rail(stop: str, direction: str) -> Tap:
    return Tap("rail", f"metro-{stop}", direction, HOLD_CENTS if direction == "in" else 0, "PHP", 1, 1)


def charges(town: Town, person: Person) -> list[RideCharge]:
    def read(session: Session) -> list[RideCharge]:
        query = sa.select(RideCharge).where(RideCharge.wallet_id == person.wallet_id).order_by(RideCharge.id)
        return list(session.scalars(query))

    return town.run(read)


def charged(town: Town, person: Person) -> int:
    """What all charges come to; the explanations of the rides as they stand say the same."""
    rows = charges(town, person)
    total = sum(row.fare_cents for row in rows)
    newest = {row.ride_id: explaining.read(row.explanation) for row in rows}
    assert total == sum(int(told["fare_cents"]) for told in newest.values())
    assert sum(row.subsidy_cents for row in rows) == sum(int(told["subsidy_cents"]) for told in newest.values())
    return total


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff(duplicate_window=30)
    return town.rich_person(100_00)


def pair(town: Town) -> tuple[Terminal, Terminal]:
    return town.validator(), town.validator()


def test_an_entry_holds_the_maximum_and_the_exit_gives_the_rest_back(town: Town, ana: Person) -> None:
    ayala, poblacion = pair(town)
    assert ayala.send_one(rail("magallanes", "in"), ana.signs(P)).outcome == "accepted"
    assert town.balance(ana) == 100_00 - HOLD_CENTS
    town.clock.advance(10 * MINUTE)
    assert poblacion.send_one(rail("ayala", "out"), ana.signs(P)).outcome == "accepted"
    assert town.balance(ana) == 100_00 - SHORT_CENTS == 100_00 - charged(town, ana)
    assert town.balance_of("revenue:transit:metro") == [SHORT_CENTS]
    entry, leaving = charges(town, ana)
    assert entry.ride_id == leaving.ride_id
    assert (explaining.product(entry.explanation), explaining.product(leaving.explanation)) == ("", "rail_3km")
    town.check()


def test_both_taps_in_one_batch_cost_the_same(town: Town, ana: Person) -> None:
    gate = town.validator()
    now = town.clock.now()
    gate.add(rail("magallanes", "in"), ana.signs(P), at=now - 10 * MINUTE)
    gate.add(rail("ayala", "out"), ana.signs(P), at=now - MINUTE)
    assert [result.outcome for result in gate.send()] == ["accepted", "accepted"]
    assert (town.balance(ana), charged(town, ana)) == (100_00 - SHORT_CENTS, SHORT_CENTS)
    town.check()


def test_what_was_owed_for_the_hold_is_the_first_that_goes(town: Town, ana: Person) -> None:
    beth, gate = town.person(), town.validator()
    now = town.clock.now()
    gate.add(rail("magallanes", "in"), beth.signs(P), at=now - 10 * MINUTE)
    gate.add(rail("ayala", "out"), beth.signs(P), at=now - MINUTE)
    gate.send()
    assert (town.balance(beth), town.owed(beth)) == (0, SHORT_CENTS)
    assert town.balance(ana) == 100_00
    town.check()


def test_an_exit_that_comes_before_its_entry_ends_in_the_same_fare(town: Town, ana: Person) -> None:
    entered, left = pair(town)
    now = town.clock.now()
    entered.add(rail("magallanes", "in"), ana.signs(P), at=now - 10 * MINUTE)
    left.add(rail("ayala", "out"), ana.signs(P), at=now - MINUTE)
    assert left.send()[0].outcome == "accepted"
    assert charged(town, ana) == HOLD_CENTS  # nobody knows yet where it began
    assert entered.send()[0].outcome == "accepted"
    assert charged(town, ana) == SHORT_CENTS == 100_00 - town.balance(ana)
    town.check()


def test_a_tap_that_costs_nothing_is_an_entry_of_its_own(town: Town, ana: Person) -> None:
    gate = town.validator()
    gate.send_one(tap(), ana.signs(P))
    again = gate.send_one(tap(), ana.signs(P))
    assert again.outcome == "accepted"
    assert town.verified(again).amount_cents == 0
    assert charged(town, ana) == BUS_CENTS == town.balance_of("revenue:transit:loop")[0]
    record_id = again.record_id
    assert record_id is not None
    entry = town.run(lambda session: ledger.entry(session, record_id))
    assert [line.amount_cents for line in entry.lines] == [BUS_CENTS, -BUS_CENTS]
    town.check()


def test_a_late_tap_gives_back_what_the_cap_leaves_nothing_for(town: Town, ana: Person) -> None:
    late, gate = pair(town)
    began = town.clock.now()
    late.add(tap(), ana.signs(P), at=began + MINUTE)
    for _ in range(8):
        town.clock.advance(5 * MINUTE)
        gate.send_one(tap(), ana.signs(P))
    assert charged(town, ana) == 8 * BUS_CENTS
    assert late.send()[0].outcome == "accepted"
    assert charged(town, ana) == 104_00  # the cap of the operator's day
    assert town.balance_of("revenue:transit:loop") == [104_00]
    town.check()


def test_a_stop_that_the_tariff_does_not_know_is_refused_and_never_guessed(town: Town, ana: Person) -> None:
    gate = town.validator()
    at_nowhere = Tap("bus", "nowhere", "flat", BUS_CENTS, "PHP", 1, 1)
    assert gate.send_one(at_nowhere, ana.signs(P)).reason == "unknown_reference"
    assert gate.send_one(tap(network="tram"), ana.signs(P)).reason == "unknown_reference"
    assert gate.send_one(tap(tariff=7), ana.signs(P)).reason == "unknown_reference"
    assert charges(town, ana) == []
    town.check()


def test_a_tap_that_finance_took_back_counts_as_if_it_had_not_been(town: Town, ana: Person) -> None:
    gate, other = pair(town)
    sent = gate.send_one(tap(), ana.signs(P))
    body = {"entry_id": str(sent.record_id), "reason": "the gate was being repaired"}
    assert town.act("/v1/finance/reversals", "finance", **body)["outcome"] == "accepted"
    assert town.balance(ana) == 100_00
    town.clock.advance(5 * MINUTE)
    other.send_one(tap(), ana.signs(P))
    assert town.balance(ana) == 100_00 - BUS_CENTS  # the reversed tap is not charged again
    town.check()


def test_a_tap_that_was_taken_back_makes_room_under_a_cap_days_later_too(town: Town) -> None:
    town.tariff(duplicate_window=30)
    town.clock.advance(timedelta(days=(7 - town.clock.now().weekday()) % 7))  # a Monday
    ana, gate = town.rich_person(300_00), town.validator()
    first = gate.send_one(tap(), ana.signs(P))
    for _ in range(8):
        town.clock.advance(5 * MINUTE)
        gate.send_one(tap(), ana.signs(P))
    assert charged(town, ana) == 104_00  # nine rides under the cap of the day
    body = {"entry_id": str(first.record_id), "reason": "the gate was being repaired"}
    assert town.act("/v1/finance/reversals", "finance", **body)["outcome"] == "accepted"
    assert town.balance(ana) == 300_00 - 104_00 + BUS_CENTS
    town.clock.advance(timedelta(days=3))
    gate.send_one(tap(), ana.signs(P))
    assert town.balance(ana) == 300_00 - 104_00 - BUS_CENTS  # the ninth ride is paid now, and this one
    town.check()


def taps_of(town: Town, person: Person) -> int:
    query = sa.select(sa.func.count()).select_from(RideTap).where(RideTap.wallet_id == person.wallet_id)
    return town.run(lambda session: int(session.scalar(query) or 0))


def test_the_same_batch_again_changes_nothing(town: Town, ana: Person) -> None:
    gate = town.validator()
    gate.add(rail("magallanes", "in"), ana.signs(P))
    raw = gate.batch()
    first, second = town.send(raw), town.send(raw)
    assert (first[0].outcome, second[0].replayed) == ("accepted", True)
    assert (taps_of(town, ana), len(charges(town, ana))) == (1, 1)
    town.check()


def moments(start: datetime, count: int) -> Sequence[datetime]:
    return [start + number * 7 * MINUTE for number in range(count)]


def test_one_riders_taps_change_nothing_for_another(town: Town, ana: Person) -> None:
    beth, gate = town.rich_person(100_00), town.validator()
    gate.send_one(rail("magallanes", "in"), beth.signs(P))
    before = [(row.ride_id, row.fare_cents) for row in charges(town, beth)]
    for at in moments(town.clock.now() - 60 * MINUTE, 3):
        gate.add(tap(), ana.signs(P), at=at)
    gate.send()
    assert [(row.ride_id, row.fare_cents) for row in charges(town, beth)] == before
    town.check()
