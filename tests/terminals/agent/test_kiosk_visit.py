"""A whole visit at a kiosk, as a browser without scripts makes it: card in, claim, PIN, done; card out."""

import re
import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from terminals.agent.app import Agent, create_agent
from terminals.card import LocalReader
from terminals.settings import TerminalKind
from tests.terminals.city import SmallCity
from tests.terminals.service import PIN, CityService

HOST = {"Host": "127.0.0.1"}
PAGE = "/t0ken/kiosk"


class Visitor:
    def __init__(self, browser: FlaskClient) -> None:
        self._browser = browser

    def page(self) -> str:
        return self._browser.get(PAGE, headers=HOST).text

    def press(self, deed: str, **fields: str) -> str:
        answer = self._browser.post(f"{PAGE}/{deed}", data=fields, headers=HOST)
        assert answer.status_code == 303
        return self.page()

    def wait_for(self, text: str) -> str:
        """The page refreshes itself until the reader's thread has got that far."""
        for _ in range(200):
            page = self.page()
            if text in page:
                return page
            time.sleep(0.05)
        raise AssertionError(f"{text!r} did not come; the page says: {re.sub('<[^>]+>', ' ', self.page())}")


@pytest.fixture
def reader() -> LocalReader:
    return LocalReader()


@pytest.fixture
def visit(office: CityService, reader: LocalReader) -> Iterator[Callable[[], Visitor]]:
    station = office.station(TerminalKind.KIOSK)
    app = create_agent(TerminalKind.KIOSK, station, reader, token="t0ken")
    agent: Agent = app.extensions["agent"]
    agent.watcher.start()
    yield lambda: Visitor(app.test_client())
    agent.close()
    station.close()


def test_a_claim_from_card_in_to_card_out(
    office: CityService, reader: LocalReader, visit: Callable[[], Visitor]
) -> None:
    resident_id = UUID(office.resident()["id"])
    office.entitlement(resident_id, 500_00)
    card = office.active_card(resident_id)
    visitor = visit()
    reader.insert(card)
    page = visitor.wait_for("Your balance")
    assert "J. R." in page
    assert re.search(r"write this reference into it:.*>RF[0-9]{2} [0-9A-Z]{4} [0-9A-Z]{4} [0-9A-Z]{4}<", page)
    page = visitor.press("claim")
    item = re.search(r'name="item" value="([0-9a-f-]+)"', page)
    assert item
    assert "500.00" in visitor.press("choose", item=item[1])
    visitor.press("confirm")
    assert "4 tries left" in visitor.press("pin", pin="999999")
    assert "The benefit is in your wallet" in visitor.press("pin", pin=PIN.decode())
    assert "500.00" in visitor.press("back")
    reader.remove()
    visitor.wait_for("Your card was taken out")
    assert "Insert your city card" in visitor.press("done")


def test_a_network_that_goes_before_the_answer_keeps_the_claim_and_says_so(
    office: CityService, reader: LocalReader, visit: Callable[[], Visitor]
) -> None:
    resident_id = UUID(office.resident()["id"])
    office.entitlement(resident_id, 500_00)
    card = office.active_card(resident_id)
    visitor = visit()
    reader.insert(card)
    visitor.wait_for("Your balance")
    item = re.search(r'name="item" value="([0-9a-f-]+)"', visitor.press("claim"))
    assert item
    visitor.press("choose", item=item[1])
    visitor.press("confirm")
    office.send.off = True
    assert "Not confirmed yet" in visitor.press("pin", pin=PIN.decode())


def test_a_card_of_another_city_is_told_so(reader: LocalReader, visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    reader.insert(SmallCity(2).card())
    visitor.wait_for("not a valid card of this city")


def test_a_pin_without_a_question_does_nothing(visit: Callable[[], Visitor]) -> None:
    visitor = visit()
    assert "Insert your city card" in visitor.press("pin", pin="123456")


def test_a_pass_is_bought_from_card_in_to_done(
    office: CityService, reader: LocalReader, visit: Callable[[], Visitor]
) -> None:
    office.tariff()
    resident_id = UUID(office.resident()["id"])
    office.entitlement(resident_id, 500_00)
    card = office.active_card(resident_id)
    visitor = visit()
    reader.insert(card)
    assert "Buy a transit pass" in visitor.wait_for("Your balance")
    item = re.search(r'name="item" value="([0-9a-f-]+)"', visitor.press("claim"))
    assert item
    visitor.press("choose", item=item[1])
    visitor.press("confirm")
    visitor.press("pin", pin=PIN.decode())
    visitor.press("back")
    page = visitor.press("passes")
    assert "Which pass do you want to buy?" in page
    assert "Bus for a week" in page
    page = visitor.press("choose", item="bus-week")
    assert "Buy this pass?" in page
    assert "350.00" in page  # the balance after it
    visitor.press("confirm")
    assert "The pass is yours" in visitor.press("pin", pin=PIN.decode())
    assert "350.00" in visitor.press("back")
