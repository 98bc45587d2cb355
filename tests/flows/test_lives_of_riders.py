"""Riders at random: taps that come late, passes bought and taken back, rides taken back, money paid in.

Whatever happens, what was charged is what the engine says of what stands: in the wallets, in the operators' accounts,
and in the evidence.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from cardsvc import transit
from cardsvc.transit import riders, riding
from cardsvc.transit.claims import actions as claims
from cardsvc.transit.rules.claiming import ClaimReason, ClaimRefused
from cardsvc.transit.rules.settling import Settlement
from cardsvc.transit.settling import queries as settling
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought, Tap
from tests.builders import PASSWORD
from tests.evidence import export, verify
from tests.foreseeing import accepted, foreseen
from tests.town import Person, Result, Terminal, Town, top_up

P, C = Purpose.PRESENCE, Purpose.CONSENT
PRICES = {"bus-week": 150_00, "rail-ten": 180_00, "city-month": 1200_00}
STOPS = ("metro-magallanes", "metro-ayala", "metro-guadalupe")
FAR = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass
class Life:
    """A town of three riders, and what the outside knows of them."""

    town: Town
    dice: Random
    people: Sequence[Person]
    till: tuple[Terminal, UUID]
    kiosk: Terminal
    online: Sequence[Terminal]
    offline: Sequence[Terminal]
    busy: Sequence[Terminal]
    paid_in: dict[UUID, int] = field(default_factory=dict)
    taps: dict[UUID, tuple[Person, transit.TapEvent]] = field(default_factory=dict)
    sold: dict[UUID, tuple[Person, int]] = field(default_factory=dict)
    kept: dict[UUID, tuple[Person, transit.TapEvent]] = field(default_factory=dict)  # at gates without a network
    refunded: dict[UUID, int] = field(default_factory=dict)
    foreseeing: int = 0  # how often, beside the other verbs' ten, five and less
    on_the_way: set[UUID] = field(default_factory=set)

    def step(self) -> None:
        self.town.clock.advance(timedelta(minutes=self.dice.choice((1, 3, 7, 25, 80, 200))))
        person = self.dice.choice(self.people)
        verbs = self.tap, self.tap_offline, self.send, self.buy, self.take_back, self.pay_in, self.tap_foreseen
        what = self.dice.choices(verbs, (10, 5, 3, 2, 2, 1, self.foreseeing))[0]
        what(person)

    def tap(self, person: Person) -> None:
        gate = self.dice.choice(self.online)
        record_id, made = self._made(person, gate)
        [result] = gate.send()
        assert result.outcome == "accepted", result
        self.taps[record_id] = made

    def tap_foreseen(self, _person: Person) -> None:
        """A batch whose taps are priced before other things happen, and that is accepted behind them."""
        idle = [gate for gate in self.busy if gate.device_id not in self.on_the_way]
        if not idle:
            return
        gate = self.dice.choice(idle)
        made = dict(self._made(self.dice.choice(self.people), gate) for _ in range(self.dice.choice((1, 2, 4))))
        self.on_the_way.add(gate.device_id)
        opened = foreseen(self.town, gate.batch())
        for _ in range(self.dice.choice((0, 1, 2))):
            self.step()
        self.on_the_way.remove(gate.device_id)
        [answer] = accepted(self.town, opened)
        assert [result.outcome for result in answer.results] == ["accepted"] * len(made), answer
        self.taps |= made

    def tap_offline(self, person: Person) -> None:
        gate = self.dice.choice(self.offline)
        record_id, made = self._made(person, gate)
        self.kept[record_id] = made

    def send(self, _person: Person) -> None:
        for gate in self.offline:
            if gate.waiting and self.dice.random() < 0.7:
                for result in gate.send():
                    assert result.outcome == "accepted", result
                    assert result.record_id is not None
                    self.taps[result.record_id] = self.kept.pop(result.record_id)

    def buy(self, person: Person) -> None:
        pass_id = self.dice.choice(("bus-week", "rail-ten"))
        begins = self.town.today() + timedelta(days=self.dice.choice((0, 0, 1)))
        bought = PassBought(pass_id, 1, begins, PRICES[pass_id], "PHP")
        result = self.kiosk.send_one(bought, person.signs(C))
        if result.outcome == "accepted":
            assert result.record_id is not None
            self.sold[result.record_id] = person, PRICES[pass_id]
        else:
            assert result.reason == "insufficient_funds", result

    def take_back(self, _person: Person) -> None:
        entry_id = self.dice.choice([*self.taps, *self.sold, *self.sold] or [None])
        if entry_id is None:
            return
        asked = {"entry_id": str(entry_id), "reason": "Somebody's mistake"}
        answer = self.town.act("/v1/finance/reversals", "finance", **asked)
        if answer["outcome"] == "accepted":
            self.taps.pop(entry_id, None)
            self.sold.pop(entry_id, None)
        else:
            assert answer["reason"] in {"insufficient_funds"} | ({"not_permitted"} if self.refunded else set()), answer

    def pay_in(self, person: Person) -> None:
        counter, shift_id = self.till
        result: Result = counter.send_one(top_up(shift_id, 100_00), person.signs(P))
        assert result.outcome == "accepted", result
        self.paid_in[person.wallet_id] = self.paid_in.get(person.wallet_id, 0) + 100_00

    def claim(self, person: Person) -> None:
        """Finance grants a claim about any ride, whole or in part, as far as that may be."""
        town = self.town
        ridden = town.run(lambda session: riding.rides(session, person.wallet_id))
        charged = [one for one in ridden if one.fare_cents > 0]
        if not charged:
            return
        about, now = self.dice.choice(charged), town.clock.now()
        facts: dict[str, Any] = {"stop_id": None, "said": "", "wallet_id": person.wallet_id, "now": now}
        facts["random_bytes"] = town.city.random_bytes
        try:
            opened = town.run(lambda session: claims.open_claim(session, about.ride_id, ClaimReason.NOT_ME, **facts))
        except ClaimRefused:
            return  # there is one already
        cents = self.dice.choice((1_00, 5_00, about.fare_cents))
        said = {"fare_cents": cents, "reason": "The gate was broken", "password": PASSWORD}
        headers = town.token("finance") | {"Idempotency-Key": str(town.key())}
        answer = town.client.post(f"/v1/transit/claims/{opened.id}/refund", json=said, headers=headers).get_json()
        if answer.get("outcome") != "accepted":
            assert "claim_not_possible" in (answer.get("code"), answer.get("reason")), answer  # given back before
        else:
            self.refunded[person.wallet_id] = self.refunded.get(person.wallet_id, 0) + cents

    def _made(self, person: Person, gate: Terminal) -> tuple[UUID, tuple[Person, transit.TapEvent]]:
        if self.dice.random() < 0.4:
            said = Tap("bus", "ayala", "flat", 13_00, "PHP", 1, 1)
        else:
            direction = self.dice.choice(("in", "out"))
            said = Tap("rail", self.dice.choice(STOPS), direction, 28_00 if direction == "in" else 0, "PHP", 1, 1)
        at = self.town.clock.now() + timedelta(milliseconds=gate.sequence + 1)
        record_id = gate.add(said, person.signs(P), at=at)
        facts = record_id, gate.device_id, gate.sequence, at
        place = said.network_id, said.stop_id, transit.Direction(said.direction)
        return record_id, (person, transit.TapEvent(*facts, *place))

    # -------------------------------------------------------------------------------------------------- what must hold

    def costs(self, person: Person) -> int:
        """By the engine, of the taps and passes that stand."""
        town = self.town
        taps = [event for one, event in self.taps.values() if one is person]
        held = town.run(lambda session: riders.passes(session, [person.wallet_id])).held.get(person.wallet_id, ())
        tariffs = town.run(lambda session: riders.tariffs(session, town.clock.now() - timedelta(days=40))).versions
        rights = RIGHTS if person is self.people[0] else ()
        return transit.price(taps, transit.Rider(rights, tuple(held)), tariffs, now=FAR).total_cents

    def paid(self, person: Person) -> int:
        """What rides took from the person, seen from outside: paid in, less passes, less what is left."""
        passes_cents = sum(cents for one, cents in self.sold.values() if one is person)
        left = self.town.balance(person) - self.town.owed(person)
        return self.paid_in.get(person.wallet_id, 0) - passes_cents - left


RIGHTS = (transit.HeldCategory("senior", date(2026, 1, 1), date(2026, 12, 31)),)


@pytest.fixture
def life(town: Town, request: pytest.FixtureRequest) -> Life:
    town.tariff(duplicate_window=30)
    till = town.till()
    people = [town.rich_person(400_00, till=till), town.rich_person(400_00, till=till), town.person()]
    right = {"resident_id": str(people[0].resident_id), "category": "senior", "reason": "OSCA 1234"}
    dates = {"valid_from": "2026-01-01", "valid_to": "2026-12-31"}
    town.post("/v1/transit/rights", right | dates, "clerk", status=201)
    gates = [town.validator() for _ in range(8)]
    paid_in = {person.wallet_id: 400_00 for person in people[:2]}
    return Life(town, Random(0), people, till, town.kiosk(), gates[:3], gates[3:5], gates[5:], paid_in)


def settled(town: Town, agency: str, day: date) -> Settlement:
    now = town.clock.now()
    return town.run(lambda session: settling.settlement(session, agency, day, now))


def live(life: Life, seed: int, *, claims_too: bool = False) -> None:
    """Two days at random; then every gate has sent all, and each rider's next tap brings in line what changed."""
    life.dice = Random(seed)
    for _ in range(60):
        if claims_too and life.dice.random() < 0.2:
            life.claim(life.dice.choice(life.people))
        life.step()
    while any(gate.waiting for gate in life.offline):
        life.send(life.people[0])
    for person in life.people:
        life.town.clock.advance(timedelta(hours=1))
        life.tap(person)


