"""Passes in a browser, on the API and at the command line: seen by anybody, bought with a passkey by whoever pays."""

import base64
import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from cardsvc.transit.passes.commands import passes
from crypto.wire.transaction import Purpose, Record
from crypto.wire.transit import PassBought
from tests.builders import PASSWORD
from tests.passkeys import SoftPasskey
from tests.surfing import resident, words
from tests.town import Person, Town, tap

WEEK_CENTS = 150_00
BUY = "/wallet/passes/buy?pass=bus-week"


class Buyer:
    """A resident with a wallet and a passkey, at the pages of the passes."""

    def __init__(self, town: Town, app: Flask, cents: int = 1_000_00) -> None:
        self.town, self.person = town, town.rich_person(cents)
        self.passkey = SoftPasskey(self.person.resident_id, credential_id=self.person.resident_id.bytes)
        self.surfer = resident(town, app, self.person)
        self.passkey.register(town.city)  # after the password: a new password deletes passkeys

    def record(self, path: str = BUY) -> bytes:
        """What the page asks the passkey to sign."""
        found = re.search(r'name="record" value="([^"]*)"', self.surfer.get(path))
        assert found is not None
        return base64.urlsafe_b64decode(html.unescape(found[1]))

    def buy(self, record: bytes, answer: str = "", path: str = BUY) -> tuple[int, str]:
        sent = self.surfer.post(
            path,
            record=base64.urlsafe_b64encode(record).decode(),
            credential=answer or self.passkey.answer(record),
        )
        return sent.status_code, words(sent.text)


@pytest.fixture
def buyer(town: Town, app: Flask) -> Buyer:
    town.tariff()
    return Buyer(town, app)


def test_a_pass_is_bought_with_a_passkey_and_shown_as_held(buyer: Buyer) -> None:
    assert "You hold no pass." in buyer.surfer.read("/wallet/passes")
    shown = buyer.surfer.read(BUY)
    assert "Bus for a week" in shown
    assert "Pay ₱150.00 with your passkey" in shown
    record = buyer.record()
    made = Record.decode(record)
    assert PassBought.decode(made) == PassBought("bus-week", 1, buyer.town.today(), WEEK_CENTS, "PHP")
    assert buyer.buy(record)[0] == 303
    assert buyer.town.balance(buyer.person) == 1_000_00 - WEEK_CENTS
    held = buyer.surfer.read("/wallet/passes")
    assert "City buses. Good until Nov 9, 2026, 4:00" in held
    assert "Good now" in held
    gate = buyer.town.validator()
    buyer.town.clock.advance(timedelta(minutes=5))
    gate.send_one(tap(), buyer.person.signs(Purpose.PRESENCE))
    assert buyer.town.balance(buyer.person) == 1_000_00 - WEEK_CENTS
    buyer.town.check()


def test_the_same_page_sent_twice_buys_once(buyer: Buyer) -> None:
    record = buyer.record()
    answer = buyer.passkey.answer(record)
    assert [buyer.buy(record, answer)[0] for _ in range(2)] == [303, 303]
    assert buyer.town.balance(buyer.person) == 1_000_00 - WEEK_CENTS
    assert buyer.town.count("rider_pass") == 1


def test_a_later_first_day_is_chosen_and_one_too_far_is_not(buyer: Buyer) -> None:
    later, never = (buyer.town.today() + timedelta(days=days) for days in (30, 31))
    assert PassBought.decode(Record.decode(buyer.record(f"{BUY}&begins={later}"))).begins == later
    for wrong in (str(never), str(buyer.town.today() - timedelta(days=1)), "tomorrow"):
        assert "Choose a day from November 2, 2026 to" in buyer.surfer.read(f"{BUY}&begins={wrong}", 422)
    assert buyer.buy(buyer.record(f"{BUY}&begins={later}"), path=f"{BUY}&begins={later}")[0] == 303
    assert "Not yet" in buyer.surfer.read("/wallet/passes")


