"""What was foreseen of a batch: believed while nothing that matters happened, and of those for whom it still holds."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.orm import Session

from cardsvc import cards, wallets
from cardsvc.cards import RevocationReason
from cardsvc.transactions import Item, Opened
from cardsvc.transit import foreseeing, riding
from cardsvc.transit.claims import actions as claims
from cardsvc.transit.rules.claiming import ClaimReason
from crypto.wire.kinds import Kind
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought
from tests.builders import OFFICER, PASSWORD
from tests.foreseeing import accepted, foreseen
from tests.town import BUS_CENTS, Person, Terminal, Town, tap, top_up

P, C = Purpose.PRESENCE, Purpose.CONSENT


@dataclass
class Scene:
    """A batch of two riders, ana's two taps and ben's one, foreseen and not accepted yet."""

    town: Town
    ana: Person
    ben: Person
    gate: Terminal
    opened: Opened

    def items(self) -> list[Item]:
        return [claim.item for claim in self.opened.claims.values()]

    def believed(self, items: list[Item] | None = None) -> list[bool]:
        """Of which items what was foreseen is still believed."""
        planned = self.items() if items is None else items

        def ask(session: Session) -> list[bool]:
            wallet_of = wallets.by_residents(session, [person.resident_id for person in (self.ana, self.ben)])
            found = foreseeing.still_true(session, [self.opened.foreseen[Kind.TAP]], planned, wallet_of)
            return [answer is not None for answer in found]

        return self.town.run(ask)

    def tap_elsewhere(self, person: Person) -> Any:
        return self.town.validator().send_one(tap(), person.signs(P)).record_id


@pytest.fixture
def scene(town: Town) -> Scene:
    town.tariff()
    ana, ben, gate = town.rich_person(500_00), town.rich_person(500_00), town.validator()
    for person in (ana, ben, ana):
        gate.add(tap(), person.signs(P))
    return Scene(town, ana, ben, gate, foreseen(town, gate.batch()))


def charge(scene: Scene) -> None:
    """The batch is accepted, and what was foreseen of it is charged once, believed or not."""
    before = [scene.town.balance(person) for person in (scene.ana, scene.ben)]
    [answer] = accepted(scene.town, scene.opened)
    assert {result.outcome for result in answer.results} == {"accepted"}
    after = [scene.town.balance(person) for person in (scene.ana, scene.ben)]
    assert [was - now for was, now in zip(before, after, strict=True)] == [2 * BUS_CENTS, BUS_CENTS]
    scene.town.check()


def test_it_is_believed_where_nothing_happened(scene: Scene) -> None:
    assert scene.believed() == [True] * 3
    charge(scene)


def test_money_paid_in_changes_nobodys_rides(scene: Scene) -> None:
    counter, shift_id = scene.town.till()
    assert counter.send_one(top_up(shift_id, 10_00), scene.ana.signs(P)).outcome == "accepted"
    assert scene.believed() == [True] * 3
    charge(scene)


def test_another_tap_of_a_rider_changes_that_riders_alone(scene: Scene) -> None:
    scene.tap_elsewhere(scene.ana)
    assert scene.believed() == [False, True, False]
    charge(scene)


def buy(scene: Scene) -> None:
    bought = PassBought("bus-week", 1, scene.town.today(), 150_00, "PHP")
    assert scene.town.kiosk().send_one(bought, scene.ben.signs(C)).outcome == "accepted"


def take_back(scene: Scene, record_id: Any) -> None:
    asked = {"entry_id": str(record_id), "reason": "Somebody's mistake"}
    assert scene.town.act("/v1/finance/reversals", "finance", **asked)["outcome"] == "accepted"


def refund(scene: Scene, record_id: Any) -> None:
    town, wallet_id = scene.town, scene.ben.wallet_id
    [ride] = town.run(lambda session: riding.rides(session, wallet_id))
    facts: Mapping[str, Any] = {"now": town.clock.now(), "random_bytes": town.city.random_bytes, "said": ""}

    def work(session: Session) -> Any:
        reason = ClaimReason.NOT_ME
        return claims.open_claim(session, ride.ride_id, reason, stop_id=None, wallet_id=wallet_id, **facts)

    said = {"fare_cents": 1_00, "reason": "The gate was broken", "password": PASSWORD}
    headers = town.token("finance") | {"Idempotency-Key": str(town.key())}
    answer = town.client.post(f"/v1/transit/claims/{town.run(work).id}/refund", json=said, headers=headers)
    assert answer.get_json()["outcome"] == "accepted", answer.text
    assert ride.ride_id == record_id


def new_tariff(scene: Scene) -> None:
    scene.town.clock.advance(timedelta(seconds=1))
    scene.town.tariff(duplicate_window=5)


@pytest.mark.parametrize("what", [take_back, refund])
def test_after_a_ride_was_given_back_nothing_is_believed(
    town: Town, scene: Scene, what: Callable[[Scene, Any], None]
) -> None:
    record_id = scene.tap_elsewhere(scene.ben)
    gate = town.validator()
    for person in (scene.ana, scene.ben):
        gate.add(tap(), person.signs(P))
    scene = Scene(town, scene.ana, scene.ben, gate, foreseen(town, gate.batch()))
    assert scene.believed() == [True] * 2
    what(scene, record_id)
    assert scene.believed() == [False] * 2


@pytest.mark.parametrize("what", [buy, new_tariff])
def test_after_a_pass_was_bought_or_a_tariff_brought_nothing_is_believed(
    scene: Scene, what: Callable[[Scene], None]
) -> None:
    what(scene)
    assert scene.believed() == [False] * 3


def test_of_a_rider_of_whom_other_taps_are_planned_nothing_is_believed(scene: Scene) -> None:
    first, second, third = scene.items()
    assert scene.believed([first, second]) == [False, True]
    assert scene.believed([third, second, first]) == [False, True, False]


def test_a_card_that_is_blocked_meanwhile_pays_what_is_left_of_its_taps(scene: Scene) -> None:
    """What was foreseen for the rider counted taps that are refused by now."""
    town, reason, now = scene.town, RevocationReason.STOLEN, scene.town.clock.now()
    town.run(lambda session: cards.revoke(session, scene.ana.card.card_id, by=OFFICER, reason=reason, now=now))
    [answer] = accepted(town, scene.opened)
    assert [result.outcome for result in answer.results] == ["rejected", "accepted", "rejected"]
    assert (town.balance(scene.ana), town.balance(scene.ben)) == (500_00, 500_00 - BUS_CENTS)
    town.check()


def test_of_a_card_read_twice_at_one_moment_nothing_is_foreseen(town: Town, scene: Scene) -> None:
    gate, at = town.validator(), town.clock.now()
    for person in (scene.ana, scene.ana, scene.ben):
        gate.add(tap(), person.signs(P), at=at)
    opened = foreseen(town, gate.batch())
    assert list(opened.foreseen[Kind.TAP].riders) == [scene.ben.resident_id]
    [answer] = accepted(town, opened)
    assert [result.outcome for result in answer.results] == ["accepted", "rejected", "accepted"]


def test_what_comes_under_an_id_that_is_taken_is_not_foreseen_and_the_rest_is_believed(
    town: Town, scene: Scene
) -> None:
    taken, gate = scene.tap_elsewhere(scene.ana), town.validator()
    once = gate.add(tap(), scene.ana.signs(P))
    for record_id in (taken, once):
        gate.add(tap(), scene.ana.signs(P), record_id=record_id, at=town.clock.now() - timedelta(hours=1))
    scene = Scene(town, scene.ana, scene.ben, gate, foreseen(town, gate.batch()))
    first, *_ = scene.items()
    assert scene.believed([first]) == [True]
    [answer] = accepted(town, scene.opened)
    assert [result.outcome for result in answer.results] == ["accepted", "rejected", "rejected"]
