"""Taps that come late or wrong: of cards blocked or replaced since, of times that cannot be, of chains with gaps."""

from datetime import UTC, datetime, timedelta

import pytest

from cardsvc import cards
from cardsvc.cards import RevocationReason
from crypto.wire.transaction import Purpose
from tests.builders import OFFICER, make_card
from tests.town import BUS_CENTS, Person, Town, tap, top_up

P = Purpose.PRESENCE


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person(100_00)


def replaced(town: Town, person: Person) -> Person:
    """The same resident with another card; the old one is reported as lost now."""
    now = town.clock.now()
    town.run(
        lambda session: cards.revoke(session, person.card.card_id, reason=RevocationReason.LOST, by=OFFICER, now=now)
    )
    town.clock.advance(timedelta(hours=1))
    made = town.run(lambda session: make_card(session, town.city.vault, person.resident_id, town.clock.now()))
    return Person(person.resident_id, person.number, person.wallet_id, made)


def test_taps_of_two_cards_of_one_resident_in_one_batch_each_count_by_their_own_time(town: Town, ana: Person) -> None:
    gate, issued = town.validator(), town.clock.now()
    town.clock.advance(timedelta(hours=2))
    lost = town.clock.now()
    new = replaced(town, ana)
    again = town.clock.now()
    minute = timedelta(minutes=1)
    cases = [
        (ana, issued + minute, None),
        (ana, lost - minute, None),
        (ana, lost + minute, "card_not_active"),
        (new, again + minute, None),
        (ana, again + minute, "card_not_active"),
    ]
    town.clock.advance(timedelta(hours=1))
    for person, at, _ in cases:
        gate.add(tap(), person.signs(P), at=at)
    results = gate.send()
    for result, (_, _, refused) in zip(results, cases, strict=True):
        assert result.reason == refused, result
        assert (result.outcome == "accepted") == (refused is None), result
        assert result.receipt is not None
    assert town.count("ride_tap") == 3
    assert town.balance(ana) == 100_00 - 3 * BUS_CENTS
    town.check()


@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 9, 1, tzinfo=UTC),
    ],
)
def test_a_time_that_cannot_be_is_refused_beside_good_taps(town: Town, ana: Person, at: datetime) -> None:
    gate = town.validator()
    gate.add(tap(), ana.signs(P))
    gate.add(tap(), ana.signs(P), at=at)
    gate.add(tap(), ana.signs(P))
    first, wrong, last = gate.send()
    assert [first.outcome, wrong.outcome, last.outcome] == ["accepted", "rejected", "accepted"]
    assert wrong.detail
    assert wrong.receipt is not None
    assert town.balance(ana) == 100_00 - 2 * BUS_CENTS
    town.check()


def test_gaps_and_turns_in_a_chain_lose_no_tap(town: Town, ana: Person) -> None:
    gate = town.validator()
    items = [gate.make(tap(), ana.signs(P))[1] for _ in range(9)]
    for chosen in ((6, 7), (0,), (3, 2, 1), (8, 5)):
        assert [one.outcome for one in gate.send([items[n] for n in chosen])] == ["accepted"] * len(chosen)
    assert town.balance(ana) - town.owed(ana) == 100_00 - town.balance_of("revenue:transit:loop")[0]
    assert town.count("ride_tap") == 8
    town.check()


def test_the_debts_of_many_are_what_they_rode_and_are_collected_once(town: Town) -> None:
    town.tariff(capped=True)
    people = [town.person() for _ in range(60)]
    town.clock.advance(timedelta(hours=2))
    gates = [town.validator() for _ in range(4)]
    for number, person in enumerate(people):
        for ridden in range(12):
            at = town.clock.now() - timedelta(minutes=5 * ridden + 1, milliseconds=number)
            gates[ridden % 4].add(tap(), person.signs(P), at=at)
    for gate in gates:
        for start in range(0, 180, 60):
            waiting = gate.waiting[start : start + 60]
            assert {one.outcome for one in gate.send(waiting)} == {"accepted"}
    cap = 104_00
    assert [town.owed(one) for one in people] == [cap] * 60
    assert town.balance_of("revenue:transit:loop") == [60 * cap]
    till = town.till()
    for round_cents, owed, left in ((50_00, 54_00, 0), (50_00, 4_00, 0), (50_00, 0, 46_00), (50_00, 0, 96_00)):
        for person in people[:20]:
            assert till[0].send_one(top_up(till[1], round_cents), person.signs(P)).outcome == "accepted"
        assert {(town.owed(one), town.balance(one)) for one in people[:20]} == {(owed, left)}
    assert town.balance_of("revenue:transit:loop") == [60 * cap]
    town.check()
