"""Readers over pyscard: the only place that imports it. Without pyscard or libpcsclite this import still succeeds.

Nothing of pyscard above its bare functions is used: its monitors swallow exceptions, and its connections do not know
that a removed card's handle may reach the next card.
"""

import contextlib
import queue
import threading
import time
from types import ModuleType
from typing import Any, Final

from terminals.card.apdu import Octets
from terminals.card.connection import Interface
from terminals.card.errors import CardMute, CardRemoved, NoCard, ReaderBusy, ReaderUnavailable, TransportError

try:
    import smartcard.scard as _pyscard

    scard: ModuleType | None = _pyscard
except ImportError:
    scard = None

_INSTALL: Final = "install it with `apt-get install libpcsclite-dev gcc` and `pip install pyscard`"
_NO_DAEMON: Final = "the PC/SC daemon does not answer; install and start it: `apt-get install pcscd`"
_ADVICE: Final = {
    0x8010001D: _NO_DAEMON,
    0x8010001E: _NO_DAEMON,
    0x8010006A: "this user may not use PC/SC; ask for a polkit rule for org.debian.pcsc-lite.access_pcsc",
    0x8010002E: "no reader is plugged in",
    0x80100009: "the reader is gone; plug it in again",
    0x80100017: "the reader is gone; plug it in again",
}
# The daemon was restarted or the context died with it: a new context mends these.
_STALE_CONTEXT: Final = frozenset({0x8010001D, 0x8010001E, 0x80100013, 0x80100003})
_NO_CARD: Final = frozenset({0x8010000C, 0x80100069, 0x80100066, 0x80100067})
_NO_READERS: Final = 0x8010002E
_READER_GONE: Final = frozenset({0x80100009, 0x80100017, _NO_READERS})
_BUSY: Final = 0x8010000B
_TIMED_OUT: Final = 0x8010000A
_WORD: Final = 0xFFFFFFFF

_WAIT_STEP_SECONDS: Final = 1.0
_CONNECT_RETRIES: Final = 20
_CONNECT_PAUSE_SECONDS: Final = 0.1
_RESTART_PAUSE_SECONDS: Final = 0.2
ANSWER_SECONDS: Final = 30.0  # the longest a card may think: making a key is the slowest thing it does


def list_readers() -> tuple[str, ...]:
    """The names of all readers, in the daemon's order. Raises: ReaderUnavailable: there is no PC/SC here; says why."""
    context = _Context.open()
    try:
        return context.readers()
    finally:
        context.release()


def find_reader(pattern: str = "", *, interface: Interface = Interface.CONTACT) -> "PcscReader":
    """The first reader whose name contains `pattern`, in any case. Names carry an index and change: give a stable part.

    Raises:
        ReaderUnavailable: none matches; the message lists what is there.
    """
    names = list_readers()
    for name in names:
        if pattern.lower() in name.lower():
            return PcscReader(name, interface=interface)
    there = ", ".join(names) or "none"
    raise ReaderUnavailable(f"no reader's name contains {pattern!r}; there are: {there}")


