"""`./city up`: comes up, serves what it printed, and stops without leftovers."""

import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import urllib3

from demo.processes import ROOT, environment
from tests.demo.conftest import Loaded

_STOP_SECONDS = 60


@contextmanager
def city(loaded: Loaded) -> Iterator[dict[str, Any]]:
    """A city that is up on the demo city's home, and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli", "up", "--json"],
        env={**environment(HOME=str(loaded.settings.home), PCSC="off"), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read().decode()
        yield json.loads(line)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_STOP_SECONDS)
    assert process.returncode == 0


def page(url: str, **options: Any) -> str:
    answer = urllib3.request("GET", url, timeout=10, **options)
    assert answer.status == 200, (url, answer.status)
    return answer.data.decode()


def is_taken(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0


def test_up_serves_what_it_prints_and_leaves_nothing_running(loaded: Loaded) -> None:
    with city(loaded) as told:
        urls = [told["service"], told["kiosk"], told["counter"], told["tray"]]
        assert all(urlsplit(url).hostname == "127.0.0.1" for url in urls)
        assert "Sign in" in page(f"{told['service']}/sign-in")
        assert "Maria Reyes" in page(told["tray"])
        assert "Maharlika City" in page(told["kiosk"])
        assert "Maharlika City" in page(told["counter"])
        answer = urllib3.request("GET", told["tray"], headers={"Host": "city.example"}, retries=False)
        assert answer.status == 421
    assert not any(map(is_taken, urls))


def test_the_tray_moves_cards(loaded: Loaded) -> None:
    with city(loaded) as told:
        tray = told["tray"]
        assert len(re.findall("It is empty", page(tray))) == 1

        def post(path: str, **fields: str) -> int:
            return urllib3.request("POST", tray + path, fields=fields, redirect=False, timeout=10).status

        assert post("remove", reader="0") == 303
        assert len(re.findall("It is empty", page(tray))) == 2
        assert post("insert", reader="1", card="jose") == 303
        assert "In it: <strong>Jose Bautista" in page(tray)
        assert post("insert", reader="1", card="nobody") == 400