def test_what_is_refused_says_so_and_takes_nothing(town: Town, app: Flask, buyer: Buyer) -> None:
    other = buyer.record()
    status, text = buyer.buy(buyer.record(), buyer.passkey.answer(other))
    assert (status, "There is a problem" in text) == (409, True)
    poor = Buyer(town, app, 149_99)
    status, text = poor.buy(poor.record())
    assert (status, "There is a problem" in text, town.owed(poor.person)) == (409, True, 0)
    record = buyer.record()
    town.tariff(capped=False)
    status, text = buyer.buy(record)
    assert (status, "The tariff changed since you were shown this pass" in text) == (409, True)
    assert (town.balance(buyer.person), town.balance(poor.person)) == (1_000_00, 149_99)
    town.check()


def test_a_pass_that_is_not_on_sale_leads_to_those_that_are(buyer: Buyer) -> None:
    assert buyer.surfer.client.get("/wallet/passes/buy?pass=moon").status_code == 302


def test_who_has_no_passkey_is_sent_to_add_one_or_to_a_kiosk(town: Town, app: Flask) -> None:
    town.tariff()
    page = resident(town, app, town.rich_person()).read(BUY)
    assert "Add a passkey" in page
    assert "with your card and PIN at a kiosk" in page


def test_the_pages_speak_filipino(buyer: Buyer) -> None:
    assert "Mga pass sa biyahe" in buyer.surfer.read("/wallet/passes?lang=fil")


def test_anybody_reads_what_is_on_sale(town: Town) -> None:
    nothing: dict[str, object] = {
        "tariff_version": None,
        "currency": "PHP",
        "begins_first": None,
        "begins_last": None,
        "passes": [],
    }
    assert town.client.get("/v1/transit/passes").get_json() == nothing
    town.tariff()
    answer = town.client.get("/v1/transit/passes").get_json()
    assert (answer["tariff_version"], answer["begins_first"], answer["begins_last"]) == (1, "2026-11-02", "2026-12-02")
    assert answer["passes"] == [
        one("bus-week", "Bus for a week", ["bus"], 150_00, 7, None),
        one("rail-ten", "Ten rides by rail", ["rail"], 180_00, 60, 10),
        one("city-month", "All lines for 30 days", [], 1_200_00, 30, None),
    ]
    told = CliRunner().invoke(passes, ["--json"], obj=lambda: town.city)
    assert json.loads(told.output) == answer
    text = CliRunner().invoke(passes, [], obj=lambda: town.city).output
    assert "Ten rides by rail: 10 rides in 60 days, rail" in text


def one(pass_id: str, name: str, networks: list[str], cents: int, days: int, rides: int | None) -> dict[str, object]:
    facts = {"pass_id": pass_id, "name": name, "networks": networks, "amount_cents": cents}
    return facts | {"days": days, "rides": rides}


def read(town: Town, person: Person) -> Any:
    """What a program of the rider is answered."""
    given = {"username": f"resident-{person.number.lower()}", "password": PASSWORD}
    token = town.client.post("/v1/sign-in", json=given).get_json()["token"]
    return town.client.get("/v1/me/passes", headers={"Authorization": f"Bearer {token}"}).get_json()


def test_a_rider_reads_the_own_passes_and_nobody_else_does(buyer: Buyer, town: Town, app: Flask) -> None:
    path = "/wallet/passes/buy?pass=rail-ten"
    record = buyer.record(path)
    assert buyer.buy(record, path=path)[0] == 303
    [mine] = read(town, buyer.person)["passes"]
    assert (mine["pass_id"], mine["rides"], mine["rides_left"], mine["amount_cents"]) == ("rail-ten", 10, 10, 180_00)
    assert mine["holding_id"] == str(Record.decode(record).record_id)
    ben = town.person()
    resident(town, app, ben)
    assert read(town, ben) == {"passes": []}
    assert town.client.get("/v1/me/passes").status_code == 401
