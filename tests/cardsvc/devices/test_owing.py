"""Cards whose holders owe a fare: on the next list for gates, off the one after they paid, and denied nowhere."""

import json
from datetime import timedelta
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from cardsvc import cards, devices, ledger
from cardsvc.cards import RevocationReason
from cardsvc.devices import actions, commands, queries
from cardsvc.devices.rules import BREAKER, OWING_KEPT, Breaker
from crypto.wire.denylist import DenyList, open_delta, open_list, unpack
from crypto.wire.transaction import Purpose
from tests import builders
from tests.town import BUS_CENTS, Person, Terminal, Town, tap, top_up

P = Purpose.PRESENCE
TWO_AN_HOUR = Breaker(floor=2, percent=1, window=timedelta(hours=1))


def publish(town: Town, breaker: Breaker = BREAKER) -> int:
    """What the worker does each minute."""
    town.clock.advance(timedelta(minutes=1))
    return town.run(lambda session: devices.publish_deny_list(session, town.clock.now(), breaker=breaker))


def newest(town: Town) -> DenyList:
    _, signed = town.run(lambda session: devices.signed_deny_list(session, town.city.vault))
    return open_list(signed, town.city.vault.city_keys())


def stepped(town: Town, base: DenyList) -> DenyList:
    signed = town.run(lambda session: devices.signed_deny_delta(session, town.city.vault, base.number))
    return open_delta(signed, town.city.vault.city_keys()).apply(base)


def owing(town: Town) -> set[UUID]:
    return {UUID(bytes=entry) for entry in unpack(newest(town).owing)}


def ride(person: Person, gate: Terminal) -> None:
    assert gate.send_one(tap(), person.signs(P)).outcome == "accepted"


@pytest.fixture
def riders(town: Town) -> list[Person]:
    """Four people without money, in a city whose first list is out."""
    town.tariff()
    people = [town.person() for _ in range(4)]
    publish(town)
    return people


def test_who_comes_to_owe_is_on_the_next_list_and_off_the_one_after_they_pay(town: Town, riders: list[Person]) -> None:
    ana, gate = riders[0], town.validator()
    counter, shift_id = town.till()
    before = newest(town)
    ride(ana, gate)
    assert owing(town) == set()
    publish(town)
    owed = newest(town)
    assert (owed.owes(ana.card.card_id), owed.denies_card(ana.card.card_id)) == (True, False)
    assert owing(town) == {ana.card.card_id}
    counter.send_one(top_up(shift_id, BUS_CENTS - 1), ana.signs(P))
    publish(town)
    assert newest(town) == owed  # a centavo is a debt
    counter.send_one(top_up(shift_id, 1), ana.signs(P))
    publish(town)
    paid = newest(town)
    assert (town.owed(ana), paid.owing, paid.number > owed.number > before.number) == (0, b"", True)
    assert [stepped(town, base) for base in (before, owed)] == [paid, paid]
    assert paid.hash() != before.hash()
    town.check()


def test_a_tap_that_was_made_before_the_gate_heard_of_the_debt_is_accepted(town: Town, riders: list[Person]) -> None:
    ana, gate = riders[0], town.validator()
    ride(ana, gate)
    publish(town)
    ride(ana, gate)
    assert town.owed(ana) == 2 * BUS_CENTS


def test_a_person_whose_wallet_has_money_left_owes_nothing(town: Town, riders: list[Person]) -> None:
    ben = town.rich_person()
    ride(ben, town.validator())
    publish(town)
    assert owing(town) == set()


def test_the_card_that_takes_the_place_of_another_owes_in_its_stead(town: Town, riders: list[Person]) -> None:
    ana = riders[0]
    ride(ana, town.validator())
    publish(town)

    def replace(session: Session) -> UUID:
        now = town.clock.now()
        cards.revoke(session, ana.card.card_id, reason=RevocationReason.LOST, by=builders.CLERK, now=now)
        return builders.make_card(session, town.city.vault, ana.resident_id, now).card_id

    successor = town.run(replace)
    publish(town)
    held = newest(town)
    assert (owing(town), held.denies_card(ana.card.card_id)) == ({successor}, True)


