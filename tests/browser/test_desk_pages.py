"""The pages of card officers, clerks and card holders, with a city behind them: every page at every size, in both
languages, and the ways through them that a person takes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Page
from sqlalchemy.orm import Session

from cardsvc import cards
from tests import builders, surfing
from tests.browser.conftest import WIDTHS, Open, fits, judge
from tests.browser.test_real_pages import sign_in
from tests.cardsvc.residents.test_looks_api import GOOD
from tests.prices import set_price
from tests.serving import serving
from tests.town import Person, Town

pytestmark = pytest.mark.browser


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@dataclass(frozen=True, slots=True)
class Desk:
    """A town in which everything that the pages show has happened."""

    town: Town
    person: Person
    lost: Person
    order: UUID
    bulk: UUID


@pytest.fixture
def desk(town: Town, app: Flask) -> Desk:
    person, lost = town.person(), town.person()
    now, random_bytes = town.clock.now(), town.city.random_bytes

    def order(session: Session) -> UUID:
        ids = [builders.make_resident(session, now, given_name=name).id for name in ("Ana", "Ben", "Carla Rosario")]
        made = [cards.request(session, one, by=builders.CLERK, now=now, random_bytes=random_bytes).id for one in ids]
        cards.approve(session, made[1], by=builders.OFFICER, now=now)
        return made[0]

    ordered = town.run(order)
    town.clock.advance(timedelta(days=3, hours=2))
    officer = surfing.staff(town, app, "card_officer", "clerk")
    note = {"product": "piv-aes128", "delivered_by": "Thales", "delivered_on": "2026-11-02"}
    officer.send("/cards/stock/delivery", **note, name="DN-2026-014", serials="B-1 B-2 B-3", delivered="4")
    officer.send("/cards/stock/spoilage", serial="B-1", reason="misprinted", note="upside down")
    officer.send(f"/cards/{lost.card.card_id}/suspension", reason="left on the bus")
    plan = {"kind": "suspend", "reason": "a bad batch of chips", "card_ids": str(person.card.card_id)}
    proposed = officer.post("/cards/many/new", **plan, do="propose")
    _two_entries(town)
    set_price(town, 30_00, "first")
    return Desk(town, person, lost, ordered, UUID(proposed.location.rpartition("/")[2]))


def _two_entries(town: Town) -> None:
    """Somebody and the same person mistyped, both with a photo."""
    header = town.token("clerk")
    maria = {
        "family_name": "Macapagal de la Cruz-Villanueva",
        "given_name": "Maria Luisa",
        "birth_date": "1985-06-01",
        "sex": "F",
        "barangay_code": "BR-07",
        "address": "12 Mabini St., Barangay San Isidro Labrador",
        "mobile": "+639171234567",
    }
    for given in (maria, maria | {"given_name": "Maria Lusia", "birth_date": "1985-01-06"}):
        made = town.client.post("/v1/residents", json=given, headers=header)
        assert made.status_code == 201, made.text
        path = f"/v1/residents/{made.get_json()['id']}/photo"
        assert town.client.put(path, data=GOOD, headers=header, content_type="image/png").status_code == 200


@pytest.fixture
def address(app: Flask, desk: Desk) -> Iterator[str]:
    with serving(app) as started:
        yield started


def staff_pages(desk: Desk) -> dict[str, str]:
    card = f"/cards/{desk.person.card.card_id}"
    return {
        "account": "/account",
        "cards": "/cards",
        "cards-wrong": "/cards?older_than=soon&stage=ready",
        "cards-found": f"/cards?q={desk.person.number}",
        "cards-nobody": "/cards?q=z",
        "card": card,
        "card-suspended": f"/cards/{desk.lost.card.card_id}",
        "card-order": f"/cards/{desk.order}",
        "ending": f"{card}/ending",
        "ending-follows": f"{card}/ending?reason=fraud",
        "stock": "/cards/stock",
        "blank": "/cards/stock?serial=B-2",
        "delivery": "/cards/stock/delivery",
        "many": "/cards/many",
        "plan": "/cards/many/new",
        "decision": f"/cards/many/{desk.bulk}",
        "pairs": "/residents/pairs",
        "pair": "/residents/pairs/1",
    }


def test_every_page_of_the_desk_is_accessible_and_fits(open_page: Open, address: str, desk: Desk) -> None:
    page = open_page(f"{address}/account")
    sign_in(page, desk.town.staff("card_officer", "clerk").username, builders.PASSWORD)
    page.wait_for_url("**/account")
    for name, path in staff_pages(desk).items():
        page.goto(f"{address}{path}")
        judge(page, f"desk-{name}", WIDTHS)
    for name, path in staff_pages(desk).items():
        page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang=fil")
        fits(page, f"desk-{name}-fil", WIDTHS[0])


def test_an_officer_plans_a_decision_and_goes_on_to_its_signatures(open_page: Open, address: str, desk: Desk) -> None:
    page = open_page(f"{address}/cards/many", java_script_enabled=False)
    sign_in(page, desk.town.staff("card_officer", "clerk").username, builders.PASSWORD)
    page.click("text=Plan a decision")
    page.check("#kind")
    page.fill("#reason", "a bad batch")
    page.fill("#card_ids", f"{desk.person.card.card_id}\n{desk.lost.card.card_id}")
    page.click("text=See whom it concerns")
    assert "1 card would change" in page.inner_text("#plan")
    page.click("text=Propose it")
    page.wait_for_url("**/actions/*")
    assert "Suspend 1 cards: a bad batch" in page.inner_text("main")


def test_two_entries_are_joined_and_parted_by_hand(open_page: Open, address: str, desk: Desk) -> None:
    page = open_page(f"{address}/residents/pairs")
    sign_in(page, desk.town.staff("card_officer", "clerk").username, builders.PASSWORD)
    page.click("text=Maria Lusia")
    page.check("#decision")
    page.fill("#reason", "the same photo")
    page.click("text=Decide >> nth=-1")
    assert "Joined by" in page.inner_text("main")
    judge(page, "desk-pair-joined", WIDTHS)
    page.fill("#reason", "twins")
    page.click("text=Part them again")
    assert "Two people, says" in page.inner_text("main")


def test_a_resident_blocks_the_own_card(open_page: Open, address: str, app: Flask, desk: Desk) -> None:
    surfing.resident(desk.town, app, desk.person)
    page = open_page(f"{address}/wallet/card")
    sign_in(page, f"resident-{desk.person.number.lower()}", builders.PASSWORD)
    page.wait_for_url("**/wallet/card")
    judge(page, "own-card", WIDTHS)
    _in_filipino(page, f"{address}/wallet/card", "own-card")
    page.click("text=I lost my card")
    judge(page, "own-card-lost", WIDTHS)
    _in_filipino(page, f"{address}/wallet/card/lost", "own-card-lost")
    page.click("text=Block it now")
    page.wait_for_url("**/wallet/card")
    assert "Your card is blocked for now" in page.inner_text("main")
    judge(page, "own-card-blocked", WIDTHS)


def _in_filipino(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}?lang=fil")
    fits(page, f"{name}-fil", WIDTHS[0])
    page.goto(f"{address}?lang=en")
