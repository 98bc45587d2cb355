"""A card issued in the browser at a counter, without scripts: find, make, the holder's PIN, verify."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from terminals.agent.app import Agent, create_agent
from terminals.card import LocalReader, SimulatedCard
from terminals.settings import TerminalKind
from tests.terminals.service import PASSWORD, PIN, CityService

HOST = {"Host": "127.0.0.1"}


class Window:
    def __init__(self, browser: FlaskClient, reader: LocalReader) -> None:
        self._browser = browser
        self.reader = reader

    def get(self, path: str) -> str:
        return self._browser.get(f"/t0ken/counter{path}", headers=HOST, follow_redirects=True).text

    def post(self, path: str, **fields: str) -> str:
        answer = self._browser.post(f"/t0ken/counter{path}", data=fields, headers=HOST, follow_redirects=True)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", answer.text)


@pytest.fixture
def window(office: CityService) -> Iterator[Window]:
    station, reader = office.station(TerminalKind.COUNTER), LocalReader()
    app = create_agent(TerminalKind.COUNTER, station, reader, token="t0ken")
    agent: Agent = app.extensions["agent"]
    agent.watcher.start()
    yield Window(app.test_client(), reader)
    agent.close()
    station.close()


def test_a_card_is_issued_and_verified_in_the_browser(office: CityService, window: Window) -> None:
    resident = office.resident()
    number = resident["number"]
    office.approved_card(UUID(resident["id"]))
    assert "What do you need to do?" in window.post("/sign-in", username="clara", password=PASSWORD)
    assert number in window.get("/find?q=Reyes")
    issue = f"/issue?resident={number}"
    assert "Put a blank card into the reader" in window.get(issue)
    assert "There is no card" in window.post(issue, deed="make")
    window.reader.insert(SimulatedCard.blank())
    assert "The card is ready for its holder" in window.post(issue, deed="make")
    assert "Choose your PIN" in window.post(issue, deed="pin")
    assert "not the same" in window.post("/pin", pin=PIN.decode(), pin_again="111111")
    assert "The card is active" in window.post("/pin", pin=PIN.decode(), pin_again=PIN.decode())
    verified = window.post("/verify")
    assert "A valid card" in verified
    assert "Juan" in verified


def test_an_order_is_placed_here_and_approved_by_somebody_else(office: CityService, window: Window) -> None:
    issue = f"/issue?resident={office.resident()['number']}"
    office.person("clara")
    office.person("oscar")
    window.post("/sign-in", username="clara", password=PASSWORD)
    assert "Another card officer has to approve" in window.post(issue, deed="request")
    window.post("/sign-out")
    window.post("/sign-in", username="oscar", password=PASSWORD)
    assert "Put a blank card into the reader" in window.post(issue, deed="approve")


def test_a_wrong_password_says_so(office: CityService, window: Window) -> None:
    office.person("clara")
    page = window.post("/sign-in", username="clara", password="wrong")
    assert "There is a problem" in page
    assert "What do you need to do?" not in page


def test_a_number_nobody_has_is_one_clear_sentence(office: CityService, window: Window) -> None:
    office.person("clara")
    window.post("/sign-in", username="clara", password=PASSWORD)
    assert "This did not work" in window.get("/issue?resident=MK-999999-9")


def test_a_network_that_is_gone_is_one_clear_sentence(office: CityService, window: Window) -> None:
    office.person("clara")
    window.post("/sign-in", username="clara", password=PASSWORD)
    office.send.off = True
    assert "cannot be reached" in window.get("/find?q=Reyes")
