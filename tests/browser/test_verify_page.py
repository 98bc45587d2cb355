"""Receipts in a browser: printed with a code that others read, checked without a network, refused as in Python."""

import base64
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from cardsvc import transactions
from crypto.errors import CryptoError
from crypto.wire import printed
from crypto.wire.citykeys import CityKeys
from crypto.wire.receipt import verify_receipt
from crypto.wire.transaction import Purpose
from tests import judging
from tests.browser.conftest import WIDTHS, Open, judge
from tests.serving import serving
from tests.town import Town, pay, tap, top_up

pytestmark = pytest.mark.browser

WIRE = json.loads((Path(__file__).parents[1] / "vectors" / "wire-v1.json").read_text())


@pytest.fixture
def backend() -> str:
    """One kind of database is enough to look at pages."""
    return "sqlite"


@pytest.fixture
def paid(town: Town) -> dict[str, UUID]:
    """Records with receipts: a top-up, a ride, a bill with an official number, and a ride that was refused."""
    counter, shift_id = town.till()
    person = town.person()
    (bill,) = town.bills("100.00", person=person)
    results = {
        "top-up": counter.send_one(top_up(shift_id, 500_00), person.signs(Purpose.PRESENCE)),
        "bill": town.kiosk().send_one(pay(bill), person.signs(Purpose.CONSENT)),
        "refused": town.validator().send_one(tap(), person.signs(Purpose.PRESENCE)),  # there is no tariff
    }
    return {name: UUID(str(result.record_id)) for name, result in results.items()}


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    with serving(app) as started:
        yield started


def signed(town: Town, record_id: UUID) -> bytes:
    return town.run(lambda session: transactions.receipt(session, town.city.vault, record_id))


def verdict(page: Page) -> str:
    page.wait_for_selector("#verify-answer:not([hidden])")
    return str(page.get_attribute("#verify-answer", "data-state"))


def paste(page: Page, text: str) -> str:
    page.evaluate("document.getElementById('verify-answer').hidden = true")
    page.fill("#verify-text", text)
    page.click("#verify-check")
    return verdict(page)


