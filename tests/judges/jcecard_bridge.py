# mypy: ignore-errors
# ruff: noqa: T201, ANN001 - what it handles has no types here
"""Puts the foreign card `jcecard` into a virtual slot. Runs in that judge's own environment, as a process.

    python jcecard_bridge.py PORT [forge]

Says "inserted", and takes the card out when its standard input ends. With `forge` the card spoils the signatures of 9E:
the fault that a terminal must find.
"""

import logging
import sys
import tempfile
from pathlib import Path

from jcecard.main import OpenPGPCard

from terminals.card import VirtualReader

SIGN_WITH_9E = b"\x00\x87\x11\x9e"


class ForeignCard:
    """The four things a slot asks of a card, from the four the foreign card has."""

    def __init__(self, storage: Path, *, forge: bool) -> None:
        self._card = OpenPGPCard(storage_path=storage)
        self._forge = forge
        self.atr = self._card.atr

    def power_on(self, _interface) -> None:
        self._card.power_on()

    def power_off(self) -> None:
        self._card.power_off()

    def process(self, frame: bytes) -> bytes:
        answer = self._card.process_apdu(frame)
        if self._forge and frame.startswith(SIGN_WITH_9E) and len(answer) > 40:
            answer = answer[:-3] + bytes([answer[-3] ^ 1]) + answer[-2:]
        return answer


if __name__ == "__main__":
    logging.disable()
    with tempfile.TemporaryDirectory() as folder:
        slot = VirtualReader(int(sys.argv[1]))
        slot.insert(ForeignCard(Path(folder) / "card", forge="forge" in sys.argv))
        print("inserted", flush=True)
        sys.stdin.read()
        slot.remove()
