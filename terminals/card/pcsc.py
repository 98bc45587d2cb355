"""Readers over pyscard: the only place that imports it. Without pyscard or libpcsclite this import still succeeds.

Nothing of pyscard above its bare functions is used: its monitors swallow exceptions, and its connections do not know
that a removed card's handle may reach the next card. No call of PC/SC has a time-out of its own, so each is made in a
`Worker`: a mute card, or a daemon that hangs, costs us a thread until it answers, and never the terminal.
"""

import time
import weakref
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final, TypeVar

from terminals.card import pcsc_codes, quirks
from terminals.card.apdu import Octets, t0_frame, within_short_limits
from terminals.card.connection import Interface
from terminals.card.errors import CardMute, CardRemoved, ReaderUnavailable
from terminals.card.health import LookedAt
from terminals.card.pcsc_calls import Context, Link, Waiting
from terminals.card.worker import CallStuck, Worker

try:
    import smartcard.scard as _pyscard

    scard: ModuleType | None = _pyscard
except ImportError:
    scard = None

_T = TypeVar("_T")
_INSTALL: Final = "install it with `apt-get install libpcsclite-dev gcc` and `pip install pyscard`"
_EVENTS_SHIFT: Final = 16  # pcsc-lite counts insertions and removals in the upper half of a reader's state

_WAIT_STEP_SECONDS: Final = 1.0
_NUDGE_SECONDS: Final = 2.0
_RESTART_PAUSE_SECONDS: Final = 0.2
DAEMON_SECONDS: Final = 5.0  # the longest the daemon may take for what needs no card
ANSWER_SECONDS: Final = 30.0  # the longest a card may think: making a key is the slowest thing it does


def list_readers() -> tuple[str, ...]:
    """The names of all readers, in the daemon's order. Raises: ReaderUnavailable: there is no PC/SC here; says why."""
    return _asked(lambda context: context.readers())


def find_reader(pattern: str = "", *, interface: Interface | None = None) -> "PcscReader":
    """The first reader whose name contains `pattern`, in any case. Names carry an index and change: give a stable part.

    `interface` None: by the reader's name, where it is one we know; contact otherwise.

    Raises:
        ReaderUnavailable: none matches; the message lists what is there.
    """
    names = list_readers()
    name = quirks.choose(names, pattern)
    if name is None:
        there = ", ".join(names) or "none"
        raise ReaderUnavailable(f"no reader's name contains {pattern!r}; there are: {there}")
    return PcscReader(name, pattern=pattern, interface=interface)


def expected_reader(
    pattern: str = "", *, interface: Interface | None = None, daemon_seconds: float = DAEMON_SECONDS
) -> "PcscReader":
    """The same, for whoever can wait: the reader need not be there yet, nor PC/SC be running."""
    return PcscReader(pattern, pattern=pattern, interface=interface, daemon_seconds=daemon_seconds)


def look_around() -> tuple[LookedAt, ...]:
    """Each reader as it is now, with what its driver says of itself. No card is powered, nobody's card is taken.

    Raises: ReaderUnavailable.
    """
    return _asked(lambda context: tuple(context.look_at(name) for name in context.readers()))


