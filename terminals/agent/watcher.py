"""The one thread that touches the reader. Everything else asks it."""

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Final, Protocol, TypeVar

from terminals.card import CardError, CardMute, CardRemoved, PivSession, Reader, TransportError

_T = TypeVar("_T")
_POLL_SECONDS: Final = 0.1
_PAUSE_SECONDS: Final = 1.0
JOB_SECONDS: Final = 120.0  # making three keys on a slow card takes tens of seconds

_log = logging.getLogger(__name__)


class Listener(Protocol):
    """Told what happens, on the reader's thread. What it raises is logged, and the thread goes on."""

    def card_inserted(self, connect: Callable[[], PivSession]) -> None: ...

    def card_removed(self) -> None: ...

    def reader_ready(self) -> None: ...

    def reader_failed(self, reason: str) -> None: ...


class Watcher:
    """Tells the listener of insertions and removals, and runs jobs with the card between them.

    A job gets a fresh connection, which is closed (and unpowered) when it ends: no PIN outlives a job. A job that was
    asked for while one card was in never meets another that PC/SC has seen: a card that left since has been told first.
    After a job that lost its answer the card counts as removed, and what is in the reader then as a card just put in,
    because it may be another one.
    """

    def __init__(self, reader: Reader, listener: Listener, *, job_seconds: float = JOB_SECONDS) -> None:
        self._reader = reader
        self._listener = listener
        self._job_seconds = job_seconds
        self._jobs: queue.Queue[tuple[Callable[[PivSession], Any], Future[Any]]] = queue.Queue()
        self._stop = threading.Event()
        self._present = False
        self._failing = ""
        self._thread = threading.Thread(target=self._run, name="reader", daemon=True)

    @property
    def card_present(self) -> bool:
        """Whether the listener was told of a card that has not left since."""
        return self._present

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def with_card(self, job: Callable[[PivSession], _T]) -> _T:
        """Run the job with the card in the reader and return what it returns, or raise what it raised.

        Raises: NoCard, or another CardError. CardMute: it took too long. If it had not begun it never will; if it had,
        whether it ends well is unknown, and the outbox knows, by record id.
        """
        done: Future[_T] = Future()
        self._jobs.put((job, done))
        try:
            return done.result(self._job_seconds)
        except TimeoutError:
            if done.done():
                raise
            done.cancel()
            raise CardMute(self._job_seconds) from None

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._run_jobs()
                self._look()
            except CardError as error:
                self._lost(error)
                self._stop.wait(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - a terminal whose reader thread died would look well and do nothing
                _log.exception("the reader's thread goes on after")
                self._stop.wait(_PAUSE_SECONDS)

    def _look(self) -> None:
        if self._present:
            if self._reader.wait_for_removal(_POLL_SECONDS):
                self._removed()
        elif self._reader.wait_for_card(_POLL_SECONDS):
            self._present = True
            self._listener.card_inserted(lambda: PivSession(self._reader.connect()))
        if self._failing:
            self._failing = ""
            self._listener.reader_ready()

    def _removed(self) -> None:
        self._present = False
        self._listener.card_removed()

    def _lost(self, error: CardError) -> None:
        if self._present:
            self._removed()
        if self._failing != str(error):
            self._failing = str(error)
            self._listener.reader_failed(self._failing)

    def _run_jobs(self) -> None:
        while not self._jobs.empty():
            job, done = self._jobs.get()
            if not done.set_running_or_notify_cancel():
                continue
            try:
                result = self._run_job(job)
            except BaseException as error:  # noqa: BLE001 - it is raised again where the job was asked for
                try:
                    if isinstance(error, TransportError) and self._present:
                        self._removed()
                finally:
                    done.set_exception(error)
            else:
                done.set_result(result)

    def _run_job(self, job: Callable[[PivSession], _T]) -> _T:
        if self._present and self._reader.wait_for_removal(0):
            raise CardRemoved
        with PivSession(self._reader.connect()) as session:
            return job(session)
