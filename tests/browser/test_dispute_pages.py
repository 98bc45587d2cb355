"""Finance's disputes and the desk's terminals in Chromium, and a bill that a resident pays with a passkey."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Page

from cardsvc import access
from cardsvc import app as application
from cardsvc.settings import CHEAP
from crypto.wire.transaction import Purpose
from tests.browser.conftest import WIDTHS, Open, judge
from tests.browser.test_real_pages import sign_in
from tests.browser.test_signing_in import free_port, submit
from tests.builders import PASSWORD
from tests.serving import serving
from tests.town import Terminal, Town, pay, tap

pytestmark = pytest.mark.browser
P, C = Purpose.PRESENCE, Purpose.CONSENT


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@dataclass
class Place:
    town: Town
    address: str
    validator: Terminal


@pytest.fixture
def place(town: Town, app: Flask) -> Iterator[Place]:
    """Late records below and above the limit, a gap that is overdue, a fork, and a clock that runs ahead."""
    town.tariff()
    validator, kiosk, ana = town.validator(), town.kiosk(), town.rich_person()
    [bill] = town.bills("2,000.00", person=ana)
    late = [validator.make(tap(), ana.signs(P))[1]]
    town.clock.advance(timedelta(hours=1))  # so that nothing here seems to be made twice
    late.append(validator.make(tap(), ana.signs(P))[1])
    kiosk.add(pay(bill), ana.signs(C))
    town.clock.advance(timedelta(days=31))
    validator.send(late)
    kiosk.send()
    town.clock.advance(timedelta(hours=1))
    validator.sequence += 5
    validator.send_one(tap(), ana.signs(P))
    validator.sequence -= 1
    validator.send_one(tap(), ana.signs(P), at=town.clock.now() + timedelta(minutes=1))
    town.clock.advance(timedelta(minutes=30))  # the terminal's clock alone
    raw = kiosk.batch([kiosk.make(pay(bill), ana.signs(C), at=town.clock.now() - timedelta(minutes=30))[1]])
    town.clock.advance(-timedelta(minutes=30))
    town.send(raw)
    town.clock.advance(timedelta(hours=25))
    settings = replace(town.city.settings, public_url="http://localhost")
    with serving(application.app_of(replace(town.city, settings=settings))) as address:
        yield Place(town, address.replace("127.0.0.1", "localhost"), validator)


def enter(open_page: Open, place: Place, path: str, role: str) -> Page:
    page = open_page(f"{place.address}/sign-in?next={path}")
    sign_in(page, place.town.staff(role).username, PASSWORD)
    page.wait_for_url(f"**{path}")
    return page


@pytest.mark.parametrize("language", ["en", "fil"])
def test_finance_settles_refuses_and_proposes(open_page: Open, place: Place, language: str) -> None:
    page = enter(open_page, place, "/disputes", "finance")
    page.goto(f"{place.address}/disputes?lang={language}")
    judge(page, f"disputes-{language}", WIDTHS)
    page.locator("tbody tr", has_text="13.00").locator("a").first.click()
    page.wait_for_selector("#reason")
    judge(page, f"dispute-open-{language}", WIDTHS)
    page.fill("#reason", "The gate was in the cellar")
    page.fill("#password", PASSWORD)
    page.locator("form[action$=settle] .govuk-button-group button").first.click()
    page.wait_for_selector(".govuk-tag--green")
    judge(page, f"dispute-settled-{language}", WIDTHS)
    page.goto(f"{place.address}/disputes")
    page.locator("tbody tr", has_text="13.00").locator("a").first.click()
    page.fill("#reason", "A workshop's tap")
    page.locator("button[formaction]").click()
    page.wait_for_selector(".govuk-tag--grey")
    judge(page, f"dispute-refused-{language}", WIDTHS)
    page.goto(f"{place.address}/disputes")
    page.locator("tbody tr", has_text="2,001.00").locator("a").click()
    judge(page, f"dispute-two-{language}", WIDTHS)
    page.fill("#reason", "We both looked at it")
    page.locator("form[action$=propose] button").first.click()
    page.wait_for_url("**/actions/*")
    page.goto(f"{place.address}/disputes?state=all")
    judge(page, f"disputes-all-{language}", WIDTHS)


@pytest.mark.parametrize("language", ["en", "fil"])
def test_the_desk_sees_gaps_forks_and_clocks(open_page: Open, place: Place, language: str) -> None:
    page = enter(open_page, place, "/terminals", "card_officer")
    page.goto(f"{place.address}/terminals?lang={language}")
    assert page.locator(".city-status").count() >= 3
    judge(page, f"terminals-{language}", WIDTHS)
    page.goto(f"{place.address}/terminals/{place.validator.device_id}")
    judge(page, f"terminal-{language}", WIDTHS)


@pytest.mark.parametrize("language", ["en", "fil"])
def test_a_resident_pays_a_bill_with_a_passkey(open_page: Open, town: Town, language: str) -> None:
    port = free_port()
    service = f"http://localhost:{port}"
    city = replace(town.city, settings=replace(town.city.settings, public_url=service))
    ana = town.rich_person()
    [bill] = town.bills("1,234.50", person=ana)
    now = town.clock.now()
    town.run(
        lambda session: access.set_resident_password(
            session, ana.resident_id, "ana", PASSWORD, now, random_bytes=town.city.random_bytes, cost=CHEAP
        )
    )
    with serving(application.app_of(city), port):
        page = open_page(f"{service}/sign-in")
        devices = page.context.new_cdp_session(page)
        devices.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": True,
        }  # fmt: skip
        devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        sign_in(page, "ana", PASSWORD)
        page.goto(f"{service}/wallet/bills/{bill.id}?lang={language}")
        judge(page, f"bill-without-passkey-{language}", WIDTHS)
        page.goto(f"{service}/account/passkeys/new")
        page.fill("#name", "My phone")
        submit(page)
        page.wait_for_url("**/account/passkeys")
        page.goto(f"{service}/wallet")
        page.click(f"a[href='/wallet/bills/{bill.id}']")
        judge(page, f"bill-to-pay-{language}", WIDTHS)
        page.click("form[data-passkey] button")
        page.wait_for_selector("text=RPT-2026-0000001")
        judge(page, f"bill-paid-{language}", WIDTHS)
    assert town.balance(ana) == 10_000_00 - 1_235_50
    town.check()
