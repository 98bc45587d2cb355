"""Staff sign in with their own card: at the counter, and in a browser that goes from the service to the agent and back.

Both sides are real: the service's whole app, the agent's, and a card that was issued by the one through the other.
"""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cardsvc import app as application
from terminals.agent.app import Agent, create_agent
from terminals.card import LocalReader, SimulatedCard
from terminals.settings import TerminalKind
from tests.terminals.service import PASSWORD, PIN, CityService

HOST = {"Host": "127.0.0.1"}
AGENT = "http://127.0.0.1:8090"
CODE = PIN.decode()


class Desk:
    """A counter with a reader for residents' cards and one for the staff member's own, and a browser."""

    def __init__(self, office: CityService) -> None:
        self.office = office
        self.reader, self.staff_reader = LocalReader(), LocalReader()
        self.station = office.station(TerminalKind.COUNTER)
        made = create_agent(
            TerminalKind.COUNTER, self.station, self.reader, token="t0ken", staff_reader=self.staff_reader
        )
        self.agent: Agent = made.extensions["agent"]
        self.agent.watcher.start()
        assert self.agent.staff_watcher is not None
        self.agent.staff_watcher.start()
        self.browser: FlaskClient = made.test_client()
        self.service: FlaskClient = application.app_of(office.city).test_client()

    def close(self) -> None:
        self.agent.close()
        self.station.close()

    def get(self, path: str) -> TestResponse:
        return self.browser.get(path, headers=HOST, follow_redirects=True)

    def post(self, path: str, **fields: str) -> str:
        answer = self.browser.post(path, data=fields, headers=HOST, follow_redirects=True)
        assert answer.status_code == 200
        return re.sub(r"\s+", " ", answer.text)

    def bound_card(self, username: str) -> SimulatedCard:
        """A card issued to a resident and made to stand for this member of staff, at the counter's page."""
        self.office.person(username)
        card = self.office.active_card()
        self.post("/t0ken/counter/sign-in", username="admin", password=PASSWORD)
        self.staff_reader.insert(card)
        page = self.post("/t0ken/counter/staff-card", username=username, password=PASSWORD, pin=CODE)
        assert f"The card signs {username} in from now on." in page
        self.post("/t0ken/counter/sign-out")
        return card

    def handed_back(self, page: str) -> tuple[str, dict[str, str]]:
        """Where the agent's last page posts to, and what."""
        address = re.search(r'action="([^"]+)" data-send', page)
        assert address is not None, page
        fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page)
        return address[1], {name: unescape(value) for name, value in fields}


@pytest.fixture
def desk(office: CityService) -> Iterator[Desk]:
    made = Desk(office)
    yield made
    made.close()


def test_a_member_of_staff_signs_in_at_the_counter_with_their_card(desk: Desk) -> None:
    desk.bound_card("clara")
    assert "Put your staff card into the reader" in desk.get("/t0ken/counter/sign-in/card").text
    assert "What do you need to do?" in desk.post("/t0ken/counter/sign-in/card", pin=CODE)


def test_a_card_taken_out_locks_the_counter(desk: Desk) -> None:
    desk.bound_card("clara")
    desk.post("/t0ken/counter/sign-in/card", pin=CODE)
    desk.staff_reader.remove()
    wait_until(lambda: "Sign in at this counter" in desk.get("/t0ken/counter").text)
    # the service forgot the sign-in too: Clara's other one, by password, is all that is left
    left = desk.office.ask("clara", "GET", "/v1/me/sign-ins", None)["sign_ins"]
    assert {one["method"] for one in left} == {"password"}


def test_a_residents_card_taken_out_locks_nothing(desk: Desk) -> None:
    desk.bound_card("clara")
    desk.post("/t0ken/counter/sign-in/card", pin=CODE)
    desk.reader.insert(desk.office.active_card())
    desk.reader.remove()
    assert "What do you need to do?" in desk.get("/t0ken/counter").text


def test_whoever_signed_in_by_password_is_not_locked_out_by_a_card(desk: Desk) -> None:
    desk.bound_card("clara")
    desk.post("/t0ken/counter/sign-in", username="clara", password=PASSWORD)
    desk.staff_reader.remove()
    desk.staff_reader.insert(SimulatedCard.blank())
    assert "What do you need to do?" in desk.get("/t0ken/counter").text


def test_a_wrong_pin_says_how_many_tries_are_left_and_signs_nobody_in(desk: Desk) -> None:
    desk.bound_card("clara")
    page = desk.post("/t0ken/counter/sign-in/card", pin="111111")
    assert "There is a problem" in page
    assert "2" in page
    assert "Sign in at this counter" in desk.get("/t0ken/counter").text


def test_a_card_of_nobody_is_told_so(desk: Desk) -> None:
    desk.staff_reader.insert(desk.office.active_card())
    assert "stands for no member of staff" in desk.post("/t0ken/counter/sign-in/card", pin=CODE)


def test_no_card_is_one_clear_sentence(desk: Desk) -> None:
    assert "There is no card" in desk.post("/t0ken/counter/sign-in/card", pin=CODE)


def test_only_who_may_binds_cards(desk: Desk) -> None:
    desk.office.person("clara")
    desk.post("/t0ken/counter/sign-in", username="clara", password=PASSWORD)
    assert "A card for a member of staff" not in desk.get("/t0ken/counter").text
    desk.staff_reader.insert(desk.office.active_card())
    assert "This is for others" in desk.post("/t0ken/counter/staff-card", username="clara", pin=CODE)


