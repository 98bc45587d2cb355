"""A card replaced in one visit at the counter: stopped, ordered, approved by a second person, made, handed over."""

from uuid import UUID

from terminals.card import SimulatedCard
from tests.terminals.service import PASSWORD, PIN, CityService
from tests.terminals.window import Window

OFFICE = "oscar"


def test_a_lost_card_is_replaced_in_one_visit(office: CityService, window: Window) -> None:
    resident = office.resident()
    old_id = office.approved_card(UUID(resident["id"]))
    window.sign_in("clara")
    issue = f"/issue?resident={resident['number']}"
    made(window, issue, SimulatedCard.blank())
    page = window.get(issue)
    assert "Replace or renew this card" in page
    replace = f"/replace?resident={resident['number']}"
    assert "balance, purses, concessions and claims" in window.get(replace)
    assert "Say what happened" in window.post(replace)
    assert "has to approve" in window.post(replace, reason="lost", note="in a jeepney")
    assert office.clerk.card(old_id).state == "revoked"
    approve = f"/approve?resident={resident['number']}"
    assert "There is a problem" in window.post(approve, username="clara", password=PASSWORD)
    assert "Put a blank card" in window.post(approve, username=OFFICE, password=PASSWORD)
    made(window, issue, SimulatedCard.blank())
    cards = {card.state: card for card in office.clerk.cards_of(UUID(resident["id"]))}
    assert set(cards) == {"revoked", "active"}
    assert (cards["revoked"].card_id, cards["active"].replaces) == (old_id, old_id)


def test_a_renewal_before_its_time_says_from_when(office: CityService, window: Window) -> None:
    resident = office.resident()
    office.active_card(UUID(resident["id"]))
    window.sign_in("clara")
    page = window.post(f"/replace?resident={resident['number']}", deed="renew")
    assert "There is a problem" in page
    assert "from 20" in page


def made(window: Window, issue: str, card: SimulatedCard) -> None:
    window.reader.insert(card)
    assert "The card is ready for its holder" in window.post(issue, deed="make")
    assert "The card is active" in window.post("/pin", pin=PIN.decode(), pin_again=PIN.decode())
    window.reader.remove()