class PcscReader:
    """A `Reader` over PC/SC. It waits on a context of its own; every connection gets another.

    `name` may be plugged out and in again, perhaps under another index; with `pattern`, any reader that has it in its
    name will do instead. Whoever waits is told of a daemon that restarts only when it stays away.
    """

    def __init__(
        self,
        name: str,
        *,
        pattern: str | None = None,
        interface: Interface | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        daemon_seconds: float = DAEMON_SECONDS,
    ) -> None:
        self._name = name
        self._pattern = name if pattern is None else pattern
        self._interface = interface
        self._answer_seconds = answer_seconds
        self._daemon_seconds = daemon_seconds
        self._waiting = Waiting()
        self._worker: Worker | None = None
        self._held: Worker | None = None
        self._events: int | None = None
        self._nudge_at: float | None = None

    @property
    def name(self) -> str:
        return self._name or "the card reader"

    @property
    def interface(self) -> Interface:
        return self._interface or quirks.interface_of(self._name)

    def wait_for_card(self, timeout: float) -> bool:
        return self._wait(timeout, present=True)

    def wait_for_removal(self, timeout: float) -> bool:
        return self._wait(timeout, present=False)

    def connect(self) -> "PcscConnection":
        """Power the card. Just after insertion PC/SC may say for a moment that there is none, so it is asked again.

        Raises:
            NoCard, CardUnresponsive, ReaderBusy, ReaderUnavailable. CardMute: it says nothing, or an earlier command
            to it still hangs; that ends when the card is taken out.
        """
        if self._held is not None and self._held.stuck:
            raise CardMute(self._answer_seconds)
        link = Link(_api(), self._name)
        worker = self._held = Worker("card commands")
        try:
            worker.run(link.open, self._answer_seconds)
        except CallStuck:
            worker.end(link.shut, 0)
            raise CardMute(self._answer_seconds) from None
        except BaseException:
            worker.end(link.shut, self._daemon_seconds)
            raise
        return PcscConnection(link, worker, self.interface, self._answer_seconds)

    def close(self) -> None:
        """Give back the context and the thread it waits with. It takes new ones when it has to wait again."""
        if self._worker is not None:
            self._worker.end(self._waiting.release, self._daemon_seconds)
            self._worker = None

    def _wait(self, timeout: float, *, present: bool) -> bool:
        """Our own loop in steps of a second. A daemon that restarts is waited for; a reader that left is empty."""
        deadline = time.monotonic() + timeout
        known = 0
        while True:
            left = max(0.0, deadline - time.monotonic())
            code, known = self._look(known, min(left, _WAIT_STEP_SECONDS))
            if code == 0 and self._is_so(known, present=present):
                return True
            if code in pcsc_codes.READER_GONE and not present:
                self._events = None
                return True
            if left == 0:
                if code:
                    raise pcsc_codes.unavailable(code)
                return False
            if code:
                time.sleep(min(_RESTART_PAUSE_SECONDS, left))

    def _is_so(self, state: int, *, present: bool) -> bool:
        """A card that was swapped for another between two looks has been removed: the reader's counter tells."""
        there = bool(state & _api().SCARD_STATE_PRESENT)
        events = state >> _EVENTS_SHIFT
        if present:
            self._events = events if there else None
            return there
        swapped = self._events is not None and events != self._events
        if swapped or not there:
            self._events = None
        return swapped or not there

    def _look(self, known: int, seconds: float) -> tuple[int, int]:
        """The result code, and the state as soon as it differs from `known`. A context that died is given back."""
        if self._worker is None:
            self._worker = Worker("card reader")
            weakref.finalize(self, self._worker.end, self._waiting.release, 0)
        api, waiting, name, pattern = _api(), self._waiting, self._name, self._pattern
        try:
            code, state, self._name = self._worker.run(
                lambda: waiting.look(api, name, pattern, known, seconds), seconds + self._daemon_seconds
            )
            self._nudge(self._worker, empty=code == 0 and not state & api.SCARD_STATE_PRESENT)
        except CallStuck:
            raise ReaderUnavailable(pcsc_codes.HANGS) from None
        return code, state

    def _nudge(self, worker: Worker, *, empty: bool) -> None:
        """Now and then have a slot that says it is empty look again."""
        now = time.monotonic()
        if not empty:
            self._nudge_at = None
        elif self._nudge_at is None:
            self._nudge_at = now + _NUDGE_SECONDS
        elif now >= self._nudge_at:
            self._nudge_at = now + _NUDGE_SECONDS
            worker.run(lambda: self._waiting.nudge(self._name), self._daemon_seconds)


class PcscConnection:
    """A `CardConnection` over PC/SC. Commands are made in a thread of the connection, which may be left behind."""

    def __init__(self, link: Link, worker: Worker, interface: Interface, answer_seconds: float) -> None:
        self._link = link
        self._worker = worker
        self._interface = interface
        self._answer_seconds = answer_seconds
        self._open = True

    @property
    def atr(self) -> bytes:
        return self._link.atr

    @property
    def interface(self) -> Interface:
        return self._interface

    def transmit(self, frame: Octets) -> bytes:
        """Raises: ValueError: the frame is longer than contactless readers take; nothing was sent."""
        within_short_limits(frame)
        if not self._open or self._worker.stuck:
            raise CardRemoved
        command = list(t0_frame(frame) if self._link.t0 else frame)
        try:
            return self._worker.run(lambda: self._link.transmit(command), self._answer_seconds)
        except CallStuck:
            raise CardMute(self._answer_seconds) from None

    def close(self) -> None:
        """What a mute card leaves behind: its thread and its handle, until it answers, leaves, or the process ends."""
        if self._open:
            self._open = False
            self._worker.end(self._link.shut, self._answer_seconds)


def _asked(question: Callable[[Context], _T]) -> _T:
    """One question to the daemon, on a context of its own. Raises: ReaderUnavailable."""

    def ask() -> _T:
        context = Context.open(_api())
        try:
            return question(context)
        finally:
            context.release()

    worker = Worker("card readers")
    try:
        return worker.run(ask, DAEMON_SECONDS)
    except CallStuck:
        raise ReaderUnavailable(pcsc_codes.HANGS) from None
    finally:
        worker.end(lambda: None, 0)


def _api() -> Any:
    if scard is None:
        raise ReaderUnavailable(f"pyscard is not installed; {_INSTALL}")
    return scard
