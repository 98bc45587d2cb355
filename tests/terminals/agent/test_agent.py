"""The agent as a browser on the same machine meets it, with a real card in a real (built-in) reader."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from terminals.agent.app import Agent, Port, create_agent
from terminals.card import LocalReader
from terminals.settings import TerminalKind
from terminals.station import Station
from tests.terminals.city import SmallCity

TOKEN = "t0ken"


class LocalBrowser(FlaskClient):
    """Asks for the agent by the address that it printed."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        kwargs.setdefault("base_url", "http://127.0.0.1:8000")
        return super().open(*args, **kwargs)


def beside(app: Flask) -> Agent:
    found = app.extensions["agent"]
    assert isinstance(found, Agent)
    return found


@pytest.fixture
def reader() -> LocalReader:
    return LocalReader()


@pytest.fixture
def city() -> SmallCity:
    return SmallCity()


@pytest.fixture
def station(city: SmallCity, tmp_path: Path) -> Iterator[Station]:
    opened = city.station(tmp_path, TerminalKind.KIOSK)
    yield opened
    opened.close()


@pytest.fixture
def kiosk(station: Station, reader: LocalReader) -> Flask:
    """A kiosk whose threads are not started: the tests of what is refused need none."""
    return create_agent(TerminalKind.KIOSK, station, reader, token=TOKEN, port=Port(8000))


@pytest.fixture
def browser(kiosk: Flask) -> FlaskClient:
    return LocalBrowser(kiosk)


def test_the_first_page_asks_for_a_card(browser: FlaskClient) -> None:
    answer = browser.get(f"/{TOKEN}/", follow_redirects=True)
    assert answer.status_code == 200
    assert "Insert your city card" in answer.text


def test_it_speaks_filipino_when_asked(browser: FlaskClient) -> None:
    assert 'lang="fil"' in browser.get(f"/{TOKEN}/kiosk?lang=fil").text


def test_an_address_without_this_boots_token_opens_nothing(browser: FlaskClient) -> None:
    for path in ("/", "/kiosk", "/another/kiosk", "/another/events", "/another/static/city.css"):
        assert browser.get(path, follow_redirects=True).status_code == 404, path


def test_every_page_stays_on_this_machine_and_leaks_no_address(browser: FlaskClient) -> None:
    headers = browser.get(f"/{TOKEN}/kiosk").headers
    assert headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "127.0.0.1:9000", "127.0.0.1.evil.example", "127.0.0.1"]
)
def test_another_host_name_is_refused_so_that_a_rebound_name_reaches_nothing(kiosk: Flask, host: str) -> None:
    answer = kiosk.test_client().get(f"/{TOKEN}/kiosk", headers={"Host": host})
    assert answer.status_code in (400, 421)


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000"])
def test_the_machines_own_names_are_served(kiosk: Flask, host: str) -> None:
    assert kiosk.test_client().get(f"/{TOKEN}/kiosk", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:8000"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_post_from_another_page_is_refused(browser: FlaskClient, headers: dict[str, str]) -> None:
    assert browser.post(f"/{TOKEN}/kiosk/done", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://127.0.0.1:8000"}, {"Sec-Fetch-Site": "same-origin", "Origin": "null"}],
)
def test_a_post_from_our_own_page_ends_in_a_redirect(browser: FlaskClient, headers: dict[str, str]) -> None:
    answer = browser.post(f"/{TOKEN}/kiosk/done", headers=headers)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/{TOKEN}/kiosk")


def test_a_deed_nobody_knows_is_not_found(browser: FlaskClient) -> None:
    assert browser.post(f"/{TOKEN}/kiosk/steal").status_code == 404


def test_events_carry_numbers_and_start_after_what_was_seen(kiosk: Flask, browser: FlaskClient) -> None:
    events = beside(kiosk).events
    events.screen("idle", "/x")
    events.status("hello\nthere")
    stream = browser.get(f"/{TOKEN}/events", headers={"Last-Event-ID": "1"}).response
    text = iter(stream)
    assert [str(next(text)) for _ in range(2)] != []
    events.close()
    assert re.search(r"id: 2\nevent: status\ndata: \{.*hello\\nthere", "".join(e.encode() for e in events.after(1, 0)))


def test_a_quiet_stream_sends_a_heartbeat(kiosk: Flask) -> None:
    stream = beside(kiosk).events.stream(0, heartbeat=0.01)
    assert [next(stream), next(stream)] == ["retry: 1000\n\n", ": still here\n\n"]


def test_a_counter_asks_for_a_sign_in_before_anything_else(
    city: SmallCity, reader: LocalReader, tmp_path: Path
) -> None:
    station = city.station(tmp_path, TerminalKind.COUNTER)
    app = create_agent(TerminalKind.COUNTER, station, reader, token=TOKEN)
    client = app.test_client()
    assert "Sign in at this counter" in client.get(f"/{TOKEN}/counter", headers={"Host": "127.0.0.1"}).text
    for path in ("find", "issue?resident=MK-1", "verify", "top-up", "shift/open", "shift/close"):
        answer = client.get(f"/{TOKEN}/counter/{path}", headers={"Host": "127.0.0.1"})
        assert answer.status_code == 303, path
    station.close()


def test_a_counter_without_a_network_says_so_at_the_sign_in(
    city: SmallCity, reader: LocalReader, tmp_path: Path
) -> None:
    station = city.station(tmp_path, TerminalKind.COUNTER)
    client = create_agent(TerminalKind.COUNTER, station, reader, token=TOKEN).test_client()
    form = {"username": "clara", "password": "x"}
    answer = client.post(f"/{TOKEN}/counter/sign-in", data=form, headers={"Host": "127.0.0.1"})
    assert "cannot be reached" in answer.text
    station.close()
