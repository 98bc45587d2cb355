"""Prices and waivers in a browser without JavaScript: put to two people, signed by both, seen on the card's page."""

from datetime import timedelta

import pytest
from flask import Flask

from tests import surfing
from tests.builders import PASSWORD
from tests.prices import LOST_CENTS, fee, hand_over, replaced, set_price
from tests.surfing import Surfer
from tests.town import Town


@pytest.fixture
def finance(town: Town, app: Flask) -> Surfer:
    return surfing.staff(town, app, "finance")


@pytest.fixture
def treasurer(town: Town, app: Flask) -> Surfer:
    return surfing.staff(town, app, "treasurer")


def sign(path: str, *people: Surfer) -> None:
    for person in people:
        assert person.post(f"{path}/sign", password=PASSWORD).status_code == 302


def test_a_price_is_put_to_two_and_then_holds(town: Town, finance: Surfer, treasurer: Surfer) -> None:
    assert "No price was set: every card is free." in finance.read("/cards/prices")
    day = town.today() + timedelta(days=1)
    given = {"issue": "lost", "amount": "100.00", "valid_from": day.isoformat()}
    answer = finance.post("/cards/prices", **given)
    assert answer.status_code == 303
    said = treasurer.read(answer.location)
    assert "a card in the place of one that ended as lost costs ₱100.00" in said
    sign(answer.location, finance, treasurer)
    page = finance.read("/cards/prices")
    assert "to come ₱100.00" in page
    assert "The card before was lost free" in page
    order = replaced(town, town.person())
    assert fee(town, order) == ("lost", 0, "free")
    town.clock.advance(timedelta(days=1))
    assert fee(town, order) == ("lost", LOST_CENTS, "due")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"issue": ""}, "Choose why the card is issued."),
        ({"amount": "ten"}, "Enter an amount, like 100.00"),
        ({"valid_from": ""}, "Give the day from which it holds."),
        ({"valid_from": "2026-01-01"}, "is over"),
        ({"amount": "10,000.01"}, "A card costs 0"),
    ],
)
def test_what_cannot_be_a_price_is_said_and_nothing_is_proposed(
    town: Town, finance: Surfer, wrong: dict[str, str], words: str
) -> None:
    given = {"issue": "lost", "amount": "100.00", "valid_from": town.today().isoformat()} | wrong
    assert words in finance.refused("/cards/prices", 422, **given)
    assert town.count("action") == 0


def test_only_finance_sets_prices_and_auditors_read_them(town: Town, app: Flask) -> None:
    auditor, officer = surfing.staff(town, app, "auditor"), surfing.staff(town, app, "card_officer")
    assert "Set a price" not in auditor.read("/cards/prices")
    given = {"issue": "lost", "amount": "1.00", "valid_from": town.today().isoformat()}
    assert auditor.post("/cards/prices", **given).status_code == 403
    officer.get("/cards/prices", 403)


def test_an_officer_asks_for_a_waiver_on_the_cards_page(town: Town, app: Flask, treasurer: Surfer) -> None:
    set_price(town, LOST_CENTS)
    ana, officer = town.person(), surfing.staff(town, app, "card_officer")
    path = f"/cards/{replaced(town, ana)}"
    assert "Price of the card ₱100.00, to be paid" in officer.read(path)
    assert "The reason is a text" in officer.refused(f"{path}/waiver", 422, waiver="")
    answer = officer.post(f"{path}/waiver", waiver="Indigent, says the barangay")
    assert answer.status_code == 303
    sign(answer.location, officer, treasurer)
    page = officer.read(path)
    assert "₱100.00, waived by two" in page
    assert "Ask to waive" not in page
    assert "Nothing is due" in officer.refused(f"{path}/waiver", 409, waiver="Indigent, says the barangay")
    hand_over(town, ana)


def test_a_clerk_sees_the_price_and_asks_for_no_waiver(town: Town, app: Flask) -> None:
    set_price(town, LOST_CENTS)
    path, clerk = f"/cards/{replaced(town, town.person())}", surfing.staff(town, app, "clerk")
    assert "₱100.00, to be paid" in clerk.read(path)
    assert "Ask to waive" not in clerk.read(path)
    assert clerk.post(f"{path}/waiver", waiver="Indigent").status_code == 403


def test_a_free_card_says_nothing_of_a_price(town: Town, app: Flask) -> None:
    path = f"/cards/{replaced(town, town.person())}"
    assert "Price of the card" not in surfing.staff(town, app, "clerk").read(path)
