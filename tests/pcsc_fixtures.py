"""The real PC/SC stack for tests: one private daemon with two virtual slots for the whole test process.

libpcsclite reads where its daemon is once in a process, so there is one daemon and it is started before anything asks.
Use in a conftest: `from tests.pcsc_fixtures import pcsc_daemon, pcsc_slot`.
"""

import atexit
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import pytest

from terminals.card import CardInSlot, PrivatePcscd, ReaderUnavailable, VirtualReader, pcsc
from terminals.card.vpcd import EMPTY_SECONDS
from tests.judging import missing


@dataclass(frozen=True)
class PcscSlot:
    """A virtual slot: `slot.insert(card)` is the hand, `reader` what PC/SC shows, `environment` for other processes."""

    slot: VirtualReader
    reader_name: str
    environment: dict[str, str]

    def insert(self, card: CardInSlot) -> None:
        """Put a card in and return when it can be used: foreign tools do not ask twice while the daemon powers it."""
        self.slot.insert(card)
        self.reader.connect().close()

    def remove(self) -> None:
        self.slot.remove()

    def emptied(self) -> None:
        """Somebody else's card left the slot: let it rest before the next one comes."""
        assert self.reader.wait_for_removal(5)
        time.sleep(EMPTY_SECONDS)

    @property
    def reader(self) -> pcsc.PcscReader:
        return pcsc.PcscReader(self.reader_name)


@cache
def _daemon() -> PrivatePcscd:
    daemon = PrivatePcscd()
    daemon.start()
    atexit.register(daemon.stop)
    os.environ.update(daemon.environment)
    pcsc.list_readers()  # says at once when pyscard is missing
    return daemon


@cache
def _slots() -> list[PcscSlot]:
    daemon = _daemon()
    environment = os.environ | daemon.environment
    return [
        PcscSlot(VirtualReader(port), name, dict(environment))
        for port, name in zip(daemon.ports, daemon.reader_names, strict=True)
    ]


@pytest.fixture(scope="session")
def pcsc_daemon() -> PrivatePcscd:
    """The private daemon; a skip (a failure in CI) where PC/SC or the virtual reader is missing."""
    if os.environ.get("CITY_PCSC") == "off":
        missing("PC/SC is switched off by CITY_PCSC=off")
    try:
        return _daemon()
    except ReaderUnavailable as error:
        missing(str(error))


@pytest.fixture
def pcsc_slot(pcsc_daemon: PrivatePcscd) -> Iterator[PcscSlot]:
    """An empty virtual slot. The two take turns, because a slot rests for a moment between cards."""
    slots = _slots()
    slots.reverse()
    yield slots[0]
    slots[0].remove()


@pytest.fixture
def pcsc_slots(pcsc_daemon: PrivatePcscd) -> Iterator[tuple[PcscSlot, PcscSlot]]:
    """Both slots, empty."""
    first, second = _slots()
    yield first, second
    first.remove()
    second.remove()
