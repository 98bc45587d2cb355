"""What happens to daemons and readers while a terminal's loop runs. Each in a process of its own.

libpcsclite keeps to the first daemon of a process: `test_survival` starts one process for each function here.
"""

import os
import queue
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from terminals import card
from terminals.agent.watcher import Watcher
from terminals.card import CardError, PivSession, ReaderUnavailable, VirtualReader, pcsc
from terminals.card.faults import FaultLog, NotedReader
from tests.card_builders import CARD_ID, Gated, issued_card
from tests.faulty_reader import FaultyReader

PATIENCE_SECONDS: Final = 30.0  # far beyond what anything here takes
NOON_MS: Final = 1_790_000_000_000
_GONE: Final = "failed: No card reader can be used: the reader is gone"


class Told:
    """A listener that writes down what it is told."""

    def __init__(self) -> None:
        self._events: queue.Queue[str] = queue.Queue()

    def card_inserted(self, connect: Callable[[], PivSession]) -> None:
        try:
            with connect() as session:
                session.select()
        except CardError as error:
            self._events.put(error.code)
        else:
            self._events.put("inserted")

    def card_removed(self) -> None:
        self._events.put("removed")

    def reader_ready(self) -> None:
        self._events.put("ready")

    def reader_failed(self, reason: str) -> None:
        self._events.put(f"failed: {reason}")

    def next(self, beginning: str) -> str:
        """The next event, which must be this one."""
        event = self._events.get(timeout=PATIENCE_SECONDS)
        assert event.startswith(beginning), f"{event!r} instead of {beginning!r}"
        return event

    def until(self, beginning: str) -> None:
        """Passes over what comes before."""
        while not self._events.get(timeout=PATIENCE_SECONDS).startswith(beginning):
            pass


@dataclass(frozen=True)
class Scene:
    """A terminal's loop on a reader of a private daemon, with a card that may be put in."""

    daemon: card.PrivatePcscd
    slot: VirtualReader
    watcher: Watcher
    told: Told
    faults: FaultLog
    card: card.CardInSlot

    def insert(self) -> None:
        self.slot.insert(self.card)
        self.told.until("inserted")

    def works(self) -> bool:
        return self.watcher.with_card(_reads)


def _reads(session: PivSession) -> bool:
    session.select()
    return session.read_chuid().guid == CARD_ID


@contextmanager
def scene(daemon: card.PrivatePcscd, pattern: str) -> Iterator[Scene]:
    with daemon:
        os.environ.update(daemon.environment)
        reader = pcsc.expected_reader(pattern, daemon_seconds=0.5)
        told, faults = Told(), FaultLog(lambda: NOON_MS)
        watcher = Watcher(NotedReader(reader, faults), told)
        slot = VirtualReader(daemon.ports[0])
        watcher.start()
        try:
            yield Scene(daemon, slot, watcher, told, faults, issued_card().card)
        finally:
            watcher.stop()
            reader.close()
            slot.remove()


def the_daemon_dies_and_hangs() -> None:
    with scene(card.PrivatePcscd(), "virtual reader 00 00") as at:
        at.insert()
        _killed_while_idle(at)
        _killed_while_the_card_thinks(at)
        _stopped(at)


def the_reader_is_unplugged_and_confused() -> None:
    with tempfile.TemporaryDirectory() as folder:
        reader = FaultyReader(Path(folder))
        with scene(card.PrivatePcscd(driver=reader.driver), "virtual reader 00 00") as at:
            _the_driver_describes_itself()
            at.insert()
            _unplugged(at, reader)
            _gone_from_the_list(at)
            _confused(at, reader)


def _killed_while_idle(at: Scene) -> None:
    at.daemon.crash()
    at.told.next("removed")
    assert "does not answer" in at.told.next("failed")
    at.daemon.start()
    at.told.next("ready")
    at.insert()
    assert at.works()


def _killed_while_the_card_thinks(at: Scene) -> None:
    thinking = Gated(at.card)
    at.slot.remove()
    at.told.next("removed")
    thinking.open()
    at.slot.insert(thinking)
    at.told.next("inserted")
    thinking.shut()

    def kill_when_it_thinks() -> None:
        assert thinking.reached.wait(PATIENCE_SECONDS)
        at.daemon.crash()

    killer = threading.Thread(target=kill_when_it_thinks)
    killer.start()
    try:
        at.works()
    except ReaderUnavailable:
        killer.join()
    else:
        raise AssertionError("the card answered through a dead daemon")
    thinking.open()
    at.daemon.start()
    at.insert()
    assert at.works()


def _stopped(at: Scene) -> None:
    """The daemon hangs: it lives, and answers nothing."""
    at.daemon.signal(signal.SIGSTOP)
    at.told.next("removed")
    assert "hangs" in at.told.next("failed")
    at.daemon.signal(signal.SIGCONT)
    at.told.until("inserted")
    assert at.works()


def _the_driver_describes_itself() -> None:
    first, _second = pcsc.look_around()
    assert (first.vendor, first.firmware, first.card_present) == ("City Works", "2.1.7", False)


def _unplugged(at: Scene, reader: FaultyReader) -> None:
    reader.unplug()
    at.told.next("removed")
    assert "plug it in" in at.told.next("failed")
    fault = at.faults.latest()
    assert fault is not None
    assert (fault.code, fault.at_ms) == ("reader_unavailable", NOON_MS)
    assert pcsc.look_around()[0].code
    reader.mend()
    at.told.until("inserted")
    assert at.works()


def _gone_from_the_list(at: Scene) -> None:
    """The daemon is well, and knows no such reader; later it does again."""
    configuration = at.daemon.socket_path.with_name("readers") / "vpcd"
    ours = configuration.read_text()
    for content, expected in ((ours.replace("City Virtual", "Another"), _GONE), (ours, "ready")):
        at.daemon.crash()
        configuration.write_text(content)
        at.daemon.start()
        at.told.until(expected)
    at.insert()
    assert at.works()


def _confused(at: Scene, reader: FaultyReader) -> None:
    """Two cards at once: neither answers."""
    at.slot.remove()
    at.told.next("removed")
    reader.confuse()
    at.slot.insert(at.card)
    at.told.next("card_unresponsive")
    assert pcsc.look_around()[0].unresponsive
    at.slot.remove()
    at.told.next("removed")
    reader.mend()
    at.insert()
    assert at.works()
