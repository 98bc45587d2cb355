"""`./city counter issue` and `./city card check`, as processes, at a real PC/SC reader, with the service over HTTP."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from werkzeug.serving import make_server

from cardsvc import app
from cardsvc.vault import Vault
from terminals.card import ManagementAlgorithm, SimulatedCard
from terminals.settings import TerminalKind
from tests.foreign_cards import NIST_STRICT, OPEN_FIPS, PIV_APPLET, ForeignCard, Habits
from tests.judges.environments import ROOT, judge_python
from tests.pcsc_fixtures import PcscSlot, pcsc_daemon, pcsc_slot
from tests.terminals.service import PASSWORD, PIN, CityService

__all__ = ["pcsc_daemon", "pcsc_slot"]

pytestmark = pytest.mark.pcsc

FACTORY = (bytes(range(1, 9)) * 3).hex()
BATCH = bytes(range(32, 64))


class Desk:
    """A counter's command line: its service, its people, its reader."""

    def __init__(self, url: str, folder: Path, slot: PcscSlot, vault: Vault, home: Path) -> None:
        self._slot = slot
        self._pin, self._authority, password = folder / "pin", folder / "ca.pem", folder / "password"
        self._pin.write_bytes(PIN)
        password.write_text(PASSWORD)
        self._authority.write_bytes(vault.certificate("card-ca").public_bytes(Encoding.PEM))
        people = ["--username", "clara", "--password-file", str(password)]
        self._people = [*people, "--approve-as", "oscar", "--approver-password-file", str(password)]
        self._url, self._home = url, str(home)

    def issue(self, *arguments: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        line = [
            "counter",
            "--home",
            self._home,
            "issue",
            "--reader",
            self._slot.reader_name,
            "--service",
            self._url,
            *self._people,
        ]
        return self._run([*line, "--pin-file", str(self._pin), "--json", *arguments], environment or {})

    def check(self) -> dict[str, Any]:
        line = ["card", "check", "--reader", self._slot.reader_name, "--authority", str(self._authority)]
        return self._run([*line, "--sign-with-pin", "--pin-file", str(self._pin), "--json"], {})

    def _run(self, arguments: list[str], environment: Mapping[str, str]) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *arguments],
            env={**self._slot.environment, "CITY_HOME": os.devnull, **environment},
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
        assert (done.returncode == 0) is answer["ok"], done.stderr
        assert PIN.decode() not in done.stdout + done.stderr
        return answer


@pytest.fixture
def desk(office: CityService, vault: Vault, pcsc_slot: PcscSlot, tmp_path: Path) -> Iterator[Desk]:
    office.person("clara")
    office.person("oscar")
    counter = office.station(TerminalKind.COUNTER)
    counter.close()
    server = make_server("127.0.0.1", 0, app.app_of(office.city), threaded=False)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Desk(f"http://127.0.0.1:{server.server_port}", tmp_path, pcsc_slot, vault, counter.settings.home)
    server.shutdown()
    server.server_close()


@contextmanager
def jcecard(slot: PcscSlot) -> Iterator[None]:
    process = subprocess.Popen(
        [judge_python("jcecard"), str(ROOT / "tests" / "judges" / "jcecard_bridge.py"), str(slot.slot.port)],
        env=slot.environment | {"PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"inserted\n"
        yield
    finally:
        process.communicate()
        slot.emptied()


@pytest.mark.judge
def test_a_card_of_another_make_is_issued_and_checked_by_the_line_of_the_manual(
    desk: Desk, office: CityService, pcsc_slot: PcscSlot
) -> None:
    number = office.resident()["number"]
    with jcecard(pcsc_slot):
        unnamed = desk.issue("--resident", number)
        assert (unnamed["ok"], unnamed["code"]) == (False, "card_product_unsupported")
        key = ["--management-key", FACTORY, "--algorithm", "3des"]
        refused = desk.issue("--resident", number, *key, environment={"CITY_ENV": "production"})
        assert (refused["ok"], refused["code"]) == (False, "bad_intake")
        done = desk.issue("--resident", number, *key)
        assert (done["state"], done["management_key"], done["algorithm"]) == ("active", "kept", "3des")
        checked = desk.check()
        assert (checked["ok"], checked["citizen_card"]) == (True, True), checked
        assert checked["card_id"] == done["card_id"]


@pytest.mark.parametrize(
    ("habits", "algorithm", "kept"),
    [
        (PIV_APPLET, ManagementAlgorithm.TDES, "diversified"),
        (OPEN_FIPS, ManagementAlgorithm.AES128, "kept"),
        (NIST_STRICT, ManagementAlgorithm.AES128, "kept"),
    ],
)
def test_cards_with_habits_of_their_own_are_issued_at_a_real_reader(
    desk: Desk, office: CityService, pcsc_slot: PcscSlot, habits: Habits, algorithm: ManagementAlgorithm, kept: str
) -> None:
    key = BATCH[: algorithm.key_length] if kept == "kept" else None
    pcsc_slot.insert(ForeignCard.fresh(habits, algorithm, key))
    named = ["--management-key", key.hex(), "--algorithm", algorithm.title] if key else []
    done = desk.issue("--resident", office.resident()["id"], *named)
    assert (done["ok"], done["state"], done["management_key"]) == (True, "active", kept), done
    assert desk.check()["ok"]


def test_what_cannot_be_done_is_said_as_one_object(desk: Desk, office: CityService, pcsc_slot: PcscSlot) -> None:
    pcsc_slot.insert(SimulatedCard.blank())
    assert desk.issue("--resident", "nobody")["code"] in ("resident_not_found", "invalid_resident_number")
    number = office.resident()["number"]
    assert desk.issue("--resident", number, "--service", "http://127.0.0.1:9")["code"] == "service_unreachable"
    assert desk.issue("--resident", number, "--reader", "no such reader")["code"] == "reader_unavailable"
    assert desk.issue("--resident", number)["state"] == "active"
    again = desk.issue("--resident", number)
    assert again["code"] == "active_card_exists"
    assert "--replace" in again["message"]
