"""Taps on the real stack: how many commands one costs, and that no fault at the reader charges a ride twice."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from terminals.card import CardError, Interface, PivSession, Slot, pcsc, uid_of
from terminals.settings import TerminalKind
from terminals.station import Station
from terminals.validator import Outcome, Place, TapResult, Validator
from tests.card_builders import Gated, Tearing, Wrapped
from tests.pcsc_fixtures import PcscSlot, pcsc_daemon, pcsc_slot, pcsc_slots
from tests.terminals.city import HOUR_MS, SetClock, SmallCity

__all__ = ["pcsc_daemon", "pcsc_slot", "pcsc_slots"]
pytestmark = pytest.mark.pcsc

UID = bytes.fromhex("04A1B2C3D4E580")
ASK_UID = bytes.fromhex("FFCA000000")
SHORT_SECONDS = 0.3


class InTheField(Wrapped):
    """A card on a contactless reader: the reader answers for its UID, and counts what goes to the card."""

    commands = 0
    asked = 0

    def process(self, frame: bytes) -> bytes:
        if frame == ASK_UID:
            self.asked += 1
            return UID + b"\x90\x00"
        self.commands += 1
        return super().process(frame)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def station(clock: SetClock, tmp_path: Path) -> Iterator[Station]:
    opened = SmallCity().station(tmp_path, TerminalKind.VALIDATOR, clock=clock)
    yield opened
    opened.close()


@pytest.fixture
def validator(station: Station) -> Validator:
    return Validator(station, Place("bus", "stop-1"), lambda _result: None)


def tapped(validator: Validator, slot: PcscSlot, answer_seconds: float = pcsc.ANSWER_SECONDS) -> TapResult:
    """What the validator's command does with a card in a contactless reader."""
    reader = pcsc.PcscReader(slot.reader_name, interface=Interface.CONTACTLESS, answer_seconds=answer_seconds)
    connection = reader.connect()
    with PivSession(connection) as session:
        try:
            return validator.tap(session, uid_of(connection))
        except CardError as error:
            return TapResult(Outcome.REFUSED, error.code, str(error))


def test_a_known_card_costs_two_commands_and_first_sight_four(
    pcsc_slot: PcscSlot, validator: Validator, clock: SetClock
) -> None:
    pcsc_slot.slot.interface = Interface.CONTACTLESS
    try:
        card = InTheField(SmallCity().card())
        pcsc_slot.insert(card)
        with PivSession(pcsc_slot.reader.connect()) as session:
            session.select()
            assert 400 <= len(session.read_certificate(Slot.CARD_AUTHENTICATION)) <= 500
        card.commands = 0
        assert tapped(validator, pcsc_slot).outcome is Outcome.ACCEPTED
        assert (card.commands, card.asked) == (4, 1)
        clock.advance(HOUR_MS)
        card.commands = 0
        assert tapped(validator, pcsc_slot).outcome is Outcome.ACCEPTED
        assert (card.commands, card.asked) == (2, 2)
    finally:
        pcsc_slot.slot.interface = Interface.CONTACT


def test_a_card_torn_away_at_any_command_is_charged_once_when_it_comes_back(
    pcsc_slots: tuple[PcscSlot, PcscSlot], validator: Validator, station: Station
) -> None:
    """It did the command and its answer was lost, the worst case: nothing is stored, so nothing is owed."""
    card = SmallCity().card()
    for place in range(5):
        slot = pcsc_slots[place % 2]
        slot.slot.insert(Tearing(card, place, done=True))
        torn = tapped(validator, slot)
        assert (torn.outcome, torn.code, torn.record_id) == (Outcome.REFUSED, "card_removed", None)
        assert station.outbox.waiting() == 0
    pcsc_slots[0].slot.insert(card)
    assert tapped(validator, pcsc_slots[0]).outcome is Outcome.ACCEPTED
    assert tapped(validator, pcsc_slots[0]).outcome is Outcome.AGAIN
    assert station.outbox.waiting() == 1


def test_a_card_gone_mute_over_its_signature_is_charged_once_and_the_next_gate_goes_on(
    pcsc_slots: tuple[PcscSlot, PcscSlot], validator: Validator, station: Station
) -> None:
    """The terminal gives up; what the card did is unknown, and does not matter: no record of it was stored."""
    first, second = pcsc_slots
    mute = Gated(SmallCity().card())
    first.slot.insert(mute)
    refused = tapped(validator, first, answer_seconds=SHORT_SECONDS)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, "card_mute")
    assert station.outbox.waiting() == 0
    mute.open()  # it answers after all, and nobody listens
    second.slot.insert(SmallCity().card())
    taken = tapped(validator, second)
    assert taken.outcome is Outcome.ACCEPTED
    assert taken.record_id is not None
    assert station.outbox.find(taken.record_id).record_id == taken.record_id
    assert station.outbox.waiting() == 1


@pytest.mark.parametrize(
    "answer",
    [b"\x6e\x00", b"\x90\x00", b"\x01\x02\x90\x00", bytes(11) + b"\x90\x00", bytes.fromhex("08AABBCC9000"), b"\x6a"],
)
def test_a_reader_without_a_lasting_uid_gives_no_hint(pcsc_slot: PcscSlot, answer: bytes) -> None:
    class Odd(InTheField):
        def process(self, frame: bytes) -> bytes:
            return answer if frame == ASK_UID else super().process(frame)

    pcsc_slot.slot.insert(Odd(SmallCity().card()))
    connection = pcsc.PcscReader(pcsc_slot.reader_name, interface=Interface.CONTACTLESS).connect()
    assert uid_of(connection) is None
    connection.close()


def test_a_contact_card_is_never_asked_for_a_uid(pcsc_slot: PcscSlot) -> None:
    card = InTheField(SmallCity().card())
    pcsc_slot.insert(card)
    connection = pcsc_slot.reader.connect()
    assert (uid_of(connection), card.asked) == (None, 0)
    connection.close()
