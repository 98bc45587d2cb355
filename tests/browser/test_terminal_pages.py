import json

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser import kiosk_samples, terminal_samples
from tests.browser.conftest import KIOSK, TERMINAL_BASE, WIDTHS, Open, fits, judge

pytestmark = pytest.mark.browser

TARGET_PX = 96
BUTTONS_MAX = 5


@pytest.mark.parametrize("name", [sample.name for sample in kiosk_samples.KIOSK])
def test_a_kiosk_screen_is_accessible_and_fits_its_screen(open_page: Open, terminal_pages: str, name: str) -> None:
    page = open_page(f"{terminal_pages}/sample/{name}", size=KIOSK)
    judge(page, name, (*WIDTHS, KIOSK))
    assert page.evaluate("document.documentElement.scrollHeight") <= KIOSK[1]
    small = page.evaluate(
        "least => [...document.querySelectorAll('a, button, input:not([type=hidden])')]"
        ".map(each => [each.textContent.trim() || each.name, each.getBoundingClientRect()])"
        ".filter(([, box]) => box.width > 0 && Math.min(box.width, box.height) < least).map(([name]) => name)",
        TARGET_PX,
    )
    assert small == []
    assert page.locator("main button.kiosk-button:visible").count() <= BUTTONS_MAX
    assert page.locator("h1").count() == 1
    assert page.locator(".kiosk-language").count() == 2


@pytest.mark.parametrize("name", [sample.name for sample in kiosk_samples.KIOSK])
def test_a_kiosk_screen_fits_in_filipino_too(open_page: Open, terminal_pages: str, name: str) -> None:
    page = open_page(f"{terminal_pages}/sample/{name}?lang=fil", size=KIOSK)
    assert page.get_attribute("html", "lang") == "fil"
    fits(page, f"{name}-fil", KIOSK)
    assert page.evaluate("document.documentElement.scrollHeight") <= KIOSK[1]


@pytest.mark.parametrize("name", [sample.name for sample in terminal_samples.COUNTER])
def test_a_counter_page_is_accessible_and_fits_every_screen(open_page: Open, terminal_pages: str, name: str) -> None:
    judge(open_page(f"{terminal_pages}/sample/{name}"), name, WIDTHS)


def posted(page: Page, press: str) -> tuple[str, str]:
    """Where a press posts to, and what; the post itself is stopped."""
    seen: list[tuple[str, str]] = []

    def catch(route: Route) -> None:
        seen.append((route.request.url, route.request.post_data or ""))
        route.fulfill(body="taken", content_type="text/plain")

    page.route("**/kiosk/**", catch)
    page.click(press)
    page.wait_for_load_state()
    return seen[0]


def test_the_pin_is_entered_with_the_finger_and_never_stands_in_an_address(
    open_page: Open, terminal_pages: str
) -> None:
    page = open_page(f"{terminal_pages}/sample/kiosk-pin", size=KIOSK)
    for key in ("1", "2", "9", "0"):
        page.click(f"[data-digit='{key}']")
    page.click("[data-erase]")
    for key in "4567":
        page.click(f"[data-digit='{key}']")
    assert page.get_attribute("#pin", "type") == "password"
    address, body = posted(page, ".pinpad .kiosk-button")
    assert address == f"{terminal_pages}{TERMINAL_BASE}/kiosk/pin"
    assert body == "pin=1294567"


def test_the_pin_needs_no_javascript(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/kiosk-pin", size=KIOSK, java_script_enabled=False)
    assert not page.is_visible(".pinpad__keys")
    page.fill("#pin", "123456")
    assert posted(page, ".pinpad .kiosk-button")[1] == "pin=123456"


def test_no_more_than_eight_digits_are_taken(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/kiosk-pin", size=KIOSK)
    for _ in range(10):
        page.click("[data-digit='7']")
    assert page.input_value("#pin") == "7" * 8


def test_the_two_boxes_of_a_new_pin_share_the_keys(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/counter-pin", size=KIOSK)
    page.click("[data-digit='1']")
    page.click("#pin_again")
    page.click("[data-digit='2']")
    assert (page.input_value("#pin"), page.input_value("#pin_again")) == ("1", "2")


def with_events(page: Page, *events: tuple[str, object]) -> None:
    body = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
    page.route("**/events", lambda route: route.fulfill(body=body, content_type="text/event-stream"))
    page.reload()


def test_what_the_reader_says_is_put_into_the_status_region(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/kiosk-wait", size=KIOSK)
    with_events(page, ("status", {"text": "The card is read.", "mood": ""}))
    expect(page.locator("#status")).to_have_text("The card is read.")
    assert page.get_attribute("#status", "aria-live") == "polite"


def test_the_making_of_a_card_is_seen_step_by_step(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/counter-issue")
    with_events(page, ("step", {"name": "3", "state": "done", "text": "Done"}))
    expect(page.locator("[data-step='3']")).to_have_attribute("data-state", "done")
    assert page.inner_text("[data-step='3'] .city-progress__state") == "Done"


def test_another_screen_is_gone_to_and_the_same_one_is_left_alone(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/kiosk-pin", size=KIOSK)
    with_events(
        page, ("screen", {"screen": "pin", "path": "/sample/kiosk-error"}), ("status", {"text": "same", "mood": ""})
    )
    expect(page.locator("#status")).to_have_text("same")
    assert page.url.endswith("kiosk-pin")
    page.unroute("**/events")
    with_events(page, ("screen", {"screen": "removed", "path": "/sample/kiosk-removed"}))
    page.wait_for_url("**/kiosk-removed")


def test_who_is_quiet_is_asked_and_gets_more_time(open_page: Open, terminal_pages: str) -> None:
    page = open_page(f"{terminal_pages}/sample/kiosk-wait", size=KIOSK)
    page.clock.install()
    page.goto(f"{terminal_pages}/sample/kiosk-balance")
    page.clock.run_for(44_000)
    assert not page.is_visible("#still")
    page.clock.run_for(2_000)
    assert page.is_visible("#still")
    page.click("#still-yes")
    assert not page.is_visible("#still")
    page.clock.run_for(46_000)
    assert page.is_visible("#still")
    judge(page, "kiosk-still", (KIOSK,))
