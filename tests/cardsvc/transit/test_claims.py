"""Claims of riders: opened from a ride, decided once, paid by a signed record, two people where it is much."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from cardsvc import ledger
from cardsvc.transit.models import RideCharge
from cardsvc.transit.rules.claiming import REFUND_ALONE_CENTS_MAX
from cardsvc.transit.settling import queries as settling
from crypto.wire.transaction import Purpose
from crypto.wire.transit import FareRefunded, Tap
from tests import surfing
from tests.builders import PASSWORD
from tests.town import BUS_CENTS, Person, Town, tap

P = Purpose.PRESENCE
HOLD_CENTS = 28_00


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person(100_00)


def ride(town: Town, person: Person) -> UUID:
    town.clock.advance(timedelta(minutes=5))
    sent = town.validator().send_one(tap(), person.signs(P))
    assert sent.outcome == "accepted"
    assert sent.record_id is not None
    return sent.record_id


def rider(town: Town, app: Flask, person: Person) -> dict[str, str]:
    """The header of the resident, signed in."""
    surfing.resident(town, app, person)
    given = {"username": f"resident-{person.number.lower()}", "password": PASSWORD}
    answer = town.client.post("/v1/sign-in", json=given)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


def claim(town: Town, app: Flask, person: Person, ride_id: UUID, status: int = 201, **said: str | None) -> Any:
    body = {"ride_id": str(ride_id), "reason": "not_me", **said}
    answer = town.client.post("/v1/me/claims", json=body, headers=rider(town, app, person))
    assert answer.status_code == status, answer.text
    return answer.get_json()


def refund(town: Town, claim_id: str, cents: int = BUS_CENTS, role: str = "finance") -> Any:
    return town.act(f"/v1/transit/claims/{claim_id}/refund", role, fare_cents=cents, reason="The gate was broken")


def test_a_granted_claim_gives_the_fare_back_and_the_operator_pays_it(town: Town, ana: Person, app: Flask) -> None:
    opened = claim(town, app, ana, ride(town, ana), said="My card was at home")
    assert (opened["state"], opened["fare_cents"], opened["ride"]["network"]) == ("open", BUS_CENTS, "bus")
    done = refund(town, opened["id"])
    assert done["outcome"] == "accepted", done
    assert (town.balance(ana), town.balance_of("revenue:transit:loop")) == (100_00, [0])
    entry = town.run(lambda session: ledger.entry(session, UUID(done["record_id"])))
    assert (entry.kind, dict(entry.metadata)["claim"]) == (ledger.EntryKind.FARE_REFUNDED, opened["id"])
    [mine] = town.client.get("/v1/me/claims", headers=rider(town, app, ana)).get_json()["claims"]
    assert (mine["state"], mine["refunded_cents"], mine["why"]) == ("refunded", BUS_CENTS, "The gate was broken")
    now = town.clock.now()
    [line] = town.run(lambda session: settling.settlement(session, "loop", town.today(), now)).lines
    assert (line.charged_cents, line.refunded_cents, line.due_cents) == (BUS_CENTS, BUS_CENTS, 0)
    town.check()


def test_what_a_claim_gave_back_is_not_given_back_again_by_a_late_exit(town: Town, ana: Person, app: Flask) -> None:
    entry = Tap("rail", "metro-magallanes", "in", HOLD_CENTS, "PHP", 1, 1)
    sent = town.validator().send_one(entry, ana.signs(P))
    assert sent.record_id is not None
    late = town.validator()
    town.clock.advance(timedelta(minutes=20))
    late.add(Tap("rail", "metro-ayala", "out", 0, "PHP", 1, 1), ana.signs(P))  # 15.00, and its gate has no network
    opened = claim(town, app, ana, sent.record_id, reason="missing_exit", stop_id="metro-ayala")
    assert refund(town, opened["id"], 10_00)["outcome"] == "accepted"
    assert town.balance(ana) == 100_00 - HOLD_CENTS + 10_00
    assert late.send()[0].outcome == "accepted"
    assert town.balance(ana) == 100_00 - 15_00  # 3.00 more, not 13.00
    assert town.balance_of("revenue:transit:metro") == [15_00]
    town.check()


def test_a_debt_is_paid_first_by_what_is_given_back(town: Town, app: Flask) -> None:
    town.tariff()
    ben = town.rich_person(20_00)
    first = ride(town, ben)
    ride(town, ben)
    assert (town.balance(ben), town.owed(ben)) == (0, 6_00)
    refund(town, claim(town, app, ben, first)["id"])
    assert (town.balance(ben), town.owed(ben)) == (7_00, 0)
    town.check()


def test_a_claim_is_decided_once(town: Town, ana: Person, app: Flask) -> None:
    opened = claim(town, app, ana, ride(town, ana))
    path = f"/v1/transit/claims/{opened['id']}"
    refused = town.post(f"{path}/refusal", {"reason": "The gate saw the card"}, "finance")
    assert (refused["state"], refused["why"]) == ("refused", "The gate saw the card")
    town.post(f"{path}/refusal", {"reason": "Once more"}, "finance", status=409)
    body = {"fare_cents": BUS_CENTS, "reason": "Changed my mind", "password": PASSWORD}
    answer = town.post(f"{path}/refund", body, "finance", key=town.key(), status=409)
    assert answer["code"] == "claim_decided"
    portal = FareRefunded(
        town.staff("finance").id,
        UUID(opened["id"]),
        ana.wallet_id,
        UUID(opened["ride"]["ride_id"]),
        1,
        0,
        "PHP",
        "again",
    )
    assert town.counter().send_one(portal, town.staff_signs("finance")).reason is not None
    assert town.balance(ana) == 100_00 - BUS_CENTS


def test_the_same_refund_sent_twice_is_paid_once(town: Town, ana: Person, app: Flask) -> None:
    opened = claim(town, app, ana, ride(town, ana))
    body = {"fare_cents": 5_00, "reason": "Half the way", "password": PASSWORD}
    key = town.key()
    path = f"/v1/transit/claims/{opened['id']}/refund"
    first = town.post(path, body, "finance", key=key)
    assert (first["outcome"], first["replayed"]) == ("accepted", False)
    assert town.balance(ana) == 100_00 - BUS_CENTS + 5_00
    town.post(path, body, "finance", key=key, status=409)
    assert town.balance(ana) == 100_00 - BUS_CENTS + 5_00


def test_no_more_goes_back_than_the_ride_came_to(town: Town, ana: Person, app: Flask) -> None:
    ride_id = ride(town, ana)
    opened = claim(town, app, ana, ride_id, reason="wrong_stop", stop_id="buendia")
    body = {"fare_cents": BUS_CENTS + 1, "reason": "Too much", "password": PASSWORD}
    path = f"/v1/transit/claims/{opened['id']}/refund"
    assert town.post(path, body, "finance", key=town.key(), status=422)["code"] == "claim_not_possible"
    refund(town, opened["id"], 10_00)
    again = claim(town, app, ana, ride_id)
    assert again["ride"]["fare_cents"] == BUS_CENTS - 10_00
    body = {"fare_cents": BUS_CENTS, "reason": "Too much", "password": PASSWORD}
    town.post(f"/v1/transit/claims/{again['id']}/refund", body, "finance", key=town.key(), status=422)
    refund(town, again["id"], BUS_CENTS - 10_00)
    assert claim(town, app, ana, ride_id, status=422)["code"] == "claim_not_possible"
    assert town.balance(ana) == 100_00


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"reason": "not_me", "stop_id": "ayala"}, 422),
        ({"reason": "missing_exit"}, 422),
        ({"reason": "too_warm"}, 422),
        ({"said": "x" * 401}, 422),
    ],
)
def test_a_claim_that_says_nothing_useful_is_refused(
    town: Town, ana: Person, app: Flask, said: dict[str, str], status: int
) -> None:
    claim(town, app, ana, ride(town, ana), status, **said)


def test_nobody_claims_twice_at_once_late_or_for_somebody_else(town: Town, ana: Person, app: Flask) -> None:
    ride_id, other = ride(town, ana), town.person()
    assert claim(town, app, other, ride_id, 404)["code"] == "unknown_ride"
    claim(town, app, ana, ride_id)
    assert "open claim" in claim(town, app, ana, ride_id, 422)["detail"]
    second = ride(town, ana)
    town.clock.advance(timedelta(days=31))
    assert "30 days" in claim(town, app, ana, second, 422)["detail"]


def test_a_large_refund_takes_two_people_and_one_of_them_signs_it(town: Town, app: Flask) -> None:
    town.tariff()
    cleo = town.rich_person(200_00)
    ride_id = ride(town, cleo)
    cents = REFUND_ALONE_CENTS_MAX + 1
    raise_cost(town, cleo, ride_id, cents)
    opened = claim(town, app, cleo, ride_id)
    alone = refund(town, opened["id"], cents)
    assert (alone["outcome"], alone["reason"]) == ("rejected", "not_permitted")
    assert "Two people" in alone["detail"]
    asked = {"fare_cents": cents, "reason": "Not her ride", "password": PASSWORD}
    payload = {"claim_id": opened["id"], "fare_cents": cents, "reason": "Not her ride"}
    proposed = town.post("/v1/actions", {"kind": "transit.refund", "payload": payload}, "finance", status=201)
    for role in ("finance", "treasurer"):
        town.post(f"/v1/actions/{proposed['id']}/signatures", {"password": PASSWORD}, role, status=201)
    third = town.post(f"/v1/transit/claims/{opened['id']}/refund", asked, "finance", "clerk", key=town.key())
    assert (third["outcome"], third["reason"]) == ("rejected", "not_permitted")
    assert refund(town, opened["id"], cents, "treasurer")["outcome"] == "accepted"
    assert town.balance(cleo) == 200_00 - BUS_CENTS + cents


def raise_cost(town: Town, person: Person, ride_id: UUID, cents: int) -> None:
    """No ride of the demo tariff costs so much: the ride's charge is written as if it did."""

    def work(session: Any) -> None:
        row = session.scalars(sa.select(RideCharge).where(RideCharge.ride_id == ride_id)).one()
        columns = {c.name: getattr(row, c.name) for c in RideCharge.__table__.columns if c.name != "id"}
        session.execute(sa.insert(RideCharge), columns | {"fare_cents": cents - row.fare_cents})

    town.run(work)


