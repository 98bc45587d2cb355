"""Whatever a card, a reader or the daemon does, the terminal goes on. All of it on the real stack.

Nothing here is timed: events are waited for, with bounds far beyond what they take.
"""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from terminals import card
from terminals.agent.watcher import Watcher
from terminals.card import CardMute, CardRemoved, Interface, PivSession, Slot, pcsc
from terminals.card.errors import CardUnresponsive
from terminals.card.faults import FaultLog, NotedReader
from terminals.card.vpcd import VirtualReader
from tests.card_builders import PIN, PUK, Gated, IssuedCard, Tearing, Wrapped, issued_card, secret
from tests.pcsc_fixtures import PcscSlot
from tests.reader_scenarios import PATIENCE_SECONDS, Told

pytestmark = pytest.mark.pcsc

SHORT_SECONDS = 0.3
DIGEST = bytes(32)


def sign(session: PivSession) -> bytes:
    session.select()
    return session.sign_digest(Slot.CARD_AUTHENTICATION, DIGEST)


def refusal(session: PivSession) -> str:
    try:
        session.select()
    except card.CardError as error:
        return error.code
    return ""


def connecting(reader: pcsc.PcscReader) -> str:
    try:
        reader.connect().close()
    except card.CardError as error:
        return error.code
    return ""


# --- cards that say nothing, too little, or too late ---


def test_a_mute_card_costs_its_own_reader_the_wait_and_the_other_reader_nothing(
    pcsc_slots: tuple[PcscSlot, PcscSlot],
) -> None:
    """The transmit is made in another thread; while it hangs this one goes on, so pyscard lets the interpreter go."""
    silent, well = pcsc_slots
    mute = Gated(issued_card(seed="mute").card)
    silent.slot.insert(mute)
    well.insert(issued_card(seed="well").card)
    reader = pcsc.PcscReader(silent.reader_name, answer_seconds=SHORT_SECONDS)
    session = PivSession(reader.connect())
    heard: list[str] = []
    asked = threading.Thread(target=lambda: heard.append(refusal(session)))
    asked.start()
    assert mute.reached.wait(PATIENCE_SECONDS)
    with PivSession(well.reader.connect()) as other:
        assert len(sign(other)) == 64
    asked.join()
    assert heard == ["card_mute"]
    with pytest.raises(card.SessionEnded):
        session.select()
    # what is left behind: the thread with its transmit, and the handle; so the reader says the same again, at once
    with pytest.raises(CardMute, match="what it did is unknown"):
        reader.connect()
    with pytest.raises(card.ReaderBusy):
        pcsc.PcscReader(silent.reader_name).connect()
    # until the card is taken out
    mute.open()
    silent.remove()
    silent.insert(issued_card(seed="next").card)
    with PivSession(reader.connect()) as session:
        assert len(sign(session)) == 64


