"""The service's pages with a city behind them: signed in through the form, filled by signed records, no samples."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page

from cardsvc import access
from cardsvc.settings import CHEAP
from crypto.wire.transaction import Purpose
from demo.city import bank
from tests import builders
from tests.browser.conftest import WIDTHS, Open, judge
from tests.serving import serving
from tests.town import Person, Town, pay, tap, top_up

pytestmark = pytest.mark.browser

PASSWORD = "the password of a resident"


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@pytest.fixture
def lively(town: Town) -> tuple[Town, Person]:
    """A resident with cash, rides, a claim waiting, a bill paid and one open; a bank statement with an odd line."""
    town.fund()
    town.withdraw()
    counter, shift_id = town.till()
    person = town.person()
    counter.send_one(top_up(shift_id, 500_00), person.signs(Purpose.PRESENCE))
    town.tariff()
    town.validator().send_one(tap(), person.signs(Purpose.PRESENCE))
    town.cycle(person)
    paid, _open = town.bills("100.00", "900.00", person=person)
    town.kiosk().send_one(pay(paid), person.signs(Purpose.CONSENT))
    today = town.clock.now().date()
    lines = [bank.BankLine(today, 1_250_00, None, "OVER THE COUNTER DEP NO REF")]
    statement = bank.statement(1, 0, lines, first=today, last=today, made_at=town.clock.now())
    headers = town.token("finance")
    posted = town.client.post("/v1/finance/statements", data=statement, headers=headers, content_type="application/xml")
    assert posted.status_code == 200
    town.run(
        lambda session: access.set_resident_password(
            session,
            person.resident_id,
            "maria",
            PASSWORD,
            town.clock.now(),
            random_bytes=town.city.random_bytes,
            cost=CHEAP,
        )
    )
    return town, person


@pytest.fixture
def address(app: Flask, lively: tuple[Town, Person]) -> Iterator[str]:
    with serving(app) as started:
        yield started


def sign_in(page: Page, username: str, password: str) -> None:
    page.fill("#username", username)
    page.fill("#password", password)
    page.click("main button[type=submit]:not(.govuk-password-input__toggle)")


def test_a_resident_reads_wallet_and_statement(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/wallet")  # which asks to sign in first
    judge(page, "real-sign-in", WIDTHS)
    sign_in(page, "maria", PASSWORD)
    page.wait_for_url("**/wallet")
    assert "₱386.00" in page.inner_text(".city-balance__sum")  # 500.00 less a ride of 13.00 and a bill of 101.00
    assert "₱500.00" in page.inner_text("main")  # the claim that waits
    assert "₱901.00" in page.inner_text("main")  # the bill that is open
    judge(page, "real-wallet", WIDTHS)
    page.goto(f"{address}/wallet/statement")
    judge(page, "real-statement", WIDTHS)


def test_finance_reads_the_day(open_page: Open, address: str, lively: tuple[Town, Person]) -> None:
    town, _ = lively
    username = town.staff("finance").username
    page = open_page(f"{address}/finance")
    sign_in(page, username, builders.PASSWORD)
    page.wait_for_url("**/finance")
    text = page.inner_text("main")
    assert "Debits equal credits" in text
    assert "OVER THE COUNTER DEP NO REF" in text
    assert "No movement in the books" in text  # the odd line says why it is open
    judge(page, "real-finance", WIDTHS)