# ------------------------------------------------------------------------- from the service to the agent and back


def test_a_browser_goes_to_the_agent_and_comes_back_signed_in(desk: Desk) -> None:
    desk.bound_card("clara")
    asked = desk.service.get("/sign-in/card?next=/account")
    assert asked.location.startswith(f"{AGENT}/sign-in?")
    there = desk.get(asked.location.removeprefix(AGENT))
    assert "http://localhost" in there.text
    assert re.search(r"\d tries left", there.text)
    address, fields = desk.handed_back(desk.post(own_path(there), pin=CODE))
    assert address == "http://localhost/sign-in/card"
    back = desk.service.post("/sign-in/card", data=fields)
    assert (back.status_code, back.location) == (302, "/account")
    assert "Clara" in desk.service.get("/account").text
    again = desk.service.post("/sign-in/card", data=fields)
    assert again.status_code == 401


def test_another_browser_does_nothing_with_what_the_card_signed(desk: Desk) -> None:
    """Whoever lures somebody into signing for a sign-in that they began themselves has the nonce, not the cookie."""
    desk.bound_card("clara")
    nonce = parse_qs(urlsplit(desk.service.get("/sign-in/card").location).query)["nonce"][0]
    page = desk.post(f"/t0ken/sign-in?nonce={nonce}&next=", pin=CODE)
    _address, fields = desk.handed_back(page)
    other = application.app_of(desk.office.city).test_client()
    assert other.post("/sign-in/card", data=fields).status_code == 401
    other.get("/sign-in/card")
    assert other.post("/sign-in/card", data=fields).status_code == 401
    assert desk.service.post("/sign-in/card", data=fields).status_code == 302


def test_the_answer_goes_to_the_services_origin_and_nowhere_else(desk: Desk) -> None:
    desk.bound_card("clara")
    nonce = "A" * 43
    answer = desk.browser.post(
        f"/t0ken/sign-in?nonce={nonce}&next=&origin=http://evil.example", data={"pin": CODE}, headers=HOST
    )
    address, _fields = desk.handed_back(answer.text)
    assert address == "http://localhost/sign-in/card"
    assert "form-action 'self' http://localhost;" in answer.headers["Content-Security-Policy"]
    assert '="http://evil' not in answer.text


@pytest.mark.parametrize("query", ["", "?nonce=", "?nonce=AAAA", "?nonce=%00", "?nonce=" + "A" * 44])
def test_without_a_nonce_there_is_nothing_to_sign(desk: Desk, query: str) -> None:
    assert "There is nothing to sign" in desk.get(f"/sign-in{query}").text


def test_only_a_browser_that_navigates_comes_in(desk: Desk) -> None:
    for headers in ({"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Mode": "no-cors"}, {"Sec-Fetch-Dest": "iframe"}):
        assert desk.browser.get("/sign-in?nonce=" + "A" * 43, headers=HOST | headers).status_code == 403
    assert desk.browser.get("/sign-in", headers={"Host": "evil.example"}).status_code == 421
    cross = HOST | {"Sec-Fetch-Site": "cross-site"}
    assert desk.browser.post("/t0ken/sign-in?nonce=" + "A" * 43, data={"pin": CODE}, headers=cross).status_code == 403


def test_two_cards_sign_an_action_and_it_is_done(desk: Desk) -> None:
    """Two administrators give a clerk the role of an auditor, each with their own card at the agent."""
    office = desk.office
    first = desk.bound_card("admin")
    second = office.active_card()
    bind_another_admin(desk, second)
    clara = office.person("clara").session.staff_id
    payload = {"staff_id": str(clara), "roles": ["auditor"]}
    action = office.ask("admin", "POST", "/v1/actions", {"kind": "staff.roles", "payload": payload})
    for card, state in ((first, "signed"), (second, "done")):
        desk.staff_reader.remove()
        desk.staff_reader.insert(card)
        page = desk.get(f"/sign-action?action={action['action']}")
        assert "Give Clara (clara) the roles auditor, instead of clerk" in page.text
        address, fields = desk.handed_back(desk.post(own_path(page), pin=CODE))
        assert address == f"http://localhost/actions/{action['id']}/card"
        assert desk.service.post(urlsplit(address).path, data=fields).status_code == 302
        found = office.ask("admin", "GET", f"/v1/actions/{action['id']}", None)
        assert found["state"] == state
    members = office.ask("admin", "GET", "/v1/staff", None)["staff"]
    assert next(one["roles"] for one in members if one["id"] == str(clara)) == ["auditor"]


def test_what_is_no_action_is_not_signed(desk: Desk) -> None:
    desk.bound_card("clara")
    for text in ("", "AAAA", "%2e%2e"):
        assert "There is nothing to sign" in desk.get(f"/sign-action?action={text}").text


def bind_another_admin(desk: Desk, card: SimulatedCard) -> None:
    desk.office.person("beata")
    desk.post("/t0ken/counter/sign-in", username="admin", password=PASSWORD)
    desk.staff_reader.remove()
    desk.staff_reader.insert(card)
    page = desk.post("/t0ken/counter/staff-card", username="beata", password=PASSWORD, pin=CODE)
    assert "The card signs beata in" in page
    desk.post("/t0ken/counter/sign-out")


def own_path(page: TestResponse) -> str:
    """The address that a page's form posts to: its own."""
    parts = urlsplit(page.request.url)
    return f"{parts.path}?{parts.query}"


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it never came to hold"
        time.sleep(0.05)