def test_a_card_that_goes_mute_when_it_is_powered_is_given_up_too(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    class MuteAtReset(Wrapped):
        """Answers to the first power, and then to none."""

        powered = 0

        def power_on(self, interface: Interface) -> None:
            self.powered += 1
            if self.powered > 1:
                left.wait(PATIENCE_SECONDS)
            super().power_on(interface)

    left = threading.Event()
    pcsc_slot.slot.insert(MuteAtReset(issued.card))
    reader = pcsc.PcscReader(pcsc_slot.reader_name, answer_seconds=SHORT_SECONDS)
    codes = [connecting(reader) for _ in range(3)]  # a card that is let go is powered down and up again
    assert codes[-1] == "card_mute"
    left.set()
    pcsc_slot.remove()
    pcsc_slot.insert(issued.card)
    with PivSession(pcsc_slot.reader.connect()) as session:
        assert len(sign(session)) == 64


def test_a_slow_card_is_waited_for(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    slow = Gated(issued.card)
    pcsc_slot.slot.insert(slow)
    answered: list[bytes] = []
    with PivSession(pcsc_slot.reader.connect()) as session:
        asked = threading.Thread(target=lambda: answered.append(sign(session)))
        asked.start()
        assert slow.reached.wait(PATIENCE_SECONDS)
        assert answered == []
        slow.open()
        asked.join()
    assert len(answered[0]) == 64


class Truncating(Wrapped):
    """Cuts the answer to one command to so many bytes; None leaves it whole. `whole` is what it would have said."""

    def __init__(self, inner: card.CardInSlot, instruction: int) -> None:
        super().__init__(inner)
        self._instruction = instruction
        self.keep: int | None = None
        self.whole = b""

    def process(self, frame: bytes) -> bytes:
        answer = super().process(frame)
        if frame[1] != self._instruction or self.keep is None:
            return answer
        self.whole = answer
        return answer[: self.keep]


def test_an_answer_that_is_cut_off_is_refused_at_every_length(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    cut = Truncating(issued.card, instruction=0x87)
    pcsc_slot.insert(cut)
    cut.keep = 1
    length = 2
    while cut.keep < length:
        session = PivSession(pcsc_slot.reader.connect())
        with pytest.raises(card.CardError) as refused:
            sign(session)
        assert refused.value.code in {"card_malformed_response", "card_unexpected_status"}, cut.keep
        session.close()
        length = len(cut.whole)
        cut.keep += 1
    cut.keep = None
    assert length > 70
    with PivSession(pcsc_slot.reader.connect()) as session:
        assert len(sign(session)) == 64


def test_an_answer_without_a_status_word_ends_the_session(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    cut = Truncating(issued.card, instruction=0x87)
    cut.keep = 1
    pcsc_slot.insert(cut)
    session = PivSession(pcsc_slot.reader.connect())
    with pytest.raises(card.MalformedResponse):
        sign(session)
    with pytest.raises(card.SessionEnded):
        session.select()


def test_an_empty_frame_blocks_its_slot_only_until_the_card_is_out(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    empty = Truncating(issued.card, instruction=0xA4)
    empty.keep = 0
    pcsc_slot.slot.insert(empty)
    reader = pcsc.PcscReader(pcsc_slot.reader_name, answer_seconds=SHORT_SECONDS)
    with pytest.raises(CardMute):
        sign(PivSession(reader.connect()))
    pcsc_slot.remove()
    pcsc_slot.insert(issued.card)
    with PivSession(reader.connect()) as session:
        assert len(sign(session)) == 64


# --- cards that come and go ---


def test_a_card_swapped_between_two_looks_is_told_as_removed(pcsc_slot: PcscSlot) -> None:
    """The slot is full at both looks; the reader's counter says that it was empty between them."""
    reader = pcsc_slot.reader
    pcsc_slot.insert(issued_card(seed="first").card)
    assert reader.wait_for_card(PATIENCE_SECONDS)
    assert not reader.wait_for_removal(0)
    pcsc_slot.remove()
    assert pcsc_slot.reader.wait_for_removal(PATIENCE_SECONDS)
    pcsc_slot.insert(issued_card(seed="second").card)
    assert reader.wait_for_removal(0)
    assert reader.wait_for_card(0)
    assert not reader.wait_for_removal(0)
    reader.close()


def test_a_swap_that_only_a_lost_answer_gives_away_starts_over(pcsc_slot: PcscSlot) -> None:
    """What the loop tells: the first card in; a job lost; so it counts as removed, and the second as put in."""
    hasty = VirtualReader(pcsc_slot.slot.port, rest_seconds=0)
    told, faults = Told(), FaultLog(lambda: 7)
    watcher = Watcher(NotedReader(pcsc_slot.reader, faults), told)
    hasty.insert(issued_card(seed="first").card)
    watcher.start()
    told.next("inserted")

    def swapped(session: PivSession) -> bytes:
        session.select()
        hasty.insert(issued_card(seed="second").card)
        return session.sign_digest(Slot.CARD_AUTHENTICATION, DIGEST)

    with pytest.raises(CardRemoved):
        watcher.with_card(swapped)
    told.next("removed")
    told.until("inserted")
    fault = faults.of(pcsc_slot.reader_name)
    assert fault is not None
    assert (fault.code, fault.at_ms) == ("card_removed", 7)
    assert len(watcher.with_card(sign)) == 64
    watcher.stop()
    hasty.remove()


def test_a_slot_that_stays_empty_with_a_card_in_it_is_woken(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    """Out, the connection closed, in again, all within one poll of the daemon: it never looks again by itself."""
    hasty = VirtualReader(pcsc_slot.slot.port, rest_seconds=0)
    hasty.insert(issued.card)
    connection = pcsc_slot.reader.connect()
    hasty.remove()
    connection.close()
    hasty.insert(issued.card)
    reader = pcsc_slot.reader
    assert reader.wait_for_card(PATIENCE_SECONDS)
    with PivSession(reader.connect()) as session:
        assert len(sign(session)) == 64
    reader.close()
    hasty.remove()


def test_a_card_taken_out_between_pin_and_signature_signs_nothing_when_it_is_back(
    pcsc_slot: PcscSlot, issued: IssuedCard
) -> None:
    pcsc_slot.insert(issued.card)
    session = PivSession(pcsc_slot.reader.connect())
    session.select()
    session.verify_pin(secret(PIN))
    pcsc_slot.slot.insert(issued.card)
    with pytest.raises(CardRemoved):
        session.sign_digest(Slot.SIGNATURE, DIGEST)
    with PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        assert not session.pin_status().verified
        with pytest.raises(card.NotAllowed):
            session.sign_digest(Slot.SIGNATURE, DIGEST)


def test_a_card_taken_out_between_puk_guesses_still_counts_them(pcsc_slots: tuple[PcscSlot, PcscSlot]) -> None:
    """The two slots in turns, because each rests after a card."""
    issued = issued_card()
    left: list[int | None] = []
    for guess in range(3):
        slot = pcsc_slots[guess % 2]
        slot.insert(issued.card)
        session = PivSession(slot.reader.connect())
        session.select()
        with pytest.raises(card.PukRejected) as refused:
            session.reset_retry_counter(secret(b"00000000"), secret(PIN))
        left.append(refused.value.attempts_left)
        slot.remove()
        with pytest.raises(CardRemoved):
            session.reset_retry_counter(secret(PUK), secret(PIN))
    assert left == [4, 3, 2]


@pytest.mark.parametrize("done", [False, True])
def test_a_pin_whose_answer_was_lost_is_asked_of_the_card_and_never_assumed(pcsc_slot: PcscSlot, done: bool) -> None:
    issued = issued_card()
    pcsc_slot.insert(Tearing(issued.card, 2, done=done))
    session = PivSession(pcsc_slot.reader.connect())
    session.select()
    with pytest.raises(CardRemoved):
        session.verify_pin(secret(b"000000"))
    pcsc_slot.insert(issued.card)
    with PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        assert session.pin_status().attempts_left == (4 if done else 5)


def test_two_cards_in_two_readers_never_answer_for_each_other(pcsc_slots: tuple[PcscSlot, PcscSlot]) -> None:
    cards = [issued_card(seed=seed) for seed in ("left", "right")]
    for slot, one in zip(pcsc_slots, cards, strict=True):
        slot.insert(one.card)
    sessions = [PivSession(slot.reader.connect()) for slot in pcsc_slots]
    for _ in range(3):
        for session, one in zip(sessions, cards, strict=True):
            session.select()
            session.prove_possession(Slot.CARD_AUTHENTICATION, one.public_keys[Slot.CARD_AUTHENTICATION])
    pcsc_slots[0].remove()
    with pytest.raises(CardRemoved):
        sign(sessions[0])
    assert len(sign(sessions[1])) == 64
    sessions[1].close()


class Resetting(Wrapped):
    """Answers to reset with what it is told."""

    atr = b""

    def __init__(self, inner: card.CardInSlot, atr: bytes) -> None:
        super().__init__(inner)
        self.atr = atr


@pytest.mark.parametrize("atr", [b"\x3b", b"\xff\xff", bytes(33)])
def test_what_does_not_answer_as_a_card_does_is_named(pcsc_slot: PcscSlot, issued: IssuedCard, atr: bytes) -> None:
    pcsc_slot.slot.insert(Resetting(issued.card, atr))
    reader = pcsc_slot.reader
    assert reader.wait_for_card(PATIENCE_SECONDS)
    with pytest.raises(CardUnresponsive, match="one card in alone"):
        reader.connect()
    reader.close()


def test_a_card_may_answer_the_second_reset_otherwise_than_the_first(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    """Cold and warm reset need not answer alike (ISO 7816-3 6.2)."""
    changing = Resetting(issued.card, issued.card.atr)
    pcsc_slot.insert(changing)
    changing.atr = bytes.fromhex("3B80800101")
    with PivSession(pcsc_slot.reader.connect()) as session:
        assert session.atr == changing.atr
        assert len(sign(session)) == 64


# --- daemons and readers that come and go; each in a process that has met no other daemon ---


@pytest.mark.parametrize("scenario", ["the_daemon_dies_and_hangs", "the_reader_is_unplugged_and_confused"])
def test_the_loop_outlives(pcsc_daemon: card.PrivatePcscd, scenario: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"from tests import reader_scenarios; reader_scenarios.{scenario}()"],
        cwd=Path(__file__).parents[3],
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