def test_a_printed_receipt_fits_paper_and_screens(open_page: Open, address: str, paid: dict[str, UUID]) -> None:
    for name, record_id in paid.items():
        page = open_page(f"{address}/receipts/{record_id}")
        judge(page, f"receipt-{name}", WIDTHS)
    assert "Refused" in page.inner_text("main")
    page = open_page(f"{address}/receipts/{paid['bill']}?lang=fil")
    assert page.get_attribute("html", "lang") == "fil"
    page.emulate_media(media="print")
    for millimetres in (58, 80, 105):
        page.set_viewport_size({"width": millimetres * 96 * 10 // 254, "height": 560})
        sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways <= 0
        assert not page.is_visible("#print")


def test_another_program_reads_the_code_off_the_paper(
    open_page: Open, address: str, paid: dict[str, UUID], town: Town, tmp_path: Path
) -> None:
    reader = judging.require("zbarimg", "zbar-tools")
    for millimetres in (58, 80):
        page = open_page(f"{address}/receipts/{paid['bill']}", device_scale_factor=2)  # what a 203 dpi printer has
        page.emulate_media(media="print")
        page.set_viewport_size({"width": millimetres * 96 * 10 // 254, "height": 560})
        picture = tmp_path / f"{millimetres}.png"
        page.screenshot(path=str(picture), full_page=True)
        command = [reader, "-q", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
        assert text.startswith("http://localhost/verify#")
        data = printed.from_text(text)
        assert data == signed(town, paid["bill"])
        assert verify_receipt(data, town.keys()).record_id == paid["bill"]


def test_the_code_opens_the_page_and_the_page_says_what_it_is(
    open_page: Open, address: str, paid: dict[str, UUID], town: Town
) -> None:
    text = printed.to_text(signed(town, paid["bill"]))
    page = open_page(f"{address}/verify#{text}")
    assert verdict(page) == "good"
    judge(page, "verify-good", WIDTHS)
    said = page.inner_text("#verify-answer")
    receipt = verify_receipt(signed(town, paid["bill"]), town.keys())
    for shown in ("PHP 101.00", str(receipt.official_number), str(paid["bill"]), "November 2, 2026", "Property tax"):
        assert shown in said
    assert page.evaluate("document.activeElement.id") == "verify-answer"
    assert paste(page, printed.to_text(signed(town, paid["refused"]))) == "refused"
    assert "No money moved" in page.inner_text("#verify-answer")
    assert paste(page, base64.urlsafe_b64encode(signed(town, paid["top-up"])).decode()) == "good"
    assert "PHP 500.00" in page.inner_text("#verify-answer")


def test_what_is_wrong_is_said_and_what_to_do(open_page: Open, address: str, paid: dict[str, UUID], town: Town) -> None:
    text = printed.to_text(signed(town, paid["bill"]))
    page = open_page(f"{address}/verify")
    assert not page.is_visible("#verify-answer")
    judge(page, "verify", WIDTHS)
    assert paste(page, "") == "bad"
    for wrong in ("hello", text[:-8], text[:100] + ("A" if text[100] != "A" else "B") + text[101:]):
        assert paste(page, wrong) == "bad"
        assert page.inner_text("#verify-verdict") == "Do not rely on this receipt."
    judge(page, "verify-bad", WIDTHS)
    page = open_page(f"{address}/verify?lang=fil#{text}")
    assert verdict(page) == "good"
    assert page.inner_text("h1") != "Check a receipt"


def test_without_javascript_the_page_says_where_to_go(open_page: Open, address: str) -> None:
    page = open_page(f"{address}/verify", java_script_enabled=False)
    assert "counter" in page.inner_text("noscript, .govuk-warning-text")
    assert not page.is_visible("#verify-form")


def test_nothing_of_the_receipt_reaches_the_service(
    open_page: Open, address: str, paid: dict[str, UUID], town: Town
) -> None:
    page = open_page(f"{address}/verify")
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(request.url + (request.post_data or "")))
    text = printed.to_text(signed(town, paid["bill"]))
    assert paste(page, text) == "good"
    page.goto(f"{address}/verify?lang=en#{text}")
    assert verdict(page) == "good"
    assert not [one for one in asked if text[:40] in one.partition("#")[0]]


def test_it_works_without_a_network_once_it_was_opened(
    browser: Browser, app: Flask, paid: dict[str, UUID], town: Town
) -> None:
    """The server is gone, not only slow; the page is opened anew, and still has its keys."""
    context = browser.new_context()
    page = context.new_page()
    with serving(app) as address:
        page.goto(f"{address}/verify")
        page.wait_for_selector("#verify-offline:not([hidden])")
    context.set_offline(True)
    text = printed.to_text(signed(town, paid["bill"]))
    for path in ("/verify", "/verify?lang=fil"):
        page.goto(f"{address}{path}#{text}")
        assert verdict(page) == "good"
        assert page.evaluate("document.fonts.ready.then(() => document.fonts.check('20px \"Source Sans 3\"', 'A'))")
    page.reload()
    assert verdict(page) == "good"
    assert paste(page, text[:-1] + ("A" if text[-1] != "A" else "E")) == "bad"
    context.close()


# -------------------------------------------------------------------------------------- the same verdicts as in Python

JUDGE = """async ([keyFile, texts]) => {
  const { readKeys, readText, verifyReceipt } = await import("/static/verify/receipt.js");
  const keys = await readKeys(keyFile);
  return Promise.all(texts.map((text) => readText(text).then((data) => verifyReceipt(data, keys))
    .then((receipt) => `${receipt.outcome} ${receipt.amountCents}`, (error) => error.code ?? String(error.stack))));
}"""


@pytest.fixture
def in_browser(browser: Browser, address: str) -> Iterator[Callable[[str, list[str]], list[str]]]:
    """The verdicts of the page's own code. The page's policy would not let a test import it: it is off here."""
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    page.goto(f"{address}/verify")
    yield lambda keys, texts: page.evaluate(JUDGE, [keys, texts])
    context.close()


def in_python(keys: CityKeys, text: str) -> str:
    try:
        letters = text.rpartition("#")[2]
        data = printed.from_text(text) if printed.is_printed(text) else base64.urlsafe_b64decode(letters + "==")
        receipt = verify_receipt(data, keys)
    except CryptoError as error:
        return error.code
    return f"{receipt.outcome} {'null' if receipt.amount_cents is None else receipt.amount_cents}"


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_every_vector_has_the_verdict_that_it_has_in_python(in_browser: Any) -> None:
    cases = [case for case in WIRE["cases"] if case["message"] == "receipt"]
    texts = [base64url(bytes.fromhex(case["hex"])) for case in cases]
    verdicts = in_browser(WIRE["city_keys"], texts)
    assert verdicts == [in_python(CityKeys.parse(WIRE["city_keys"]), text) for text in texts]
    assert [None if verdict.startswith(("accepted", "rejected")) else verdict for verdict in verdicts] == [
        case["error"] for case in cases
    ]


def test_every_printed_vector_has_the_verdict_that_it_was_published_with(in_browser: Any) -> None:
    published = json.loads((Path(__file__).parents[1] / "vectors" / "log-v1.json").read_text())
    cases = [case for case in published["cases"] if case["message"] == "printed"]
    verdicts = in_browser(published["city_keys"], [case["text"] for case in cases])
    assert [None if verdict.startswith(("accepted", "rejected")) else verdict for verdict in verdicts] == [
        case["error"] for case in cases
    ]


def test_every_changed_receipt_has_the_verdict_that_it_has_in_python(in_browser: Any) -> None:
    """Bytes changed, cut, doubled and exchanged, in both forms; signatures are over what was changed, too."""
    keys = CityKeys.parse(WIRE["city_keys"])
    good = [bytes.fromhex(c["hex"]) for c in WIRE["cases"] if c["message"] == "receipt" and c["error"] is None]
    draw = random.Random(4)
    texts: list[str] = []
    for _ in range(1500):
        data = bytearray(draw.choice(good))
        place = draw.randrange(len(data))
        match draw.randrange(4):
            case 0:
                data[place] ^= 1 << draw.randrange(8)
            case 1:
                del data[place : place + draw.randrange(1, 40)]
            case 2:
                data[place:place] = data[place : place + draw.randrange(1, 40)]
            case _:
                data[place] = draw.randrange(256)
        texts.append(base64url(bytes(data)))
    letters = [printed.to_text(data) for data in good]
    for _ in range(500):
        text = draw.choice(letters)
        place = draw.randrange(len(text))
        texts.append(text[:place] + draw.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") + text[place + draw.randrange(2) :])
    wanted = [in_python(keys, text) for text in texts]
    assert in_browser(WIRE["city_keys"], texts) == wanted
    assert {"malformed", "invalid_signature", "accepted 1500"} <= set(wanted)