def check_books(town: Town, folder: Path) -> None:
    """What the days owe each operator is what its account has; everything is proved."""
    first = date(2026, 11, 2)
    days = [first + timedelta(days=number) for number in range((town.today() - first).days + 1)]
    for agency in ("loop", "metro", "ferry"):
        due = sum(settled(town, agency, day).due_cents for day in days)
        assert [due] == town.balance_of(f"revenue:transit:{agency}")
    town.check()
    verdict = verify(export(town, folder), town.city.vault.city_keys().format())
    assert verdict.holds, verdict.findings[:5]


@pytest.mark.parametrize("seed", range(12, 16))
def test_what_was_charged_is_what_the_engine_says_of_what_stands(life: Life, seed: int, tmp_path: Path) -> None:
    live(life, seed)
    assert [life.paid(person) for person in life.people] == [life.costs(person) for person in life.people]
    check_books(life.town, tmp_path / "export")


@pytest.mark.parametrize("seed", range(4))
def test_what_was_foreseen_is_charged_only_where_it_still_holds(life: Life, seed: int, tmp_path: Path) -> None:
    life.foreseeing = 12
    live(life, seed)
    assert [life.paid(person) for person in life.people] == [life.costs(person) for person in life.people]
    check_books(life.town, tmp_path / "export")


@pytest.mark.parametrize("seed", range(3))
def test_claims_give_back_no_more_than_was_granted(life: Life, seed: int, tmp_path: Path) -> None:
    live(life, seed, claims_too=True)
    for person in life.people:
        costs, granted = life.costs(person), life.refunded.get(person.wallet_id, 0)
        assert max(0, costs - granted) <= life.paid(person) <= costs
    check_books(life.town, tmp_path / "export")
