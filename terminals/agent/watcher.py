"""The one thread that touches the reader. Everything else asks it."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from terminals.card import PivSession, Reader, ReaderUnavailable

_T = TypeVar("_T")
_POLL_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 1.0
_JOB_SECONDS: Final = 120.0  # making three keys on a slow card takes tens of seconds


class Listener(Protocol):
    """Told what happens, on the reader's thread. It must not raise."""

    def card_inserted(self, connect: Callable[[], PivSession]) -> None: ...

    def card_removed(self) -> None: ...

    def reader_ready(self) -> None: ...

    def reader_failed(self, reason: str) -> None: ...


class Watcher:
    """Tells the listener of insertions and removals, and runs jobs with the card between them.

    A job gets a fresh connection, which is closed (and unpowered) when it ends: no PIN outlives a job.
    """

    def __init__(self, reader: Reader, listener: Listener) -> None:
        self._reader = reader
        self._listener = listener
        self._jobs: queue.Queue[tuple[Callable[[PivSession], Any], Future[Any]]] = queue.Queue()
        self._stop = threading.Event()
        self._present = False
        self._failing = False
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def with_card(self, job: Callable[[PivSession], _T]) -> _T:
        """Run the job with the card in the reader and return what it returns, or raise what it raised.

        Raises: NoCard, or another CardError.
        """
        done: Future[_T] = Future()
        self._jobs.put((job, done))
        return done.result(_JOB_SECONDS)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._run_jobs()
            try:
                self._look()
            except ReaderUnavailable as error:
                self._lost(error)
                self._stop.wait(_PAUSE_SECONDS)

    def _look(self) -> None:
        if self._present:
            if self._reader.wait_for_removal(_POLL_SECONDS):
                self._removed()
        elif self._reader.wait_for_card(_POLL_SECONDS):
            self._present = True
            self._listener.card_inserted(lambda: PivSession(self._reader.connect()))
        if self._failing:
            self._failing = False
            self._listener.reader_ready()

    def _removed(self) -> None:
        self._present = False
        self._listener.card_removed()

    def _lost(self, error: ReaderUnavailable) -> None:
        if self._present:
            self._removed()
        if not self._failing:
            self._failing = True
            self._listener.reader_failed(str(error))

    def _run_jobs(self) -> None:
        while not self._jobs.empty():
            job, done = self._jobs.get()
            try:
                with PivSession(self._reader.connect()) as session:
                    done.set_result(job(session))
            except BaseException as error:  # noqa: BLE001 - it is raised again where the job was asked for
                done.set_exception(error)