class PcscReader:
    """A `Reader` over PC/SC. It waits on a context of its own; every connection gets another."""

    def __init__(
        self, name: str, *, interface: Interface = Interface.CONTACT, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        self._name = name
        self._interface = interface
        self._answer_seconds = answer_seconds
        self._context: _Context | None = None

    @property
    def name(self) -> str:
        return self._name

    def wait_for_card(self, timeout: float) -> bool:
        return self._wait(timeout, present=True)

    def wait_for_removal(self, timeout: float) -> bool:
        return self._wait(timeout, present=False)

    def connect(self) -> "PcscConnection":
        """Power the card. Just after insertion PC/SC may say for a moment that there is none, so it is asked again.

        Raises:
            NoCard, ReaderBusy, ReaderUnavailable.
        """
        context = _Context.open()
        try:
            handle, protocol = self._connect(context)
            return PcscConnection(context, handle, protocol, self._interface, self._answer_seconds)
        except BaseException:
            context.release()
            raise

    def close(self) -> None:
        """Give back the context it waits on. It takes a new one when it has to wait again."""
        if self._context is not None:
            self._context.release()
            self._context = None

    def _connect(self, context: "_Context") -> tuple[int, int]:
        api = _api()
        for attempt in range(_CONNECT_RETRIES):
            result, handle, protocol = api.SCardConnect(
                context.handle,
                self._name,
                api.SCARD_SHARE_EXCLUSIVE,  # nobody else signs while our PIN is verified
                api.SCARD_PROTOCOL_T0 | api.SCARD_PROTOCOL_T1,
            )
            code = result & _WORD
            if code == 0:
                return handle, protocol
            if code not in _NO_CARD and code != _BUSY:
                raise _unavailable(code)
            if code in _NO_CARD and attempt and not self._present(context):
                raise NoCard(self._name)
            time.sleep(_CONNECT_PAUSE_SECONDS)
        raise ReaderBusy(self._name) if code == _BUSY else NoCard(self._name)

    def _present(self, context: "_Context") -> bool:
        code, state = context.state(self._name, 0, 0)
        return code == 0 and bool(state & _api().SCARD_STATE_PRESENT)

    def _wait(self, timeout: float, *, present: bool) -> bool:
        """Our own loop in steps of a second. A daemon that restarts is waited for; a reader that left is empty."""
        deadline = time.monotonic() + timeout
        known = 0
        while True:
            left = max(0.0, deadline - time.monotonic())
            code, known = self._look(known, min(left, _WAIT_STEP_SECONDS))
            if code == 0 and bool(known & _api().SCARD_STATE_PRESENT) is present:
                return True
            if code in _READER_GONE and not present:
                return True
            if left == 0:
                if code:
                    raise _unavailable(code)
                return False
            if code:
                time.sleep(min(_RESTART_PAUSE_SECONDS, left))

    def _look(self, known: int, seconds: float) -> tuple[int, int]:
        """The result code, and the state as soon as it differs from `known`. A context that died is given back."""
        if self._context is None:
            code, handle = _establish()
            if code:
                return code, 0
            self._context = _Context(handle)
        code, state = self._context.state(self._name, known, round(1000 * seconds))
        if code in _STALE_CONTEXT:
            self.close()
        return (0, state) if code in (0, _TIMED_OUT) else (code, 0)


class PcscConnection:
    """A `CardConnection` over PC/SC.

    Commands run in a thread of the connection: PC/SC knows no time-out, and a mute card would hold us for ever.
    """

    def __init__(
        self, context: "_Context", handle: int, protocol: int, interface: Interface, answer_seconds: float
    ) -> None:
        api = _api()
        self._context = context
        self._handle = handle
        self._protocol = api.SCARD_PCI_T0 if protocol == api.SCARD_PROTOCOL_T0 else api.SCARD_PCI_T1
        self._interface = interface
        self._answer_seconds = answer_seconds
        self._open = True
        self._mute = False
        result, _name, _state, _protocol, atr = api.SCardStatus(handle)
        if result & _WORD:
            raise _lost(result & _WORD)
        self._atr = bytes(atr)
        self._commands: queue.SimpleQueue[list[int] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[int, list[int]]] = queue.SimpleQueue()
        threading.Thread(target=self._work, daemon=True, name="card commands").start()

    @property
    def atr(self) -> bytes:
        return self._atr

    @property
    def interface(self) -> Interface:
        return self._interface

    def transmit(self, frame: Octets) -> bytes:
        if not self._open or self._mute:
            raise CardRemoved
        self._commands.put(list(frame))
        try:
            result, answer = self._answers.get(timeout=self._answer_seconds)
        except queue.Empty:
            self._mute = True
            raise CardMute(self._answer_seconds) from None
        # A torn answer comes as "success" without bytes; any error means that the card may be gone or another one.
        if result & _WORD or not answer:
            raise _lost(result & _WORD)
        return bytes(answer)

    def close(self) -> None:
        if not self._open:
            return
        self._open = False
        self._commands.put(None)
        if not self._mute:  # else the worker closes up when, and if, the card answers at last
            with contextlib.suppress(queue.Empty):
                self._answers.get(timeout=self._answer_seconds)

    def _work(self) -> None:
        api = _api()
        while (command := self._commands.get()) is not None:
            result, answer = api.SCardTransmit(self._handle, self._protocol, command)
            self._answers.put((result, answer))
        # UNPOWER: with anything milder the next program finds the PIN still verified.
        api.SCardDisconnect(self._handle, api.SCARD_UNPOWER_CARD)
        self._context.release()
        self._answers.put((0, []))


class _Context:
    """One PC/SC context. A context is used by one thread at a time: the daemon serves its calls one by one."""

    def __init__(self, handle: int) -> None:
        self.handle = handle

    @classmethod
    def open(cls) -> "_Context":
        """Raises: ReaderUnavailable."""
        code, handle = _establish()
        if code:
            raise _unavailable(code)
        return cls(handle)

    def readers(self) -> tuple[str, ...]:
        result, names = _api().SCardListReaders(self.handle, [])
        code = result & _WORD
        if code == _NO_READERS:
            return ()
        if code:
            raise _unavailable(code)
        return tuple(names)

    def state(self, reader: str, known: int, timeout_ms: int) -> tuple[int, int]:
        """The result code, and the reader's state once it differs from `known` or the time is over."""
        result, states = _api().SCardGetStatusChange(self.handle, timeout_ms, [(reader, known)])
        return result & _WORD, states[0][1] if states else known

    def release(self) -> None:
        _api().SCardReleaseContext(self.handle)


def _establish() -> tuple[int, int]:
    api = _api()
    result, handle = api.SCardEstablishContext(api.SCARD_SCOPE_USER)
    return result & _WORD, handle


def _api() -> Any:
    if scard is None:
        raise ReaderUnavailable(f"pyscard is not installed; {_INSTALL}")
    return scard


def _unavailable(code: int) -> ReaderUnavailable:
    return ReaderUnavailable(_ADVICE.get(code, f"PC/SC answered {code:08X}; unplug the reader and plug it in again"))


def _lost(code: int) -> TransportError:
    return _unavailable(code) if code in _STALE_CONTEXT else CardRemoved()
