"""The pages of the books, with a city behind them: every page at every size, in both languages, and closing a month."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from tests import builders, surfing
from tests.browser.conftest import WIDTHS, Open, fits, judge
from tests.browser.test_real_pages import sign_in
from tests.prices import set_price
from tests.serving import serving
from tests.town import Town

pytestmark = pytest.mark.browser
PATHS = {
    "periods": "/finance/periods",
    "assertions": "/finance/assertions",
    "chart": "/finance/chart",
    "prices": "/cards/prices",
}


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@pytest.fixture
def address(town: Town, app: Flask) -> Iterator[str]:
    """December: November is soft closed, one balance held, one did not, one was withdrawn."""
    town.fund()
    town.clock.advance(timedelta(days=33))
    officer = surfing.staff(town, app, "finance")
    officer.send("/finance/periods/2026-11/soft-close")
    for balance in ("1,000,000.00", "999,999.50", "5.00"):
        town.clock.advance(timedelta(minutes=1))
        officer.send(
            "/finance/assertions",
            account_code="bank:main",
            day="2026-11-30",
            balance=balance,
            document="Statement 11 of the Land Bank, current account",
        )
    for cents, issue, later in ((100_00, "lost", 0), (1_250_00, "damaged", 30), (0, "first", 0)):
        set_price(town, cents, issue, town.today() + timedelta(days=later))
    headers = town.token("finance")
    found = town.client.get("/v1/ledger/assertions", headers=headers).get_json()["assertions"]
    withdrawn = next(one["id"] for one in found if one["asserted_cents"] == 5_00)
    officer.send(f"/finance/assertions/{withdrawn}/withdrawal", reason="read from another account")
    with serving(app) as started:
        yield started


def test_every_page_of_the_books_is_accessible_and_fits(open_page: Open, address: str, town: Town) -> None:
    page = open_page(f"{address}/finance/periods")
    sign_in(page, town.staff("finance").username, builders.PASSWORD)
    page.wait_for_url("**/finance/periods")
    for name, path in PATHS.items():
        page.goto(f"{address}{path}")
        judge(page, f"books-{name}", WIDTHS)
    for name, path in PATHS.items():
        page.goto(f"{address}{path}?lang=fil")
        fits(page, f"books-{name}-fil", WIDTHS[0])
