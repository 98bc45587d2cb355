"""Canaries: what must never be written down is looked for wherever something is written, after a card's whole life.

A card is made, gets its PIN, is blocked by wrong ones, unblocked, signs, has its PIN changed, on the real stack, at an
agent and a service that log everything they can. Then logs, databases, outboxes, what was printed, tracebacks with all
their locals, and the process's own environment and arguments are searched for PIN, PUK, management key, private keys.
"""

import base64
import logging
import secrets
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from flask.testing import FlaskClient

from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from terminals.agent import Agent, create_agent
from terminals.card import CardError, CardSettings, CardState, PinBlocked, PivSession, SimulatedCard
from terminals.counter import Personalisation
from terminals.settings import TerminalKind
from tests.pcsc_fixtures import PcscSlot, pcsc_daemon, pcsc_slot
from tests.terminals.service import CityService

__all__ = ["pcsc_daemon", "pcsc_slot"]
pytestmark = pytest.mark.pcsc

FIRST_PIN, WRONG_PIN, NEXT_PIN, LAST_PIN = b"8392017", b"5720938", b"6180543", b"9402716"
TOKEN: Final = "t0ken"
ROOT: Final = f"/{TOKEN}/kiosk"
HOST: Final = {"Host": "127.0.0.1"}
TRIES: Final = 5


def spellings(secret: bytes) -> dict[str, bytes]:
    """How a secret may stand in a file: as it is, padded for the card, hex, base64, UTF-16, digits two in a byte."""
    padded = secret.ljust(8, b"\xff")
    found = {"raw": secret, **{name: secret.decode("latin-1").encode(name) for name in ("utf-16-le", "utf-16-be")}}
    for name, value in (("plain", secret), ("padded", padded)):
        found |= {
            f"{name} hex": value.hex().encode(),
            f"{name} HEX": value.hex().upper().encode(),
            f"{name} spaced hex": value.hex(" ").encode(),
            f"{name} SPACED HEX": value.hex(" ").upper().encode(),
            f"{name} list": ", ".join(str(byte) for byte in value).encode(),
            f"{name} base64": base64.b64encode(value).rstrip(b"="),
            f"{name} base64url": base64.urlsafe_b64encode(value).rstrip(b"="),
        }
    if secret.isdigit():
        digits = secret.decode()
        found["packed digits"] = bytes.fromhex(digits + "F" * (len(digits) % 2))
        found["packed digits, right"] = bytes.fromhex("0" * (len(digits) % 2) + digits)
    return found


def found_in(places: dict[str, bytes], canaries: dict[str, bytes]) -> set[tuple[str, str, str]]:
    """(place, canary, spelling) of each that is there."""
    return {
        (place, name, spelling)
        for name, secret in canaries.items()
        for spelling, needle in spellings(secret).items()
        for place, content in places.items()
        if needle in content
    }


