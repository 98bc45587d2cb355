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
from pathlib import Path
from typing import Final

from terminals import card
from terminals.agent.watcher import Watcher
from terminals.card import CardError, PivSession, TransportError, VirtualReader, pcsc
from terminals.card.faults import FaultLog, NotedReader
from tests.card_builders import CARD_ID, Gated, issued_card
from tests.faulty_reader import FaultyReader

PATIENCE_SECONDS: Final = 30.0  # far beyond what anything here takes


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

    def next(self, *, beginning: str) -> str:
        """The next event, which must be this one."""
        event = self._events.get(timeout=PATIENCE_SECONDS)
        assert event.startswith(beginning), f"{event!r} instead of {beginning!r}"
        return event

    def until(self, beginning: str) -> None:
        """Passes over what comes before."""
        while not self._events.get(timeout=PATIENCE_SECONDS).startswith(beginning):
            pass


@contextmanager
def watched(reader: pcsc.PcscReader, faults: FaultLog | None = None) -> Iterator[tuple[Watcher, Told]]:
    told = Told()
    watcher = Watcher(NotedReader(reader, faults or FaultLog(lambda: 0)), told)
    watcher.start()
    try:
        yield watcher, told
    finally:
        watcher.stop()
        reader.close()


def works(session: PivSession) -> bool:
    session.select()
    return session.read_chuid().guid == CARD_ID


def the_daemon_dies_and_hangs() -> None:
    issued = issued_card()
    daemon = card.PrivatePcscd()
    os.environ.update(daemon_environment(daemon))
    slot = VirtualReader(daemon.ports[0])
    reader = pcsc.PcscReader(daemon.reader_names[0], daemon_seconds=0.5)
    with watched(reader) as (watcher, told):
        slot.insert(issued.card)
        told.next(beginning="inserted")

        # killed while nothing is asked of it
        daemon.crash()
        told.next(beginning="removed")
        assert "does not answer" in told.next(beginning="failed")
        daemon.start()
        told.next(beginning="ready")
        slot.insert(issued.card)
        told.next(beginning="inserted")
        assert watcher.with_card(works)

        # killed while a card thinks
        thinking = Gated(issued.card)
        slot.remove()
        told.next(beginning="removed")
        thinking.open()
        slot.insert(thinking)
        told.next(beginning="inserted")
        thinking.shut()

        def kill_when_it_thinks() -> None:
            assert thinking.reached.wait(PATIENCE_SECONDS)
            daemon.crash()

        killer = threading.Thread(target=kill_when_it_thinks)
        killer.start()
        try:
            watcher.with_card(works)
        except TransportError as error:
            print(error.code)
        killer.join()
        thinking.open()
        daemon.start()
        slot.insert(issued.card)
        told.until("inserted")
        assert watcher.with_card(works)

        # it hangs: nothing is answered any more
        daemon.signal(signal.SIGSTOP)
        told.next(beginning="removed")
        assert "hangs" in told.next(beginning="failed")
        daemon.signal(signal.SIGCONT)
        told.until("inserted")
        assert watcher.with_card(works)
    slot.remove()
    daemon.stop()
    print("survived")


def daemon_environment(daemon: card.PrivatePcscd) -> dict[str, str]:
    daemon.start()
    return daemon.environment


def the_reader_is_unplugged_and_confused() -> None:
    issued = issued_card()
    with tempfile.TemporaryDirectory() as folder:
        faulty = FaultyReader(Path(folder))
        daemon = card.PrivatePcscd(driver=faulty.driver)
        os.environ.update(daemon_environment(daemon))
        slot = VirtualReader(daemon.ports[0])
        faults = FaultLog(lambda: 1_000)
        reader = pcsc.expected_reader("virtual reader 00 00")
        (first, _second) = pcsc.look_around()
        assert (first.vendor, first.firmware, first.card_present) == ("City Works", "2.1.7", False)
        with watched(reader, faults) as (watcher, told):
            slot.insert(issued.card)
            told.next(beginning="inserted")

            # pulled out of its socket with a card in it, and put back
            faulty.unplug()
            told.next(beginning="removed")
            assert "plug it in" in told.next(beginning="failed")
            fault = faults.of(reader.name)
            assert fault is not None
            assert (fault.code, fault.at_ms) == ("reader_unavailable", 1_000)
            assert pcsc.look_around()[0].code
            faulty.mend()
            told.until("inserted")
            assert watcher.with_card(works)

            # gone from the list while the daemon is well, and back
            configuration = daemon.socket_path.with_name("readers") / "vpcd"
            ours = configuration.read_text()
            daemon.crash()
            configuration.write_text(ours.replace("City Virtual", "Another"))
            daemon.start()
            told.until("failed: No card reader can be used: the reader is gone")
            daemon.crash()
            configuration.write_text(ours)
            daemon.start()
            told.until("ready")
            slot.insert(issued.card)
            told.until("inserted")
            assert watcher.with_card(works)

            # two cards at once: neither answers
            slot.remove()
            told.next(beginning="removed")
            faulty.confuse()
            slot.insert(issued.card)
            told.next(beginning="card_unresponsive")
            slot.remove()
            told.next(beginning="removed")
            faulty.mend()
            slot.insert(issued.card)
            told.next(beginning="inserted")
        slot.remove()
        daemon.stop()
    print("survived")
