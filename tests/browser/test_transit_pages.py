"""The pages of transit, with rides behind them: the rider's own, the claims', the operators' and the gates'."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask

from cardsvc.clock import business_date
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought, Tap
from tests import builders, surfing
from tests.browser.conftest import WIDTHS, Open, fits, judge
from tests.browser.test_real_pages import sign_in
from tests.passkeys import SoftPasskey
from tests.serving import serving
from tests.town import Person, Town, tap

pytestmark = pytest.mark.browser


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@dataclass
class Place:
    town: Town
    address: str
    ana: Person
    day: str


@pytest.fixture
def place(town: Town, app: Flask) -> Iterator[Place]:
    """A day of a rider: a bus, the rail in and out, an exit that no gate saw, and a claim about the bus."""
    town.tariff()
    ana, bus, gate = town.rich_person(500_00), town.validator(), town.validator()
    first = bus.send_one(tap(), ana.signs(Purpose.PRESENCE)).record_id
    for stop, direction in (("metro-ayala", "in"), ("metro-guadalupe", "out"), ("metro-ayala", "in")):
        town.clock.advance(timedelta(minutes=20))
        body = Tap("rail", stop, direction, 0 if direction == "out" else 28_00, "PHP", 1, 1)
        assert gate.send_one(body, ana.signs(Purpose.PRESENCE)).outcome == "accepted"
    rider = surfing.resident(town, app, ana)
    rider.send(f"/wallet/rides/{first}/claim", reason="not_me", said="My card was at home that day")
    with serving(app) as address:
        yield Place(town, address, ana, business_date(town.clock.now()).isoformat())


def test_the_riders_pages_are_accessible_and_fit(open_page: Open, place: Place) -> None:
    page = open_page(f"{place.address}/wallet/rides")
    sign_in(page, f"resident-{place.ana.number.lower()}", builders.PASSWORD)
    page.wait_for_url("**/wallet/rides")
    assert page.locator("details").count() == 3
    for one in page.locator("details > summary").all():
        one.click()
    judge(page, "rides", WIDTHS)
    page.locator("details a").last.click()
    page.wait_for_url("**/claim")
    judge(page, "ride-claim", WIDTHS)
    page.goto(f"{place.address}/wallet/claims")
    judge(page, "own-claims", WIDTHS)
    for name, path in (("rides", "/wallet/rides"), ("own-claims", "/wallet/claims")):
        page.goto(f"{place.address}{path}?lang=fil")
        fits(page, f"{name}-fil", WIDTHS[0])


def test_the_pages_of_passes_are_accessible_and_fit(open_page: Open, place: Place) -> None:
    """One pass is held, another is about to be bought."""
    sale = PassBought("rail-ten", 1, business_date(place.town.clock.now()), 180_00, "PHP")
    assert place.town.kiosk().send_one(sale, place.ana.signs(Purpose.CONSENT)).outcome == "accepted"
    SoftPasskey(place.ana.resident_id).register(place.town.city)
    place.town.clock.advance(timedelta(minutes=5))
    page = open_page(f"{place.address}/wallet/passes")
    sign_in(page, f"resident-{place.ana.number.lower()}", builders.PASSWORD)
    page.wait_for_url("**/wallet/passes")
    judge(page, "passes", WIDTHS)
    page.click("text=Bus for a week")
    page.wait_for_url("**/buy?pass=bus-week")
    judge(page, "buy-pass", WIDTHS)
    for name, path in (("passes", "/wallet/passes"), ("buy-pass", "/wallet/passes/buy?pass=city-month")):
        page.goto(f"{place.address}{path}{'&' if '?' in path else '?'}lang=fil")
        fits(page, f"{name}-fil", WIDTHS[0])


def test_the_staffs_pages_are_accessible_and_fit(open_page: Open, place: Place) -> None:
    page = open_page(f"{place.address}/claims")
    sign_in(page, place.town.staff("finance").username, builders.PASSWORD)
    page.wait_for_url("**/claims")
    judge(page, "claims", WIDTHS)
    page.locator("tbody a").first.click()
    page.wait_for_selector("form")
    judge(page, "claim", WIDTHS)
    for name, path in (("operators", f"/finance/operators?agency=loop&day={place.day}"), ("board", "/transit/board")):
        page.goto(f"{place.address}{path}")
        judge(page, name, WIDTHS)
    for name, path in (
        ("claims", "/claims"),
        ("operators", f"/finance/operators?day={place.day}"),
        ("board", "/transit/board"),
    ):
        page.goto(f"{place.address}{path}{'&' if '?' in path else '?'}lang=fil")
        fits(page, f"{name}-fil", WIDTHS[0])