def written(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Everything(logging.Handler):
    """Writes each record with its arguments, and each exception with the locals of every frame."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.DEBUG)
        self._path = path

    def emit(self, record: logging.LogRecord) -> None:
        with self._path.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{record.name} {record.getMessage()} {record.args!r}\n")
            if record.exc_info and record.exc_info[1]:
                file.write(dumped(record.exc_info[1]))


def dumped(error: BaseException) -> str:
    return "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "everything.log"
    handler, root = Everything(path), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield path
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def office(tmp_path: Path, vault: Vault, clock: FixedClock) -> Iterator[CityService]:
    opened = CityService(tmp_path, vault, clock)
    yield opened
    opened.close()


def pressed(browser: FlaskClient, deed: str, **fields: str) -> str:
    answer = browser.post(f"{ROOT}/{deed}", data=fields, headers=HOST)
    assert answer.status_code == 303
    return browser.get(ROOT, headers=HOST).text


def refused(session: PivSession, log: Path, secret: bytearray) -> None:
    """A PUK guess that fails, its traceback kept as a crash dump would."""
    try:
        session.reset_retry_counter(secret, bytearray(NEXT_PIN))
    except CardError as error:
        with log.open("a") as file:
            file.write(dumped(error))


def of_the_process() -> dict[str, bytes]:
    return {
        "environment": Path("/proc/self/environ").read_bytes(),
        "arguments": Path("/proc/self/cmdline").read_bytes() + " ".join(sys.argv).encode(),
    }


def secrets_of(state: CardState, puk: bytes) -> dict[str, bytes]:
    return {
        "first PIN": FIRST_PIN,
        "wrong PIN": WRONG_PIN,
        "PIN after unblocking": NEXT_PIN,
        "changed PIN": LAST_PIN,
        "PUK": puk,
        "management key": bytes(state.management_key),
        **{f"private key {slot:02X}": scalar.to_bytes(32) for slot, scalar in state.keys.items()},
    }


def last_try(session: PivSession) -> None:
    session.select()
    session.verify_pin(bytearray(WRONG_PIN), last_try=True)


def made_and_handed_over(office: CityService, slot: PcscSlot, resident_id: UUID) -> CardState:
    state = CardState.blank(CardSettings())
    slot.insert(SimulatedCard(state))
    work = Personalisation(
        office.clerk, office.approved_card(resident_id), office.counter, random_bytes=secrets.token_bytes
    )
    with PivSession(slot.reader.connect()) as session:
        made = work.make(session)
        work.hand_over(session, made, bytearray(FIRST_PIN), bytearray(FIRST_PIN))
    return state


def wrong_at_the_kiosk(browser: FlaskClient) -> None:
    page = browser.get(ROOT, headers=HOST).text
    assert "Your balance" in page
    page = pressed(browser, "claim")
    item = page.split('name="item" value="')[1].split('"')[0]
    pressed(browser, "choose", item=item)
    pressed(browser, "confirm")
    for _ in range(TRIES):
        page = pressed(browser, "pin", pin=WRONG_PIN.decode())


def test_no_secret_of_a_card_is_ever_written_down(
    office: CityService, pcsc_slot: PcscSlot, tmp_path: Path, log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    resident_id = UUID(office.resident()["id"])
    office.entitlement(resident_id, 500_00)
    state = made_and_handed_over(office, pcsc_slot, resident_id)
    station = office.station(TerminalKind.KIOSK)
    app = create_agent(TerminalKind.KIOSK, station, pcsc_slot.reader, token=TOKEN)
    agent: Agent = app.extensions["agent"]
    browser = app.test_client()
    seen = agent.events.last
    agent.watcher.start()
    while "balance" not in "".join(event.data for event in agent.events.after(seen, 30)):
        pass
    wrong_at_the_kiosk(browser)
    assert state.pin_tries_left == 1  # the kiosk leaves the last try to the holder
    with pytest.raises(PinBlocked):
        agent.watcher.with_card(last_try)
    assert state.pin_tries_left == 0
    puk = bytes(state.puk)

    def unblocked(session: PivSession) -> None:
        session.select()
        refused(session, log, bytearray(WRONG_PIN.ljust(8, b"0")))
        session.reset_retry_counter(bytearray(puk), bytearray(NEXT_PIN))
        session.change_pin(bytearray(NEXT_PIN), bytearray(LAST_PIN))

    agent.watcher.with_card(unblocked)
    assert "Your balance" in pressed(browser, "back")
    agent.close()
    station.close()
    office.close()
    printed = capfd.readouterr()
    places = written(tmp_path) | of_the_process() | {"printed": (printed.out + printed.err).encode()}
    canaries = secrets_of(state, puk)
    assert len(canaries) == 9
    assert state.pin == LAST_PIN.ljust(8, b"\xff")
    assert {"everything.log", "city.sqlite", "kiosk/outbox.sqlite"} <= set(places)
    assert len(places["everything.log"]) > 1_000
    assert found_in(places, canaries) == set()


@pytest.mark.parametrize("secret", [FIRST_PIN, b"73920461", bytes(range(100, 132))])
def test_a_canary_that_was_let_out_is_found_in_every_spelling(tmp_path: Path, secret: bytes) -> None:
    for spelling, needle in spellings(secret).items():
        path = tmp_path / "leak.log"
        path.write_bytes(b"before " + needle + b" after")
        assert ("leak.log", "it", spelling) in found_in(written(tmp_path), {"it": secret})


def test_a_careless_frame_is_caught_by_the_dump(tmp_path: Path, log: Path) -> None:
    """The control of the control: a local that holds a PIN when something fails does reach the log."""

    def careless(pin: bytes) -> None:
        entered = pin.decode()
        raise ValueError(len(entered))

    try:
        careless(FIRST_PIN)
    except ValueError:
        logging.getLogger("careless").exception("something failed")
    assert ("everything.log", "it", "raw") in found_in(written(tmp_path), {"it": FIRST_PIN})
