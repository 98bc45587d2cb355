"""The real stack: pcscd, the virtual reader's driver, libpcsclite, pyscard. A daemon of our own disturbs nobody."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from terminals import card
from terminals.card import Interface, ManagementAlgorithm, PivSession, Slot, pcsc
from terminals.card.products import ATR_DEMO_CARD
from tests.card_builders import MANAGEMENT_KEY, PIN, IssuedCard, Tearing, issued_card, secret
from tests.judging import missing, require
from tests.pcsc_fixtures import PcscSlot

pytestmark = pytest.mark.pcsc


def test_the_readers_are_listed_and_found_by_a_part_of_their_name(pcsc_daemon: card.PrivatePcscd) -> None:
    assert pcsc.list_readers() == pcsc_daemon.reader_names
    assert pcsc.find_reader("virtual reader 00 01").name == pcsc_daemon.reader_names[1]
    with pytest.raises(card.ReaderUnavailable, match="City Virtual Reader 00 00") as refusal:
        pcsc.find_reader("ACR1252")
    assert refusal.value.code == "reader_unavailable"


def test_an_empty_reader_says_so(pcsc_slot: PcscSlot) -> None:
    reader = pcsc_slot.reader
    assert reader.wait_for_card(0.1) is False
    assert reader.wait_for_removal(0) is True
    with pytest.raises(card.NoCard, match="insert one"):
        reader.connect()


def test_insertion_and_removal_are_seen_by_a_waiting_terminal(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    reader = pcsc_slot.reader
    seen: list[bool] = []
    waiting = threading.Thread(target=lambda: seen.append(reader.wait_for_card(10)))
    waiting.start()
    pcsc_slot.insert(issued.card)
    waiting.join()
    assert seen == [True]
    assert reader.wait_for_removal(0) is False
    waiting = threading.Thread(target=lambda: seen.append(reader.wait_for_removal(10)))
    waiting.start()
    pcsc_slot.remove()
    waiting.join()
    assert seen == [True, True]
    reader.close()


def test_a_whole_session_runs_over_pcsc(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.insert(issued.card)
    with PivSession(pcsc_slot.reader.connect()) as session:
        assert session.atr == ATR_DEMO_CARD
        session.select()
        assert [session.read_certificate(slot) for slot in Slot] == [issued.certificates[slot] for slot in Slot]
        session.prove_possession(Slot.CARD_AUTHENTICATION, issued.public_keys[Slot.CARD_AUTHENTICATION])
        session.verify_pin(secret(PIN))
        session.prove_possession(Slot.SIGNATURE, issued.public_keys[Slot.SIGNATURE])
        session.authenticate_management(MANAGEMENT_KEY, ManagementAlgorithm.AES256)
        session.put_data(card.DataObject.SECURITY, bytes(2000))
        assert session.get_data(card.DataObject.SECURITY) == bytes(2000)


def test_a_pin_does_not_outlive_its_connection(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.insert(issued.card)
    with PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        session.verify_pin(secret(PIN))
    with PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        assert session.pin_status() == card.PinStatus(verified=False, attempts_left=5)


def test_a_card_held_by_another_program_is_busy_not_broken(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.insert(issued.card)
    first = pcsc_slot.reader.connect()
    with pytest.raises(card.ReaderBusy, match="Another program"):
        pcsc_slot.reader.connect()
    first.close()
    first.close()
    pcsc_slot.reader.connect().close()


@pytest.mark.parametrize("done", [False, True])
def test_a_card_torn_out_in_the_middle_is_removed_and_the_session_over(pcsc_slot: PcscSlot, done: bool) -> None:
    issued = issued_card()
    pcsc_slot.insert(Tearing(issued.card, 2, done=done))
    session = PivSession(pcsc_slot.reader.connect())
    session.select()
    session.read_chuid()
    with pytest.raises(card.CardRemoved):
        session.sign_digest(Slot.CARD_AUTHENTICATION, bytes(32))
    with pytest.raises(card.SessionEnded):
        session.select()
    assert pcsc_slot.reader.wait_for_removal(5)


def test_a_swapped_card_never_answers_in_the_first_ones_session(pcsc_slot: PcscSlot) -> None:
    first, second = issued_card(seed="first"), issued_card(seed="second")
    pcsc_slot.insert(first.card)
    session = PivSession(pcsc_slot.reader.connect())
    session.select()
    session.verify_pin(secret(PIN))
    pcsc_slot.slot.insert(second.card)
    with pytest.raises(card.CardRemoved):
        session.sign_digest(Slot.SIGNATURE, bytes(32))
    with pytest.raises(card.SessionEnded):
        session.sign_digest(Slot.CARD_AUTHENTICATION, bytes(32))
    assert pcsc_slot.reader.wait_for_card(5)
    with PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        assert not session.pin_status().verified
        session.prove_possession(Slot.CARD_AUTHENTICATION, second.public_keys[Slot.CARD_AUTHENTICATION])


def test_a_mute_card_gives_the_terminal_back(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    class Mute(Tearing):
        def process(self, frame: bytes) -> bytes:
            answered.wait(20)
            return super().process(frame)

    answered = threading.Event()
    pcsc_slot.insert(Mute(issued.card, 100, done=False))
    session = PivSession(pcsc.PcscReader(pcsc_slot.reader_name, answer_seconds=0.3).connect())
    with pytest.raises(card.CardMute, match="did not answer"):
        session.select()
    with pytest.raises(card.SessionEnded):
        session.select()
    answered.set()


def test_a_slot_that_is_taken_is_said_to_be_taken(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.insert(issued.card)
    with pytest.raises(card.ReaderUnavailable, match="another card is in it"):
        card.VirtualReader(pcsc_slot.slot.port).insert(issued_card().card)


def test_a_slot_without_a_daemon_is_said_to_be_missing() -> None:
    with pytest.raises(card.ReaderUnavailable, match="nothing listens"):
        card.VirtualReader(1).insert(card.SimulatedCard.blank())


def test_the_contactless_interface_is_a_property_of_the_slot(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.slot.interface = Interface.CONTACTLESS
    try:
        pcsc_slot.insert(issued.card)
        reader = pcsc.PcscReader(pcsc_slot.reader_name, interface=Interface.CONTACTLESS)
        with PivSession(reader.connect()) as session:
            session.select()
            session.prove_possession(Slot.CARD_AUTHENTICATION, issued.public_keys[Slot.CARD_AUTHENTICATION])
            with pytest.raises(card.NotAllowed):
                session.verify_pin(secret(PIN))
    finally:
        pcsc_slot.slot.interface = Interface.CONTACT


def test_two_private_daemons_do_not_see_each_other(pcsc_daemon: card.PrivatePcscd) -> None:
    tool = require("opensc-tool", "opensc")
    with card.PrivatePcscd("Other Reader") as other:
        assert not set(other.ports) & set(pcsc_daemon.ports)
        listed = subprocess.run(
            [tool, "-l"], env=os.environ | other.environment, check=True, capture_output=True, text=True
        ).stdout
        assert "Other Reader 00 00" in listed
        assert "City Virtual Reader" not in listed
        assert pcsc.list_readers() == pcsc_daemon.reader_names
        directory = other.socket_path.parent
    assert not directory.exists()


def test_a_daemon_that_went_away_is_waited_for_and_then_named(pcsc_daemon: card.PrivatePcscd) -> None:
    """In a process of its own, because libpcsclite keeps to the first daemon it met."""
    script = """