def test_a_rider_claims_from_the_ride_and_reads_the_answer(town: Town, ana: Person, app: Flask) -> None:
    ride_id = ride(town, ana)
    browser = surfing.resident(town, app, ana)
    assert f'href="/wallet/rides/{ride_id}/claim"' in browser.get("/wallet/rides")
    form = browser.read(f"/wallet/rides/{ride_id}/claim")
    assert "Something is wrong with this ride" in form
    assert "₱13.00" in form
    assert "Choose what was wrong" in browser.refused(f"/wallet/rides/{ride_id}/claim", 422)
    fields = {"reason": "missing_exit", "stop_id": "buendia", "said": "The gate was dark"}
    assert "Waits for an answer" in browser.send(f"/wallet/rides/{ride_id}/claim", **fields)
    officer = surfing.staff(town, app, "finance")
    listed = officer.read("/claims")
    assert "I left, and no gate noticed" in listed
    assert "City buses, Ayala Avenue, " in listed
    [found] = town.client.get("/v1/transit/claims", headers=town.token("finance")).get_json()["claims"]
    path = f"/claims/{found['id']}"
    assert "The gate was dark" in officer.read(path)
    assert "Stop, says the rider Buendia" in officer.read(path)
    assert "City buses, from Ayala Avenue on " in officer.read(path)
    assert "Say why" in officer.refused(f"{path}/refuse", 422, reason="")
    key = officer.get(path).split('name="key" value="')[1].split('"')[0]
    sent = {"key": key, "amount": "3.00", "reason": "The rest of the way", "password": PASSWORD}
    assert "Money given back" in officer.send(f"{path}/refund", **sent)
    assert officer.post(f"{path}/refund", **sent).status_code == 409
    answered = browser.read("/wallet/claims")
    assert "₱3.00 were given back" in answered
    assert "I left, and no gate noticed: Buendia." in answered
    assert town.balance(ana) == 100_00 - BUS_CENTS + 3_00


def test_only_finance_decides_and_only_riders_claim(town: Town, ana: Person, app: Flask) -> None:
    opened = claim(town, app, ana, ride(town, ana))
    path = f"/v1/transit/claims/{opened['id']}"
    assert town.client.get(path, headers=town.token("auditor")).status_code == 200
    assert town.client.get(path, headers=town.token("cashier")).status_code == 403
    town.post(f"{path}/refusal", {"reason": "No reason"}, "auditor", status=403)
    body = {"ride_id": opened["ride"]["ride_id"], "reason": "not_me"}
    assert town.client.post("/v1/me/claims", json=body, headers=town.token("finance")).status_code == 403
