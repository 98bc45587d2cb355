"""The price of a card at a counter's window: a line of its own, a record and a receipt of its own, never in a load."""

from typing import Any
from uuid import UUID

import pytest

from terminals.card import SimulatedCard
from tests.terminals.service import PASSWORD, PIN, CityService
from tests.terminals.window import Window

PRICE = "₱100.00"


@pytest.fixture
def order(office: CityService, window: Window) -> Any:
    """A resident whose card was lost, with the approved order of the next one, for which a price holds."""
    office.card_price(100_00)
    office.fund_vault(5_000_00)
    resident = office.resident()
    resident_id = UUID(resident["id"])
    office.active_card(resident_id)
    [held] = office.clerk.cards_of(resident_id)
    order = office.clerk.replace_card(held.card_id, "lost")
    office.person("oscar").approve_card(order.card_id)
    return {"card_id": order.card_id, "number": resident["number"]}


def open_shift(window: Window) -> None:
    window.sign_in("cora")
    assert "It is in the books" in window.post("/shift/open", amount="1,000.00", password=PASSWORD)


def money_lines(page: str) -> list[str]:
    """Every line of a list that ends in an amount: its name and the amount."""
    found = []
    for line in page.split("<li>")[1:]:
        words = line.split("</li>")[0].replace("<span", " <span")
        text = "".join(part.split(">", 1)[-1] for part in words.split("<"))
        found.append(" ".join(text.split()))
    return found


def test_card_and_load_are_two_lines_two_records_and_two_receipts(
    office: CityService, window: Window, order: Any
) -> None:
    open_shift(window)
    issue, price = f"/issue?resident={order['number']}", f"/card-price?resident={order['number']}"
    assert f"Card {PRICE} to be paid" in " ".join(money_lines(window.get(issue)))
    window.reader.insert(SimulatedCard.blank())
    made = window.post(issue, deed="make")
    assert "Its price is to be paid before the holder gets it" in made
    assert "Let the holder choose a PIN" not in made
    assert f"Card {PRICE}" in money_lines(window.get(price))
    receipt = window.post(price, password=PASSWORD)
    assert "It is in the books" in receipt
    assert "Price of the card" in receipt
    assert f"Amount {PRICE}" in money_lines(receipt)
    assert "Total in cash" not in receipt
    assert f'counter{issue}"' in receipt  # the visit goes on with the card
    page = window.get(issue)
    assert f"Card {PRICE} paid" in " ".join(money_lines(page))
    assert "Take the price of the card" not in page
    assert "Let the holder choose a PIN" in page
    assert "The card is active" in window.post("/pin", pin=PIN.decode(), pin_again=PIN.decode())
    top_up = f"/top-up?card={order['card_id']}"
    assert top_up in window.get(issue)
    assert f"Card, paid apart {PRICE}" in money_lines(window.get(top_up))
    loaded = money_lines(window.post(top_up, amount="70.00"))
    assert "Amount ₱70.00" in loaded
    assert loaded[-3:] == [f"Card {PRICE}", "Load ₱70.00", "Total in cash ₱170.00"]
    count = money_lines(window.get("/shift/close"))
    assert count[-4:] == ["Float ₱1,000.00", "Loads ₱70.00", f"Cards {PRICE}", "Expected ₱1,170.00"]
    assert f"Taken for cards {PRICE}" in money_lines(window.get(""))
    assert "It is in the books" in window.post("/shift/close", amount="1,170.00", password=PASSWORD)
    totals = office.ask("tessa", "GET", "/v1/finance/trial-balance?by_account=true", None)
    earned = {line["code"]: line["credit_cents"] for line in totals["lines"]}
    assert (earned["revenue:fees:card"], earned.get("cash:over-short", 0)) == (100_00, 0)


def test_a_clerk_without_a_shift_is_told_who_takes_it(window: Window, order: Any) -> None:
    window.sign_in("clara")
    page = window.get(f"/issue?resident={order['number']}")
    assert f"Card {PRICE} to be paid" in " ".join(money_lines(page))
    assert "A cashier with an open shift takes it in cash" in page
    price = f"/card-price?resident={order['number']}"
    assert "No shift is open at this counter" in window.post(price, password=PASSWORD)


def test_it_is_not_taken_twice_nor_with_a_wrong_password(office: CityService, window: Window, order: Any) -> None:
    open_shift(window)
    price = f"/card-price?resident={order['number']}"
    assert "Total in cash" not in window.post(price, password="not the password")
    assert office.person("cora").card_fee(order["card_id"]).is_due  # type: ignore[union-attr]
    assert "It is in the books" in window.post(price, password=PASSWORD)
    assert "Nothing is to be paid for this card (paid)" in window.post(price, password=PASSWORD)
    assert f"Cards {PRICE}" in money_lines(window.get("/shift/close"))


def test_the_price_of_each_reason_is_said_before_the_card_is_stopped(office: CityService, window: Window) -> None:
    office.card_price(100_00)
    office.card_price(50_00, "renewal")
    resident = office.resident()
    office.active_card(UUID(resident["id"]))
    window.sign_in("clara")
    page = window.get(f"/replace?resident={resident['number']}")
    assert page.count(PRICE) == 1
    assert "₱50.00" in page


def test_a_free_card_shows_no_price(office: CityService, window: Window) -> None:
    resident = office.resident()
    office.approved_card(UUID(resident["id"]))
    window.sign_in("clara")
    page = window.get(f"/issue?resident={resident['number']}")
    assert 'id="price"' not in page
    assert "₱" not in page
