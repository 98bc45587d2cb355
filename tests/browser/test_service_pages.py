import re

import pytest

from tests.browser import samples
from tests.browser.conftest import WIDTHS, Open, fits, judge

pytestmark = pytest.mark.browser

RESIDENTS = ("sign-in", "wallet", "wallet-owing", "statement", "statement-empty", "looks", "looks-empty", "error")


@pytest.mark.parametrize("name", [sample.name for sample in samples.SERVICE])
def test_a_page_is_accessible_and_fits_every_screen(open_page: Open, service_pages: str, name: str) -> None:
    judge(open_page(f"{service_pages}/sample/{name}"), name, WIDTHS)


@pytest.mark.parametrize("name", RESIDENTS)
def test_a_residents_page_fits_in_filipino_too(open_page: Open, service_pages: str, name: str) -> None:
    page = open_page(f"{service_pages}/sample/{name}?lang=fil")
    assert page.get_attribute("html", "lang") == "fil"
    fits(page, f"{name}-fil", WIDTHS[0])


@pytest.mark.parametrize("name", ["wallet", "statement", "finance", "error"])
def test_a_page_says_the_same_without_javascript(open_page: Open, service_pages: str, name: str) -> None:
    address = f"{service_pages}/sample/{name}"
    plain, full = open_page(address, java_script_enabled=False), open_page(address)
    assert plain.inner_text("main") == full.inner_text("main")


def test_money_stands_in_columns_with_a_true_minus(open_page: Open, service_pages: str) -> None:
    page = open_page(f"{service_pages}/sample/statement")
    sums = page.locator("td.city-statement__sum")
    assert sums.first.inner_text() == "\N{MINUS SIGN}₱13.00"
    style = sums.first.evaluate("cell => [getComputedStyle(cell).textAlign, getComputedStyle(cell).fontVariantNumeric]")
    assert style == ["right", "lining-nums tabular-nums"]


def test_the_citys_own_font_is_used_and_its_peso_sign(open_page: Open, service_pages: str) -> None:
    page = open_page(f"{service_pages}/sample/wallet")
    assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('20px \"Source Sans 3\"', '₱1'))")
    fonts = page.evaluate("getComputedStyle(document.querySelector('.govuk-heading-l')).fontFamily")
    assert fonts.startswith('"Source Sans 3"')


@pytest.mark.parametrize("name", ["wallet", "statement", "sign-in"])
def test_what_a_thumb_must_hit_on_a_phone_is_44_px_or_in_a_sentence(
    open_page: Open, service_pages: str, name: str
) -> None:
    page = open_page(f"{service_pages}/sample/{name}", size=WIDTHS[0])
    heights = page.evaluate(
        "[...document.querySelectorAll('button, header a, input:not([type=hidden])')]"
        ".map(each => each.getBoundingClientRect().height).filter(height => height > 0)"
    )
    assert heights
    assert min(heights) >= 44


def test_a_wrong_field_is_named_in_the_summary_which_has_the_focus(open_page: Open, service_pages: str) -> None:
    page = open_page(f"{service_pages}/sample/every-field")
    assert page.evaluate("document.activeElement.className") == "govuk-error-summary"
    page.click("text=Enter the full name. >> nth=0")
    assert page.evaluate("document.activeElement.id") == "names"


def test_the_password_can_be_shown_and_its_words_are_translated(open_page: Open, service_pages: str) -> None:
    page = open_page(f"{service_pages}/sample/sign-in?lang=fil")
    page.click(".govuk-password-input__toggle")
    assert page.get_attribute("#password", "type") == "text"
    assert re.search("Itago", page.inner_text(".govuk-password-input__toggle"))
