"""Help with a PIN in the browser at a counter: tries shown, the PIN changed by its holder, a forgotten one replaced."""

import pytest

from cardsvc import cards, db, residents
from terminals.card import PinRejected, SimulatedCard
from tests.terminals.city import session
from tests.terminals.service import PIN, CityService
from tests.terminals.window import Window

OTHER = "86420975"


def opens(card: SimulatedCard, pin: bytes) -> bool:
    at_reader = session(card)
    at_reader.select()
    try:
        at_reader.verify_pin(bytearray(pin))
    except PinRejected:
        return False
    return True


def block(card: SimulatedCard) -> None:
    at_reader = session(card)
    at_reader.select()
    while (left := at_reader.pin_status().attempts_left) != 0:
        with pytest.raises(Exception, match="PIN"):
            at_reader.verify_pin(bytearray(b"000000"), last_try=left == 1)


def test_tries_are_shown_and_none_is_taken_by_looking(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    card = office.active_card()
    assert "5 tries left" in window.read(card)
    assert "5 tries left" in window.post("/holder-pin")


def test_the_holder_changes_the_pin(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    card = office.active_card()
    window.read(card)
    assert "PIN until now" in window.get("/holder-pin/change")
    assert "not the same" in window.post("/holder-pin/change", old=PIN.decode(), pin=OTHER, pin_again="999999")
    wrong = window.post("/holder-pin/change", old="000000", pin=OTHER, pin_again=OTHER)
    assert "The PIN is wrong" in wrong
    assert "4 tries left" in wrong
    assert "The PIN was changed" in window.post("/holder-pin/change", old=PIN.decode(), pin=OTHER, pin_again=OTHER)
    window.reader.remove()
    assert opens(card, OTHER.encode())


def test_the_last_try_is_taken_only_when_it_was_confirmed(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    card = office.active_card()
    window.read(card)
    for _ in range(4):
        window.post("/holder-pin/change", old="000000", pin=OTHER, pin_again=OTHER)
    asked = window.post("/holder-pin/change", old=PIN.decode(), pin=OTHER, pin_again=OTHER)
    assert "Use the last try" in asked
    assert "1 tries left" in asked
    done = window.post("/holder-pin/change", old=PIN.decode(), pin=OTHER, pin_again=OTHER, last_try="yes")
    assert "The PIN was changed" in done


def test_a_blocked_pin_is_replaced_after_the_person_was_identified(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    card = office.active_card()
    block(card)
    assert "The PIN is blocked" in window.read(card)
    assert "Juan" in window.get("/holder-pin/identity")
    assert "Say how you identified" in window.post("/holder-pin/identity")
    assert "Choose your PIN" in window.identify()
    assert "The card has a new PIN" in window.post("/holder-pin/reset", pin=OTHER, pin_again=OTHER)
    card_id = window.office.clerk.orders("active")[0].card_id
    history = db.run(office.engine, lambda opened: cards.history(opened, card_id))
    assert history[-1].reason == "new PIN by PUK: identified by document: passport P123"
    resident_id = office.clerk.card(card_id).resident_id
    looks = db.run(office.engine, lambda opened: residents.looks(opened, resident_id))
    assert any("new PIN at the counter" in look.purpose for look in looks.looks)
    window.reader.remove()
    assert opens(card, OTHER.encode())


def test_nobody_gets_a_new_pin_who_was_not_identified(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    card = office.active_card()
    window.read(card)
    assert "Help with the PIN" in window.post("/holder-pin/reset", pin=OTHER, pin_again=OTHER)
    window.reader.remove()
    assert opens(card, PIN)


def test_another_card_than_the_identified_persons_gets_no_new_pin(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    first, second = office.active_card(), office.active_card()
    window.read(first)
    window.identify()
    window.reader.insert(second)
    window.post("/holder-pin/reset", pin=OTHER, pin_again=OTHER)
    window.reader.remove()
    assert opens(second, PIN)


def test_a_card_that_is_not_in_force_gets_no_new_pin(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    card = office.active_card()
    card_id = office.clerk.orders("active")[0].card_id
    office.ask("clara", "POST", f"/v1/cards/{card_id}/suspension", {"reason": "found in a bus"})
    window.read(card)
    window.identify()
    assert "is suspended" in window.post("/holder-pin/reset", pin=OTHER, pin_again=OTHER)


def test_a_cashier_is_shown_nobody_and_sets_no_pin(office: CityService, window: Window) -> None:
    window.sign_in("carlo")
    page = window.read(office.active_card())
    assert "5 tries left" in page
    assert "send the holder to a clerk" in page
    assert "Juan" not in window.get("/holder-pin/identity")


def test_a_verified_card_shows_its_holder_and_not_why_it_may_not_be_used(office: CityService, window: Window) -> None:
    window.sign_in("clara")
    window.reader.insert(office.active_card())
    assert "Juan" in window.post("/verify")
    card_id = office.clerk.orders("active")[0].card_id
    office.ask("oscar", "POST", f"/v1/cards/{card_id}/revocation", {"reason": "stolen"})
    page = window.post("/verify")
    assert "This card may not be used" in page
    assert "stolen" not in page
    assert "revoked" not in page