import os, threading, time
from terminals import card
from terminals.card import pcsc
daemon = card.PrivatePcscd()
daemon.start()
os.environ.update(daemon.environment)
reader = pcsc.find_reader("00 00")
assert reader.wait_for_card(0.1) is False
daemon.stop()
started = time.monotonic()
try:
    reader.wait_for_card(1.0)
except card.ReaderUnavailable as error:
    assert "does not answer" in str(error), error
else:
    raise SystemExit("waited without an error")
assert time.monotonic() - started > 0.9
try:
    reader.connect()
except card.ReaderUnavailable:
    print("named")
"""
    assert alone(script) == "named\n"


def alone(script: str, *before: str) -> str:
    """Run a script in a process that has met no PC/SC daemon yet; what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PCSCLITE_CSOCK_NAME"}
    done = subprocess.run(
        [*before, sys.executable, "-c", script],
        cwd=Path(__file__).parents[3],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr


def test_without_pyscard_the_import_succeeds_and_the_reader_says_what_to_install() -> None:
    script = """
import sys
sys.modules["smartcard"] = sys.modules["smartcard.scard"] = None
from terminals import card
from terminals.card import pcsc
reader = pcsc.PcscReader("any")
for verb in (pcsc.list_readers, pcsc.find_reader, reader.connect, lambda: reader.wait_for_card(0)):
    try:
        verb()
    except card.ReaderUnavailable as error:
        print("pip install pyscard" in str(error))
"""
    assert alone(script) == "True\n" * 4


def test_without_a_daemon_the_reader_says_what_to_start() -> None:
    script = """
import os
os.environ["PCSCLITE_CSOCK_NAME"] = "/nowhere"
from terminals import card
from terminals.card import pcsc
try:
    pcsc.list_readers()
except card.ReaderUnavailable as error:
    print("apt-get install pcscd" in str(error))
"""
    assert alone(script) == "True\n"


def test_the_machines_daemon_is_started_once_and_seen_by_every_tool(pcsc_daemon: card.PrivatePcscd) -> None:
    """In namespaces of its own, so that the machine's real one is left alone."""
    require("opensc-tool", "opensc")
    script = """
import subprocess
from terminals import card
from terminals.card.pcscd import SYSTEM_SOCKET, answers
with card.SystemPcscd() as first:
    with card.SystemPcscd() as second:
        print(first.started_here, second.started_here)
    seen = subprocess.run(["opensc-tool", "-l"], capture_output=True, text=True).stdout
    print([name in seen for name in first.reader_names])
print(answers(SYSTEM_SOCKET))
"""
    user = [] if os.geteuid() == 0 else ["--map-root-user"]
    inside = ["unshare", *user, "--mount", "--net", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$0" "$@"']
    if subprocess.run([*inside, "true"], check=False, capture_output=True).returncode:
        missing("this kernel gives no namespaces to this user")
    assert alone(script, *inside) == "True False\n[True, True]\nFalse\n"
