"""The state of each reader, what is known of its kind, and what to do about it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from terminals import card
from terminals.card import Interface, health, pcsc_codes, quirks
from terminals.card.commands import card as card_command
from terminals.card.errors import CardUnresponsive
from terminals.card.faults import FaultLog, NotedReader
from terminals.card.health import LookedAt, Machine, ReaderHealth, ReaderState
from tests.card_builders import IssuedCard, Tearing
from tests.pcsc_fixtures import PcscSlot

PLAIN = Machine(frozenset(), escape=True)
ACR122U = "ACS ACR122U PICC Interface 00 00"
ACR1252U = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader PICC] 00 00"
ACR1252U_SAM = "ACS ACR1252 Dual Reader [ACR1252 Dual Reader SAM] 00 01"


def looked_at(seen: LookedAt, machine: Machine = PLAIN) -> ReaderHealth:
    (one,) = health.survey(lambda: [seen], machine, now_ms=5).readers
    return one


def test_every_entry_says_what_happens_what_to_do_and_how_it_is_known() -> None:
    facts = {quirks.ALWAYS, quirks.NO_ESCAPE}
    for entry in quirks.known_readers():
        assert entry.match
        for quirk in entry.quirks:
            assert quirk.when in facts or quirk.when.startswith(quirks.MODULE)
            assert min(len(quirk.says), len(quirk.do), len(quirk.source)) > 8
    assert sum(len(entry.quirks) for entry in quirks.known_readers()) >= 10


@pytest.mark.parametrize(
    ("name", "interface"),
    [
        (ACR122U, Interface.CONTACTLESS),
        (ACR1252U, Interface.CONTACTLESS),
        ("HID Global OMNIKEY 5422CL Smartcard Reader [OMNIKEY 5422CL Smartcard Reader] 00 00", Interface.CONTACTLESS),
        ("Identiv uTrust 3700 F CL Reader 00 00", Interface.CONTACTLESS),
        ("ACS ACR1281 1S Dual Reader 00 00", Interface.CONTACT),
        ("Generic Contactless Reader", Interface.CONTACTLESS),
        ("City Virtual Reader 00 00", Interface.CONTACT),
    ],
)
def test_a_readers_name_says_how_it_reaches_the_card(name: str, interface: Interface) -> None:
    assert quirks.interface_of(name) is interface


def test_the_sam_slot_is_passed_over_unless_it_is_asked_for_by_name() -> None:
    names = (ACR1252U_SAM, ACR1252U)
    assert quirks.choose(names, "") == ACR1252U
    assert quirks.choose(names, "acr1252") == ACR1252U
    assert quirks.choose(names, "SAM") == ACR1252U_SAM
    assert quirks.choose((ACR1252U_SAM,), "acr1252") is None
    assert quirks.choose((), "") is None


def test_a_reader_that_comes_back_under_another_index_is_the_same_one() -> None:
    back = ACR1252U.replace("00 00", "01 00")
    assert quirks.choose((ACR122U, back), "", ACR1252U) == back
    assert quirks.choose((back, ACR1252U), "", ACR1252U) == ACR1252U
    assert quirks.choose((ACR122U,), "acs", ACR1252U) == ACR122U
    assert quirks.choose(("Other 00 01", "Other 01 00"), "other", "Other 00 00") == "Other 01 00"


def test_a_quirk_shows_where_its_cause_is_found() -> None:
    grabbed = looked_at(LookedAt(ACR122U), Machine(frozenset({"pn533_usb"}), escape=False))
    assert [advice for advice in grabbed.advice if "blacklist pn533_usb" in advice.do]
    assert [advice for advice in grabbed.advice if "ifdDriverOptions" in advice.do]
    plain = looked_at(LookedAt(ACR122U))
    assert len(plain.advice) == len(grabbed.advice) - 2
    assert looked_at(LookedAt("Unheard Of 00 00")).advice == ()


def test_this_machines_facts_are_read_from_its_files(tmp_path: Path) -> None:
    modules, options = tmp_path / "modules", tmp_path / "Info.plist"
    assert Machine.look(modules, options) == PLAIN
    modules.write_text("pn533_usb 20480 0 - Live 0x0\nnfc 1 0 - Live 0x0\n")
    options.write_text('<plist version="1.0"><dict><key>ifdDriverOptions</key><string>0x0000</string></dict></plist>')
    assert Machine.look(modules, options) == Machine(frozenset({"pn533_usb", "nfc"}), escape=False)
    options.write_text('<plist version="1.0"><dict><key>ifdDriverOptions</key><string>0x0005</string></dict></plist>')
    assert Machine.look(modules, options).escape
    options.write_text("no plist")
    assert Machine.look(modules, options).escape


def test_what_is_wrong_now_is_the_last_fault_with_its_time() -> None:
    gone = looked_at(LookedAt("A", code=pcsc_codes.READER_UNAVAILABLE))
    assert gone.state is ReaderState.FAILING
    assert gone.last_fault is not None
    assert (gone.last_fault.code, gone.last_fault.at_ms) == ("reader_unavailable", 5)
    confused = looked_at(LookedAt("A", card_present=True, unresponsive=True))
    assert confused.last_fault is not None
    assert (confused.state, confused.last_fault.text) == (ReaderState.FAILING, str(CardUnresponsive()))
    used = looked_at(LookedAt("A", card_present=True, in_use=True))
    assert (used.state, used.last_fault) == (ReaderState.IN_USE, None)


def test_a_version_and_a_text_of_the_driver_are_read_and_odd_ones_left_out() -> None:
    seen = LookedAt("A").described(b"ACS\0", b"ACR\x1b[31m1252U\0\0", bytes.fromhex("07000102"), b"")
    assert (seen.vendor, seen.model, seen.firmware, seen.serial) == ("ACS", "ACR[31m1252U", "2.1.7", "")
    assert LookedAt("A").described(b"", b"", b"\1", b"").firmware == ""


def test_no_reader_and_no_pcsc_are_problems_with_a_sentence() -> None:
    def without() -> list[LookedAt]:
        raise card.ReaderUnavailable("the PC/SC daemon does not answer")

    for look, said in ((without, "does not answer"), (list, "no reader is plugged in")):
        seen = health.survey(look, PLAIN, now_ms=0)
        assert not seen.well
        assert seen.problem is not None
        assert said in seen.problem


def test_faults_are_noted_with_their_time_and_an_empty_reader_is_none(issued: IssuedCard) -> None:
    local = card.LocalReader("Desk")
    times = iter((100, 200))
    faults = FaultLog(lambda: next(times))
    reader = NotedReader(local, faults)
    with pytest.raises(card.NoCard):
        reader.connect()
    assert (faults.of("Desk"), faults.latest()) == (None, None)
    local.insert(Tearing(issued.card, 0, done=False))
    with card.PivSession(reader.connect()) as session, pytest.raises(card.CardRemoved):
        session.select()
    fault = faults.of("Desk")
    assert fault is not None
    assert (fault.code, fault.at.isoformat()) == ("card_removed", "1970-01-01T00:00:00.100000+00:00")
    assert faults.latest() == fault


@pytest.mark.pcsc
def test_the_command_shows_every_reader_of_the_real_stack(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    pcsc_slot.insert(issued.card)
    answer = CliRunner().invoke(card_command, ["readers", "--json"])
    assert answer.exit_code == 0, answer.output
    content = json.loads(answer.output)
    by_name = {one["name"]: one for one in content["readers"]}
    ours = by_name[pcsc_slot.reader_name]
    assert (ours["state"], ours["card_present"], ours["last_error"]) == ("card", True, None)
    assert {one["state"] for one in content["readers"]} == {"card", "empty"}
    with card.PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        text = CliRunner().invoke(card_command, ["readers"])
        assert f"{pcsc_slot.reader_name}: in use" in text.output
        session.select()  # looking around took nothing away
