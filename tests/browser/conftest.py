"""A real Chromium on real servers: the service's pages and a terminal's, both with sample data."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, render_template
from playwright.sync_api import Browser, Page, sync_playwright

from cardsvc import db, web
from cardsvc.clock import FixedClock
from cardsvc.settings import Environment, Settings
from cardsvc.vault import Vault
from terminals.agent import look as terminal_look
from tests import judging
from tests.browser import kiosk_samples, samples, terminal_samples
from tests.serving import serving

ROOT = Path(__file__).parent.parent.parent
ROOMS_WITH_PAGES = ("access", "residents", "wallets", "finance")
TERMINAL_BASE = "/t"
CHROMIUM_FLAGS = [
    "--no-sandbox",  # tests may run as root, in a container; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = ((390, 844), (1280, 900), (1440, 900))
KIOSK = (1080, 1920)
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
AXE = files("axe_playwright_python").joinpath("axe.min.js")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The system's Chromium; every test opens contexts of its own in it, which share nothing."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or judging.require("chromium")
    home = tmp_path_factory.mktemp("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=program,
            args=CHROMIUM_FLAGS,
            env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home)},
        )
        yield started
        started.close()


@pytest.fixture(scope="session")
def service_pages(vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service's templates with sample data, under /sample/<name>."""
    engine = db.make_engine(f"sqlite:///{tmp_path_factory.mktemp('pages') / 'city.db'}")
    settings = Settings(
        env=Environment.TEST,
        home=Path("/nowhere"),
        database_url=str(engine.url),
        city_name=vault.city_name,
        log_origin=vault.log_origin,
        public_url="http://localhost",
        vault_passphrase="",
        bind_host="127.0.0.1",
        port=0,
    )
    app = Flask("cardsvc")
    web.init(app, web.City(settings, FixedClock(samples.NOW), engine, vault, {}, random.Random(7).randbytes))
    for folder in (*(ROOT / "cardsvc" / room for room in ROOMS_WITH_PAGES), Path(__file__).parent):
        web.register(app, web.PageBlueprint(f"{folder.name}_samples", "cardsvc", root_path=str(folder)))
    by_name = {sample.name: sample for sample in samples.SERVICE}

    @app.get("/sample/<name>")
    def show(name: str) -> str:
        sample = by_name[name]
        if sample.visitor:
            web.welcome(web.Visitor(sample.visitor, "/wallet"))
        return render_template(sample.template, **sample.given)

    with serving(app) as address:
        yield address
    engine.dispose()


@pytest.fixture(scope="session")
def terminal_pages() -> Iterator[str]:
    """The terminals' templates with sample data, under /sample/<name>; what is posted comes back as text."""
    app = Flask("terminals.agent", root_path=str(ROOT / "terminals" / "agent"))
    terminal_look.dress(app, city_name="Maharlika City", base=TERMINAL_BASE, random_bytes=random.Random(8).randbytes)
    by_name = {sample.name: sample for sample in (*kiosk_samples.KIOSK, *terminal_samples.COUNTER)}

    @app.get("/sample/<name>")
    def show(name: str) -> str:
        return render_template(by_name[name].template, **by_name[name].given)

    @app.get(f"{TERMINAL_BASE}/events")
    def events() -> Response:
        return Response(": nothing happens\n\n", mimetype="text/event-stream")

    with serving(app) as address:
        yield address


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Open an address in a context of its own. Whatever the page complains about in its console fails the test."""
    complaints: list[str] = []
    contexts = []

    def go(address: str, *, size: tuple[int, int] = WIDTHS[1], **options: Any) -> Page:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            reduced_motion="reduce",
            timezone_id="Asia/Manila",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        answer = page.goto(address)
        assert answer is not None
        assert answer.ok, f"{address}: {answer.status}"
        return page

    yield go
    for context in contexts:
        context.close()
    assert complaints == []


def judge(page: Page, name: str, sizes: tuple[tuple[int, int], ...]) -> None:
    """No WCAG 2.2 A or AA violation at any of the sizes, and what `fits` says, once the page is there in whole."""
    page.wait_for_load_state()
    page.evaluate(AXE.read_text())
    for width, height in sizes:
        fits(page, name, (width, height))
        found = page.evaluate("tags => axe.run({runOnly: tags})", WCAG)["violations"]
        said = [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]
        assert said == [], f"{name} at {width}"


def fits(page: Page, name: str, size: tuple[int, int]) -> None:
    """No sideways scrolling. Leaves a picture in the folder that CITY_SCREENSHOTS names, if it names one."""
    page.wait_for_load_state()
    page.set_viewport_size({"width": size[0], "height": size[1]})
    sideways = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert sideways <= 0, f"{name} at {size[0]} scrolls sideways by {sideways} px"
    if folder := os.environ.get("CITY_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}-{size[0]}.png"), full_page=True)
