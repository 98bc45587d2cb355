"""A lost card replaced at a counter in Chromium: its price and a load are two lines, two receipts, and add up.

The service, the agent and the card (in software) are real.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from playwright.sync_api import Page

from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from terminals.agent.app import Agent, create_agent
from terminals.card import LocalReader, SimulatedCard
from terminals.settings import TerminalKind
from tests.browser.conftest import WIDTHS, Open, fits, judge
from tests.serving import serving
from tests.terminals.service import PASSWORD, PIN, CityService

pytestmark = pytest.mark.browser


@dataclass
class Counter:
    office: CityService
    address: str
    reader: LocalReader
    number: str


@pytest.fixture
def counter(tmp_path: Path, vault: Vault, clock: FixedClock) -> Iterator[Counter]:
    """A counter, and a resident whose lost card's successor is approved, where that has a price."""
    office, reader = CityService(tmp_path, vault, clock), LocalReader()
    office.card_price(100_00)
    office.fund_vault(5_000_00)
    resident = office.resident()
    office.active_card(UUID(resident["id"]))
    [held] = office.clerk.cards_of(UUID(resident["id"]))
    office.person("oscar").approve_card(office.clerk.replace_card(held.card_id, "lost").card_id)
    office.person("cora")
    station = office.station(TerminalKind.COUNTER)
    app = create_agent(TerminalKind.COUNTER, station, reader, token="t0ken")
    agent: Agent = app.extensions["agent"]
    agent.watcher.start()
    with serving(app) as address:
        yield Counter(office, f"{address}/t0ken/counter", reader, resident["number"])
    agent.close()
    station.close()
    office.close()


def sign(page: Page) -> None:
    page.fill("#password", PASSWORD)
    page.click("main form button.govuk-button[type=submit]:not(.govuk-password-input__toggle)")


def lines(page: Page, within: str) -> list[str]:
    """The lines of a list as a person reads them, once the page that a click led to is there in whole."""
    page.wait_for_selector(f"{within} li")
    page.wait_for_load_state()
    return [" ".join(each.split()) for each in page.locator(f"{within} li").all_inner_texts()]


def test_the_price_of_a_card_and_a_load_are_never_one(open_page: Open, counter: Counter) -> None:
    page = open_page(counter.address)
    page.fill("#username", "cora")
    sign(page)
    page.click("text=Open a shift")
    page.fill("#amount", "1,000.00")
    sign(page)
    page.wait_for_selector("text=It is in the books")
    page.goto(f"{counter.address}/issue?resident={counter.number}")
    judge(page, "card-price-issue", WIDTHS)
    assert lines(page, "#price") == ["Card ₱100.00 to be paid"]
    counter.reader.insert(SimulatedCard.blank())
    page.click("text=Make the card")
    page.wait_for_selector("text=Its price is to be paid before the holder gets it")
    page.click("text=Take the price of the card")
    page.wait_for_selector("#password")
    judge(page, "card-price-take", WIDTHS)
    sign(page)
    page.wait_for_selector("text=It is in the books")
    judge(page, "card-price-receipt", WIDTHS)
    assert page.locator("#together").count() == 0
    page.click("text=Next")
    assert lines(page, "#price") == ["Card ₱100.00 paid"]
    page.click("text=Let the holder choose a PIN")
    for box in ("#pin", "#pin_again"):
        page.fill(box, PIN.decode())
    page.click("main form button[type=submit]")
    page.wait_for_selector("text=The card is active.")
    page.click("text=Top up with cash")
    page.fill("#amount", "70.00")
    page.click("main form button[type=submit]")
    page.wait_for_selector("#together")
    judge(page, "card-price-load-receipt", WIDTHS)
    assert lines(page, "#together") == ["Card ₱100.00", "Load ₱70.00", "Total in cash ₱170.00"]
    page.emulate_media(media="print")
    assert not page.is_visible("#together")  # the paper is the load's receipt alone
    page.emulate_media(media="screen")
    page.goto(f"{counter.address}/shift/close?lang=fil")
    fits(page, "card-price-count-fil", WIDTHS[0])
    assert "Mga card ₱100.00" in lines(page, "main")
