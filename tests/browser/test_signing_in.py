"""Signing in as people do it: with a card through the agent beside the reader, with a passkey, and what one sees of it.

The service, the agent, the card (in software) and Chromium are real; the authenticator is Chromium's virtual one.
"""

import socket
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from playwright.sync_api import Page

from cardsvc import app as application
from cardsvc.clock import FixedClock
from cardsvc.settings import SignInSettings
from cardsvc.vault import Vault
from terminals.agent.app import Agent, create_agent
from terminals.card import LocalReader
from terminals.settings import TerminalKind
from tests.browser.conftest import WIDTHS, Open, judge
from tests.serving import serving
from tests.terminals.service import PASSWORD, PIN, CityService

pytestmark = pytest.mark.browser


@dataclass
class Place:
    """A city on a port, and an agent with a reader on another."""

    office: CityService
    service: str
    agent: str
    reader: LocalReader


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def place(tmp_path: Path, vault: Vault, clock: FixedClock) -> Iterator[Place]:
    office, reader = CityService(tmp_path, vault, clock), LocalReader()
    service = f"http://localhost:{free_port()}"
    station = office.station(TerminalKind.COUNTER)
    agent_app = create_agent(TerminalKind.COUNTER, station, reader, token="t0ken", origin=service)
    agent: Agent = agent_app.extensions["agent"]
    agent.watcher.start()
    with serving(agent_app) as agent_address:
        agent_url = agent_address.replace("127.0.0.1", "localhost")
        settings = replace(office.city.settings, public_url=service, sign_in=SignInSettings(agent_url=agent_url))
        served = application.app_of(replace(office.city, settings=settings))
        with serving(served, int(service.rsplit(":", 1)[1])):
            yield Place(office, service, agent_url, reader)
    agent.close()
    station.close()
    office.close()


def by_password(page: Page, username: str) -> None:
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.click("main form button[type=submit]:not(.govuk-password-input__toggle)")


def submit(page: Page) -> None:
    page.click("main form button.govuk-button[type=submit]:not(.govuk-password-input__toggle)")


def bind(page: Page, place: Place, username: str) -> None:
    """An administrator makes the card in the reader somebody's, at the counter's page."""
    page.goto(f"{place.agent}/t0ken/counter")
    by_password(page, "admin")
    page.goto(f"{place.agent}/t0ken/counter/staff-card")
    judge(page, "counter-bind-card", WIDTHS)
    page.fill("#username", username)
    page.fill("#password", PASSWORD)
    page.fill("#pin", PIN.decode())
    submit(page)
    page.wait_for_selector(f"text=The card signs {username} in from now on.")
    judge(page, "counter-card-bound", WIDTHS)
    page.click("text=Sign out")


def test_staff_sign_in_with_their_card_and_two_of_them_act(open_page: Open, place: Place) -> None:
    office = place.office
    for name in ("clara", "admin", "beata"):
        office.person(name)
    card = office.active_card()
    place.reader.insert(card)
    page = open_page(f"{place.service}/sign-in")
    judge(page, "sign-in-three-ways", WIDTHS)
    bind(page, place, "admin")
    page.goto(f"{place.agent}/t0ken/counter/sign-in/card")
    judge(page, "counter-card-sign-in", WIDTHS)
    page.goto(f"{place.service}/account")
    page.click("text=Staff: use your card")
    page.wait_for_url(f"{place.agent}/t0ken/sign-in?**")
    judge(page, "agent-sign-in", WIDTHS)
    page.fill("#pin", "111111")
    submit(page)
    page.wait_for_selector("text=There is a problem")
    judge(page, "agent-sign-in-wrong-pin", WIDTHS)
    page.fill("#pin", PIN.decode())
    submit(page)
    page.wait_for_url(f"{place.service}/account")
    judge(page, "account", WIDTHS)
    page.click("text=Where you are signed in")
    assert "Card" in page.inner_text("main")
    judge(page, "account-sign-ins", WIDTHS)
    act(page, place)


def act(page: Page, place: Place) -> None:
    """The administrator who is signed in proposes and signs with their card, another one signs with a password."""
    office = place.office
    payload = {"staff_id": str(office.person("clara").session.staff_id), "roles": ["auditor"]}
    action = office.ask("admin", "POST", "/v1/actions", {"kind": "staff.roles", "payload": payload})
    page.goto(f"{place.service}/actions")
    judge(page, "actions", WIDTHS)
    page.click("text=Give Clara")
    judge(page, "action-to-sign", WIDTHS)
    page.click("text=Sign with your card")
    page.wait_for_url(f"{place.agent}/t0ken/sign-action?**")
    judge(page, "agent-sign-action", WIDTHS)
    page.fill("#pin", PIN.decode())
    submit(page)
    page.wait_for_url(f"{place.service}/actions/{action['id']}")
    page.wait_for_selector("text=Waits for a second person")
    page.click("text=Sign out")
    page.goto(f"{place.service}/actions/{action['id']}")
    by_password(page, "beata")
    page.wait_for_url(f"{place.service}/actions/{action['id']}")
    page.fill("#password", PASSWORD)
    page.click("text=Sign with your password")
    page.wait_for_selector("text=Second signature")
    judge(page, "action-done", WIDTHS)


def test_a_passkey_is_added_used_and_counts_once(open_page: Open, place: Place) -> None:
    place.office.person("clara")
    page = open_page(f"{place.service}/sign-in")
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    authenticator = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = devices.send("WebAuthn.addVirtualAuthenticator", {"options": authenticator})
    by_password(page, "clara")
    page.goto(f"{place.service}/account/passkeys")
    judge(page, "passkeys-none", WIDTHS)
    page.click("text=Add a passkey")
    judge(page, "passkey-new", WIDTHS)
    page.fill("#name", "My phone")
    submit(page)
    page.wait_for_selector("text=My phone")
    judge(page, "passkeys-one", WIDTHS)
    page.click("text=Sign out")
    page.click("text=Use a passkey")
    judge(page, "passkey-sign-in", WIDTHS)
    with page.expect_request(lambda asked: asked.method == "POST") as sent:
        submit(page)
    page.wait_for_url(f"{place.service}/account")
    body = sent.value.post_data
    replayed = page.request.post(
        f"{place.service}/sign-in/passkey",
        data=body or "",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Referer": f"{place.service}/sign-in/passkey"},
    )
    assert replayed.status == 401
    page.goto(f"{place.service}/account/sign-ins")
    assert "Passkey" in page.inner_text("main")
    unverified = {"authenticatorId": made["authenticatorId"], "isUserVerified": False}
    devices.send("WebAuthn.setUserVerified", unverified)
    page.click("text=Sign out everywhere")
    page.click("text=Use a passkey")
    submit(page)
    page.wait_for_selector("text=The passkey was not used.")
    judge(page, "passkey-refused", WIDTHS)
