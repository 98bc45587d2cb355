"""`./city counter pin`, as processes, at a real PC/SC reader, with the service over HTTP."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

from cardsvc import app
from cardsvc.clock import FixedClock
from terminals.settings import SystemClock, TerminalKind
from tests.judges.environments import ROOT
from tests.pcsc_fixtures import PcscSlot, pcsc_daemon, pcsc_slot
from tests.terminals.service import PASSWORD, PIN, CityService

__all__ = ["pcsc_daemon", "pcsc_slot"]

pytestmark = pytest.mark.pcsc


class Desk:
    def __init__(self, url: str, slot: PcscSlot, folder: Path, home: Path) -> None:
        self._url, self._slot, self._folder, self._home = url, slot, folder, home
        self.file("password", PASSWORD.encode())

    def file(self, name: str, content: bytes) -> str:
        (self._folder / name).write_bytes(content)
        return str(self._folder / name)

    def pin(self, *arguments: str) -> dict[str, Any]:
        where = ["--service", self._url, "--home", str(self._home), "--reader", self._slot.reader_name]
        done = subprocess.run(
            [sys.executable, "-m", "cli", "counter", *where, "pin", *arguments, "--json"],
            env={**self._slot.environment, "CITY_HOME": os.devnull},
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) is answer["ok"], done.stderr
        return answer

    def reset(self, new: bytes, reason: str = "passport P123") -> dict[str, Any]:
        who = ["--username", "clara", "--password-file", str(self._folder / "password"), "--reason", reason]
        return self.pin("reset", *who, "--new-pin-file", self.file("new", new))


@pytest.fixture
def clock() -> FixedClock:
    """The command reads the machine's clock, so the city's agrees with it."""
    return FixedClock(datetime.fromtimestamp(SystemClock().now_ms() / 1000, UTC))


@pytest.fixture
def desk(office: CityService, pcsc_slot: PcscSlot, tmp_path: Path) -> Iterator[Desk]:
    counter = office.station(TerminalKind.COUNTER)
    counter.close()
    pcsc_slot.insert(office.active_card())
    server = make_server("127.0.0.1", 0, app.app_of(office.city), threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Desk(f"http://127.0.0.1:{server.server_port}", pcsc_slot, tmp_path, counter.settings.home)
    server.shutdown()
    server.server_close()


def test_a_pin_is_changed_and_a_forgotten_one_is_set_anew(desk: Desk) -> None:
    wrong, right = desk.file("wrong", b"000000"), desk.file("right", PIN)
    refused = desk.pin("change", "--pin-file", wrong, "--new-pin-file", desk.file("new", b"75319864"))
    assert refused["code"] == "pin_rejected"
    changed = desk.pin("change", "--pin-file", right, "--new-pin-file", desk.file("new", b"75319864"))
    assert (changed["ok"], changed["attempts_left"]) == (True, 5)
    forgotten = desk.reset(b"86420975")
    assert forgotten["ok"]
    used = desk.pin("change", "--pin-file", desk.file("now", b"86420975"), "--new-pin-file", right)
    assert used["ok"]
    assert desk.reset(b"12")["code"] == "pin_format"
