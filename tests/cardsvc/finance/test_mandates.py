"""Automatic top-ups: as the holder agreed, from a purse whose money may become balance, until they end it."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask import Flask

from cardsvc import finance, transactions, wallets
from cardsvc.finance.commands import finance as finance_commands
from crypto.wire.kinds import Kind
from crypto.wire.transaction import Purpose
from crypto.wire.wallets import AutoTopUp
from tests import evidence
from tests.builders import PASSWORD
from tests.statements import Booked, camt053
from tests.surfing import resident
from tests.town import Person, Town, tap

FUND = "benefits:AID:fund"


def desk(town: Town) -> transactions.Desk:
    return transactions.Desk(town.city.handlers.registry, town.city.vault, town.city.random_bytes)


def follow(town: Town) -> int:
    return town.run(lambda session: finance.follow_mandates(session, desk(town), town.clock.now()))


def purse(
    town: Town, person: Person, cents: int, name: str = "aid", purpose: str = "any", until: datetime | None = None
) -> None:
    given = {
        "name": name,
        "purpose": purpose,
        "amount_cents": cents,
        "currency": "PHP",
        "source": FUND,
        "expires_at": None if until is None else until.isoformat(),
    }
    assert town.act(f"/v1/wallets/{person.wallet_id}/purses", "treasurer", **given)["outcome"] == "accepted"


def agree(town: Town, person: Person, *, status: int = 201, **more: Any) -> Any:
    given = {
        "source": "aid",
        "threshold_cents": 50_00,
        "amount_cents": 100_00,
        "day_max": 2,
        "consent": "Form 12",
    } | more
    return town.post(f"/v1/wallets/{person.wallet_id}/top-up-mandate", given, "cashier", status=status)


def left(town: Town, person: Person) -> int:
    return town.balance_of(f"wallet:{person.wallet_id}:purse:aid")[0]


@pytest.fixture
def ana(town: Town) -> Person:
    """Somebody with 400 pesos in a purse for anything and nothing else."""
    town.post("/v1/benefits/programmes", {"code": "AID", "name": "Aid"}, "benefits_officer", status=201)
    town.fund(10_000_00, FUND, "F-AID")
    person = town.person()
    purse(town, person, 400_00)
    return person


def test_a_balance_below_the_threshold_is_topped_up_as_often_as_agreed(town: Town, ana: Person) -> None:
    agree(town, ana, threshold_cents=150_00)
    assert [follow(town) for _ in range(4)] == [1, 1, 0, 0]
    assert (town.balance(ana), left(town, ana)) == (200_00, 200_00)
    town.clock.advance(timedelta(days=1))
    assert follow(town) == 0  # it is not below any more
    town.check()


def test_at_most_so_many_times_a_day(town: Town, ana: Person) -> None:
    agree(town, ana, threshold_cents=1_000_00, day_max=2)
    assert [follow(town) for _ in range(3)] == [1, 1, 0]
    town.clock.advance(timedelta(days=1))
    assert [follow(town) for _ in range(3)] == [1, 1, 0]
    assert (town.balance(ana), left(town, ana)) == (400_00, 0)
    town.clock.advance(timedelta(days=1))
    assert follow(town) == 0  # the purse has nothing left
    town.check()


def test_nothing_moves_where_the_purse_lacks_the_money(town: Town, ana: Person) -> None:
    agree(town, ana, amount_cents=400_01)
    assert follow(town) == 0
    assert left(town, ana) == 400_00
    assert town.count("auto_top_up") == 0


def test_what_is_owed_is_paid_first(town: Town, ana: Person) -> None:
    town.tariff()
    bo = town.person()
    assert town.validator().send_one(tap(), bo.signs(Purpose.PRESENCE)).outcome == "accepted"
    owed = town.owed(bo)
    assert owed > 0
    purse(town, bo, 100_00)
    agree(town, bo)
    assert follow(town) == 1
    assert (town.owed(bo), town.balance(bo)) == (0, 100_00 - owed)
    town.check()


def test_a_purse_for_a_purpose_or_a_time_refuses(town: Town, ana: Person) -> None:
    purse(town, ana, 10_00, "rides", "transit")
    purse(town, ana, 10_00, "soon", "any", town.clock.now() + timedelta(days=9))
    for source in ("rides", "soon", "nothing"):
        assert agree(town, ana, source=source, status=422)["code"] == "unfit_mandate"
    assert town.count("top_up_mandate") == 0


def test_a_mandate_is_taken_back_at_once_and_replaced_by_the_next(town: Town, ana: Person) -> None:
    agree(town, ana)
    agree(town, ana, amount_cents=60_00)
    told = CliRunner().invoke(finance_commands, ["mandate", ana.number, "--json"], obj=lambda: town.city)
    assert json.loads(told.output)["amount_cents"] == 60_00
    path = f"/v1/wallets/{ana.wallet_id}/top-up-mandate"
    assert town.client.get(path, headers=town.token("auditor")).get_json()["amount_cents"] == 60_00
    assert town.client.delete(path, headers=town.token("cashier")).status_code == 204
    assert town.client.get(path, headers=town.token("auditor")).get_json()["code"] == "no_mandate"
    assert town.client.delete(path, headers=town.token("cashier")).status_code == 404
    assert (follow(town), town.balance(ana)) == (0, 0)


def test_a_card_that_asks_for_its_balance_learns_its_mandate(town: Town, ana: Person) -> None:
    card = transactions.CardRef(town.key(), ana.resident_id)
    say = town.city.handlers.sections[Kind.BALANCE_QUERY]["wallet"]
    assert town.run(lambda session: say(session, card, town.clock.now()))["top_up_mandates"] == []
    agree(town, ana)
    terms = {"source": "aid", "threshold_cents": 50_00, "amount_cents": 100_00, "day_max": 2}
    assert town.run(lambda session: say(session, card, town.clock.now()))["top_up_mandates"] == [terms]


def test_the_service_signs_nothing_that_the_mandate_does_not_say(town: Town, ana: Person) -> None:
    purse(town, ana, 10_00, "rides", "transit")
    mandate_id = UUID(agree(town, ana, day_max=3)["mandate_id"])

    def send(body: AutoTopUp) -> transactions.ItemResult:
        now = town.clock.now()
        return town.run(
            lambda session: transactions.act_as_service(session, body, record_id=town.key(), desk=desk(town), now=now)
        )

    assert send(AutoTopUp(ana.wallet_id, mandate_id, "aid", 100_01, "PHP")).reason == "not_permitted"
    assert send(AutoTopUp(ana.wallet_id, mandate_id, "rides", 100_00, "PHP")).reason == "not_permitted"
    assert send(AutoTopUp(ana.wallet_id, town.key(), "aid", 100_00, "PHP")).reason == "not_permitted"
    assert send(AutoTopUp(town.person().wallet_id, mandate_id, "aid", 100_00, "PHP")).reason == "not_permitted"
    assert send(AutoTopUp(ana.wallet_id, mandate_id, "aid", 100_00, "PHP")).outcome == "accepted"
    assert send(AutoTopUp(ana.wallet_id, mandate_id, "aid", 100_00, "PHP")).reason == "already_done"
    assert town.balance(ana) == 100_00
    town.check()


def test_a_resident_agrees_and_ends_it_in_a_browser_and_over_the_api(town: Town, app: Flask, ana: Person) -> None:
    browser = resident(town, app, ana)
    assert "not topped up by itself" in browser.read("/wallet/top-up")
    said = {"source": "aid", "threshold": "50", "amount": "100.00", "day_max": "1"}
    assert "pesos" in browser.refused("/wallet/top-up", 422, **(said | {"amount": "much"})).lower()
    page = browser.send("/wallet/top-up", **said)
    assert "When your balance is below ₱50.00, ₱100.00 come from aid" in page
    assert follow(town) == 1
    assert "Automatic top-up" in browser.read("/wallet")
    assert "not topped up by itself" in browser.send("/wallet/top-up/end")
    browser.send("/wallet/top-up/end")
    given = {"username": f"resident-{ana.number.lower()}", "password": PASSWORD}
    token = town.client.post("/v1/sign-in", json=given).get_json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    terms = {"source": "aid", "threshold_cents": 50_00, "amount_cents": 100_00}
    made = town.client.post("/v1/me/top-up-mandate", json=terms, headers=headers)
    assert (made.status_code, made.get_json()["day_max"]) == (201, 1)
    assert town.client.get("/v1/me/top-up-mandate", headers=headers).get_json() == made.get_json()
    assert town.client.delete("/v1/me/top-up-mandate", headers=headers).status_code == 204


def test_who_has_no_purse_that_may_give_is_told_so(town: Town, app: Flask) -> None:
    browser = resident(town, app, town.person())
    assert "It needs a purse" in browser.read("/wallet/top-up")


def test_the_evidence_of_transfers_and_automatic_top_ups_verifies(town: Town, ana: Person, tmp_path: Path) -> None:
    agree(town, ana)
    assert follow(town) == 1
    day, reference = town.today(), wallets.reference_of(ana.wallet_id)
    data = camt053("S-1", 0, [Booked(day, 30_00, reference), Booked(day, 20_00, "RF00")], first=day, last=day)
    assert town.client.post("/v1/finance/statements", data=data, headers=town.token("finance")).status_code == 200
    results = town.post("/v1/finance/transfers", {"password": PASSWORD}, "finance")["results"]
    [waits] = [one["record_id"] for one in results if one["wallet_id"] is None]
    given = {"wallet_id": str(ana.wallet_id), "reason": "The slip"}
    assert town.act(f"/v1/finance/transfers/{waits}/assignment", "treasurer", **given)["outcome"] == "accepted"
    assert town.balance(ana) == 150_00
    verdict = evidence.verify(evidence.export(town, tmp_path))
    assert verdict.holds, verdict
