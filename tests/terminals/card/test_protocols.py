"""What goes on the wire to a real reader: short commands alone, and the rules of the protocol T=0."""

import pytest

from terminals import card
from terminals.card import PivSession, Slot
from tests.card_builders import PIN, IssuedCard, Wrapped, secret
from tests.pcsc_fixtures import PcscSlot

pytestmark = pytest.mark.pcsc


class T0Card(Wrapped):
    """Speaks T=0 (ISO 7816-3 12.2): never answers data to data, but 61xx; names the right length with 6Cxx."""

    atr = bytes.fromhex("3B0443495459")  # no TD1: T=0 alone

    def __init__(self, inner: card.CardInSlot) -> None:
        super().__init__(inner)
        self._waiting = b""
        self._status = b""
        self.seen: list[bytes] = []

    def process(self, frame: bytes) -> bytes:
        self.seen.append(frame)
        if len(frame) < 5 or (len(frame) > 5 and len(frame) != 5 + frame[4]):
            return b"\x67\x00"
        if frame[1] == 0xC0:
            return self._fetched(frame[4] or 256)
        # five bytes: P3 is the length wanted, where the command has an answer; VERIFY without data has none
        answer = super().process(frame[:4] if len(frame) == 5 and frame[1] == 0x20 else frame)
        while answer[-2] == 0x61:
            answer = answer[:-2] + super().process(bytes.fromhex("00C00000") + answer[-1:])
        self._waiting, self._status = answer[:-2], answer[-2:]
        return b"\x61" + bytes([min(len(self._waiting), 255)]) if self._waiting else answer

    def _fetched(self, wanted: int) -> bytes:
        if wanted > len(self._waiting):
            return b"\x6c" + bytes([len(self._waiting)])
        part, self._waiting = self._waiting[:wanted], self._waiting[wanted:]
        return part + (b"\x61" + bytes([min(len(self._waiting), 255)]) if self._waiting else self._status)


def test_a_card_of_protocol_t0_is_spoken_to_by_its_rules(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    old = T0Card(issued.card)
    pcsc_slot.insert(old)
    with PivSession(pcsc_slot.reader.connect()) as session:
        session.select()
        assert session.read_certificate(Slot.CARD_AUTHENTICATION) == issued.certificates[Slot.CARD_AUTHENTICATION]
        session.verify_pin(secret(PIN))
        session.prove_possession(Slot.SIGNATURE, issued.public_keys[Slot.SIGNATURE])
        assert session.pin_status().verified
    assert any(frame[1] == 0xC0 for frame in old.seen)
    assert max(len(frame) for frame in old.seen) <= 260


def test_a_long_command_never_reaches_the_reader(pcsc_slot: PcscSlot, issued: IssuedCard) -> None:
    """Virtual readers would pass it on; contactless ones drop it."""
    pcsc_slot.insert(issued.card)
    connection = pcsc_slot.reader.connect()
    for frame in ("00CB3FFF000000", "00DB3FFF000100" + "00" * 256, "00CB3FFF0000035C017E0000", "00CB3F"):
        with pytest.raises(ValueError, match="255 data bytes"):
            connection.transmit(bytes.fromhex(frame))
    assert connection.transmit(bytes.fromhex("00A4040005A00000030800"))[-2:] in (b"\x90\x00", b"\x61\x00")
    connection.close()
