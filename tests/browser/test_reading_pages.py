"""The pages on which finance reads the books, with a city behind them: every page at every size, in both languages."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from crypto.wire.transaction import Purpose
from tests import builders
from tests.browser.conftest import WIDTHS, Open, fits, judge
from tests.browser.test_real_pages import sign_in
from tests.serving import serving
from tests.town import Town, tap

pytestmark = pytest.mark.browser


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@pytest.fixture
def address(town: Town, app: Flask) -> Iterator[str]:
    """Money came in, went into wallets, and was ridden away; a benefit belongs to another fund."""
    till = town.till()
    town.fund()
    town.tariff()
    rider = town.rich_person(till=till)
    town.cycle(rider)
    gate = town.validator()
    for _ in range(3):
        gate.send_one(tap(), rider.signs(Purpose.PRESENCE))
        town.clock.advance(timedelta(hours=1))
    with serving(app) as started:
        yield started


def test_from_a_total_down_to_the_receipt(open_page: Open, address: str, town: Town) -> None:
    page = open_page(f"{address}/finance/trial-balance")
    sign_in(page, town.staff("auditor").username, builders.PASSWORD)
    page.wait_for_url("**/finance/trial-balance")
    assert "Debits equal credits" in page.inner_text("main")
    visited = {"trial": page.url}
    judge(page, "reading-trial", WIDTHS)
    page.click("text=wallet:*:main")
    visited["accounts"] = page.url
    judge(page, "reading-accounts", WIDTHS)
    page.click("table a")
    visited["account"] = page.url
    judge(page, "reading-account", WIDTHS)
    page.click("table a")
    visited["entry"] = page.url
    judge(page, "reading-entry", WIDTHS)
    for name, url in visited.items():
        page.goto(f"{url}{'&' if '?' in url else '?'}lang=fil")
        fits(page, f"reading-{name}-fil", WIDTHS[0])
    page.goto(visited["entry"])
    page.click("a[href^='/receipts/']")
    page.wait_for_url("**/receipts/*")