def test_a_card_that_is_stopped_is_denied_and_does_not_owe_until_it_is_good_again(
    town: Town, riders: list[Person]
) -> None:
    ana, gate = riders[0], town.validator()
    ride(ana, gate)
    publish(town)

    def act(stop: bool) -> tuple[bool, bool]:
        def work(session: Session) -> None:
            card_id, now = ana.card.card_id, town.clock.now()
            if stop:
                cards.suspend(session, card_id, reason="?", by=builders.CLERK, now=now)
            else:
                cards.resume(session, card_id, reason="?", by=builders.CLERK, holder_has_it=True, now=now)

        town.run(work)
        publish(town)
        held = newest(town)
        return held.denies_card(ana.card.card_id), held.owes(ana.card.card_id)

    assert [act(stop=True), act(stop=False)] == [(True, False), (False, True)]


def test_asking_whether_the_list_changed_reads_no_debt_and_publishes_nothing(town: Town, riders: list[Person]) -> None:
    """A city in which somebody comes to owe each second has a list a minute, not one a second."""
    number = newest(town).number
    ride(riders[0], town.validator())
    asked = town.run(lambda session: actions.current_deny_number(session, town.clock.now()))
    assert asked == number
    assert publish(town) > number
    asked = town.run(lambda session: actions.current_deny_number(session, town.clock.now()))
    assert asked == newest(town).number


def test_more_debts_than_an_hour_may_bring_come_later_by_themselves(town: Town, riders: list[Person]) -> None:
    gate = town.validator()
    for person in riders:
        ride(person, gate)
    names = sorted(person.card.card_id for person in riders)
    publish(town, TWO_AN_HOUR)
    first = owing(town)
    assert first == set(names[:2])
    assert publish(town, TWO_AN_HOUR) == newest(town).number
    assert (owing(town), town.run(devices.held_back)) == (first, frozenset())
    shown = CliRunner().invoke(commands.devices, ["deny-list", "--json"], obj=lambda: town.city)
    assert {name: json.loads(shown.stdout)[name] for name in ("owing", "owing_waiting")} == {
        "owing": 2,
        "owing_waiting": 2,
    }
    told = CliRunner().invoke(commands.devices, ["deny-list"], obj=lambda: town.city)
    assert "2 more cards owe a fare" in told.stdout
    town.clock.advance(timedelta(hours=1))
    publish(town, TWO_AN_HOUR)
    assert owing(town) == set(names)


def test_debts_neither_trip_the_breaker_of_denials_nor_count_in_it(town: Town, riders: list[Person]) -> None:
    gate, lost = town.validator(), [town.person() for _ in range(2)]
    for person in riders[:2]:
        ride(person, gate)
    publish(town, TWO_AN_HOUR)

    def suspend(session: Session) -> None:
        for person in lost:
            cards.suspend(session, person.card.card_id, reason="?", by=builders.CLERK, now=town.clock.now())

    town.run(suspend)
    publish(town, TWO_AN_HOUR)
    held = newest(town)
    assert all(held.denies_card(person.card.card_id) for person in lost)
    assert len(owing(town)) == 2


def test_who_owed_is_forgotten_after_a_month_and_then_the_whole_list_is_taken(town: Town, riders: list[Person]) -> None:
    counter, shift_id = town.till()
    base = newest(town)
    ride(riders[0], town.validator())
    publish(town)
    counter.send_one(top_up(shift_id, BUS_CENTS), riders[0].signs(P))
    publish(town)
    assert (town.count("deny_owing"), stepped(town, base)) == (1, newest(town))
    town.clock.advance(OWING_KEPT)
    ride(riders[1], town.validator())
    publish(town)
    assert town.count("deny_owing") == 1  # the one who owes now
    with pytest.raises(devices.NoDeltaFrom):
        stepped(town, base)
    assert owing(town) == {riders[1].card.card_id}


def test_a_debt_is_found_whatever_the_ledger_has_already_summed_up(town: Town, riders: list[Person]) -> None:
    """What was owed before the mark and paid behind it, paid in full before it, and owed behind it alone."""
    ana, ben, cora, _ = riders
    gate, (counter, shift_id) = town.validator(), town.till()
    for person in (ana, ben):
        ride(person, gate)
    counter.send_one(top_up(shift_id, BUS_CENTS), ben.signs(P))
    town.run(ledger.take_all_snapshots)
    counter.send_one(top_up(shift_id, BUS_CENTS), ana.signs(P))
    ride(cora, gate)
    publish(town)
    assert owing(town) == {cora.card.card_id}
    town.run(ledger.take_all_snapshots)
    publish(town)
    assert owing(town) == {cora.card.card_id}
    ride(ben, gate)
    town.run(ledger.forget_snapshots)
    publish(town)
    assert owing(town) == {ben.card.card_id, cora.card.card_id}
    assert town.run(lambda session: queries.owing_waiting(session, town.clock.now())) == 0
