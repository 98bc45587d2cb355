"""Two doors at one moment: money moves once, and whatever came first the books agree."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from cardsvc.transit.settling import queries as settling
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought
from tests.builders import PASSWORD
from tests.cardsvc.finance.test_vouchers import propose, sign
from tests.cardsvc.transit.test_claims import claim, ride
from tests.cardsvc.transit.test_passes_online import WEEK_CENTS, Buyer
from tests.town import BUS_CENTS, Person, Result, Town, tap

P, C = Purpose.PRESENCE, Purpose.CONSENT
OPERATORS = ("loop", "metro", "ferry")


def together(*acts: Callable[[], Any]) -> list[Any]:
    """Each in a thread of its own, all let go at one moment; what each came to."""
    gate = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        gate.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def sends(town: Town, raw: bytes) -> Callable[[], list[Result]]:
    """The batch over a connection of its own."""
    other = Town(town.city, town.client.application.test_client(), town.clock)
    return lambda: other.send(raw)


def posts(town: Town, path: str, role: str, body: dict[str, Any], *, key: UUID | None = None) -> Callable[[], Any]:
    """The act of a member of staff over a connection of its own: status and answer."""
    client = town.client.application.test_client()
    headers = {**town.token(role), "Idempotency-Key": str(key or town.key())}

    def act() -> tuple[int, Any]:
        answer = client.post(path, json=body | {"password": PASSWORD}, headers=headers)
        return answer.status_code, answer.get_json()

    return act


def agree(town: Town) -> None:
    """The books hold, and of each operator the settlement says what the ledger has."""
    town.check()
    now = town.clock.now()
    for agency in OPERATORS:
        found = town.run(partial(settling.settlement, agency=agency, day=town.today(), now=now))
        assert found.due_cents == town.balance_of(f"revenue:transit:{agency}")[0], agency


def bought(town: Town) -> PassBought:
    return PassBought("bus-week", 1, town.today(), WEEK_CENTS, "PHP")


def test_one_pass_bought_at_three_doors_with_money_for_one_is_sold_once(town: Town, app: Flask) -> None:
    town.tariff()
    buyer = Buyer(town, app, WEEK_CENTS + 50_00)
    record = buyer.record()
    credential = buyer.passkey.answer(record)
    doors: list[Callable[[], Any]] = [lambda: buyer.buy(record, credential)[0]]
    for place in (town.kiosk(), town.counter()):
        place.add(bought(town), buyer.person.signs(C))
        doors.append(sends(town, place.batch()))
    page, *others = together(*doors)
    outcomes = ["accepted" if page == 303 else "insufficient_funds"]
    assert page in {303, 409}
    outcomes += [answer[0].reason or answer[0].outcome for answer in others]
    assert sorted(outcomes) == ["accepted", "insufficient_funds", "insufficient_funds"]
    assert (town.balance(buyer.person), town.owed(buyer.person), town.count("rider_pass")) == (50_00, 0, 1)
    agree(town)


def test_one_record_of_a_pass_from_eight_senders_is_paid_once(town: Town) -> None:
    town.tariff()
    ana, kiosk = town.rich_person(1_000_00), town.kiosk()
    kiosk.add(bought(town), ana.signs(C))
    raw = kiosk.batch()
    answers = together(*[sends(town, raw) for _ in range(8)])
    assert [answer[0].outcome for answer in answers] == ["accepted"] * 8
    assert sum(not answer[0].replayed for answer in answers) == 1
    assert (town.balance(ana), town.count("rider_pass")) == (1_000_00 - WEEK_CENTS, 1)
    agree(town)


def test_a_tap_and_a_pass_at_one_moment_cost_the_fare_at_most_beside_the_pass(town: Town) -> None:
    town.tariff()
    ana, kiosk = town.rich_person(1_000_00), town.kiosk()
    acts = []
    for _ in range(3):
        gate = town.validator()
        gate.add(tap(), ana.signs(P))
        acts.append(sends(town, gate.batch()))
    kiosk.add(bought(town), ana.signs(C))
    answers = together(*acts, sends(town, kiosk.batch()))
    assert [result.outcome for answer in answers for result in answer] == ["accepted"] * 4
    paid = 1_000_00 - WEEK_CENTS - town.balance(ana)
    assert paid in {BUS_CENTS * rides for rides in range(4)}
    agree(town)
    town.clock.advance(timedelta(minutes=5))
    assert town.validator().send_one(tap(), ana.signs(P)).outcome == "accepted"
    assert (
        1_000_00 - WEEK_CENTS - town.balance(ana) == paid
    )  # nothing that was ridden before changes, and the pass is good
    agree(town)


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person(100_00)


def granted(town: Town, claim_id: str, cents: int = BUS_CENTS) -> Callable[[], Any]:
    body = {"fare_cents": cents, "reason": "The gate was broken"}
    return posts(town, f"/v1/transit/claims/{claim_id}/refund", "finance", body)


def taken_back(town: Town, entry_id: UUID) -> Callable[[], Any]:
    return posts(town, "/v1/finance/reversals", "finance", {"entry_id": str(entry_id), "reason": "Read twice"})


def done(answers: Sequence[tuple[int, Any]]) -> int:
    """How many moved money; no answer is a failure of the service."""
    assert all(status < 500 for status, _ in answers), answers
    return sum(status == 200 and answer["outcome"] == "accepted" for status, answer in answers)


def test_a_claim_granted_by_two_windows_is_paid_once(town: Town, ana: Person, app: Flask) -> None:
    opened = claim(town, app, ana, ride(town, ana))
    assert done(together(*[granted(town, opened["id"]) for _ in range(6)])) == 1
    assert town.balance(ana) == 100_00
    agree(town)


def test_a_claim_granted_while_its_tap_is_taken_back_gives_the_fare_back_once(
    town: Town, ana: Person, app: Flask
) -> None:
    ride_id = ride(town, ana)
    opened = claim(town, app, ana, ride_id)
    assert done(together(granted(town, opened["id"]), taken_back(town, ride_id))) == 1
    rides_on(town, ana)


@pytest.mark.parametrize("first", ["refund", "reversal"])
def test_a_ride_is_given_back_by_a_claim_or_by_finance_and_not_by_both(
    town: Town, ana: Person, app: Flask, first: str
) -> None:
    ride_id = ride(town, ana)
    opened = claim(town, app, ana, ride_id)
    acts = [granted(town, opened["id"]), taken_back(town, ride_id)]
    answers = [act() for act in (acts if first == "refund" else acts[::-1])]
    assert done(answers) == 1
    assert answers[0][1]["outcome"] == "accepted"
    assert "claim" in answers[1][1]["detail"] or answers[1][1]["code"] == "claim_not_possible"
    rides_on(town, ana)


def test_what_a_claim_gave_back_in_part_is_given_back_in_whole_by_another_claim(
    town: Town, ana: Person, app: Flask
) -> None:
    ride_id = ride(town, ana)
    assert done([granted(town, claim(town, app, ana, ride_id)["id"], 5_00)()]) == 1
    [(_, refused)] = [taken_back(town, ride_id)()]
    assert (refused["reason"], "by a claim of the rider" in refused["detail"]) == ("not_permitted", True)
    assert done([granted(town, claim(town, app, ana, ride_id)["id"], BUS_CENTS - 5_00)()]) == 1
    rides_on(town, ana)


def test_two_people_cannot_take_back_what_a_claim_gave_back_either(town: Town, ana: Person, app: Flask) -> None:
    ride_id = ride(town, ana)
    assert done([granted(town, claim(town, app, ana, ride_id)["id"])()]) == 1
    action_id = propose(town, lines=None, reverses=str(ride_id))["action_id"]
    sign(town, action_id, "finance")
    refused = sign(town, action_id, "treasurer", status=409)
    assert (refused["code"], "by a claim of the rider" in refused["detail"]) == ("voucher_refused", True)
    rides_on(town, ana)


def rides_on(town: Town, person: Person) -> None:
    """Whose only ride of 13.00 was given back has all, and pays the next one."""
    assert (town.balance(person), town.owed(person)) == (100_00, 0)
    agree(town)
    town.clock.advance(timedelta(minutes=5))
    assert town.validator().send_one(tap(), person.signs(P)).outcome == "accepted"
    assert (town.balance(person), town.owed(person)) == (100_00 - BUS_CENTS, 0)
    agree(town)
