"""What is asked of PC/SC, call by call, on pyscard's functions (`api`, given by `pcsc`). Any call here may hang."""

import contextlib
import time
from typing import Any, Final

from terminals.card import pcsc_codes, quirks
from terminals.card.errors import CardUnresponsive, NoCard, ReaderBusy, ReaderUnavailable
from terminals.card.health import LookedAt

_WORD: Final = 0xFFFFFFFF
_CONNECT_RETRIES: Final = 20
_UNRESPONSIVE_RETRIES: Final = 2
_CONNECT_PAUSE_SECONDS: Final = 0.1


class Context:
    """One PC/SC context. A context is used by one thread at a time: the daemon serves its calls one by one."""

    def __init__(self, api: Any, handle: int) -> None:
        self.api = api
        self.handle = handle

    @classmethod
    def open(cls, api: Any) -> "Context":
        """Raises: ReaderUnavailable."""
        code, handle = _establish(api)
        if code:
            raise pcsc_codes.unavailable(code)
        return cls(api, handle)

    def readers(self) -> tuple[str, ...]:
        result, names = self.api.SCardListReaders(self.handle, [])
        code = result & _WORD
        if code == pcsc_codes.NO_READERS:
            return ()
        if code:
            raise pcsc_codes.unavailable(code)
        return tuple(names)

    def state(self, reader: str, known: int, timeout_ms: int) -> tuple[int, int]:
        """The result code, and the reader's state once it differs from `known` or the time is over."""
        result, states = self.api.SCardGetStatusChange(self.handle, timeout_ms, [(reader, known)])
        return result & _WORD, states[0][1] if states else known

    def present(self, reader: str) -> bool:
        code, state = self.state(reader, 0, 0)
        return code == 0 and bool(state & self.api.SCARD_STATE_PRESENT)

    def look_at(self, reader: str) -> LookedAt:
        """The reader now, and what its driver says of it. No card is powered."""
        api = self.api
        code, state = self.state(reader, 0, 0)
        if state & (api.SCARD_STATE_UNAVAILABLE | api.SCARD_STATE_UNKNOWN):
            code = code or pcsc_codes.READER_UNAVAILABLE
        found = LookedAt(
            reader,
            code,
            card_present=bool(state & api.SCARD_STATE_PRESENT),
            unresponsive=bool(state & api.SCARD_STATE_MUTE),
            in_use=bool(state & (api.SCARD_STATE_EXCLUSIVE | api.SCARD_STATE_INUSE)),
        )
        # DIRECT asks for the reader and leaves the card alone; while somebody holds the card exclusively it is refused.
        result, handle, _protocol = api.SCardConnect(self.handle, reader, api.SCARD_SHARE_DIRECT, 0)
        if result & _WORD:
            return found
        try:
            return found.described(*(_attribute(api, handle, one) for one in pcsc_codes.DRIVER_ATTRIBUTES))
        finally:
            api.SCardDisconnect(handle, api.SCARD_LEAVE_CARD)

    def nudge(self, reader: str) -> None:
        """Have the driver take the power from a slot that says it is empty, so that it looks again.

        A card that came right after another one left may never be seen otherwise (measured: it left, its connection
        was closed, the next one came, all within one poll of the daemon). Nobody's card is touched: DIRECT is refused
        while somebody holds it.
        """
        api = self.api
        result, handle, _protocol = api.SCardConnect(self.handle, reader, api.SCARD_SHARE_DIRECT, 0)
        if not result & _WORD:
            api.SCardDisconnect(handle, api.SCARD_UNPOWER_CARD)

    def release(self) -> None:
        self.api.SCardReleaseContext(self.handle)


class Link:
    """One context with one powered card. Its worker's thread alone touches it; others read `atr` and `t0` when open."""

    def __init__(self, api: Any, reader: str) -> None:
        self._api = api
        self._reader = reader
        self._context: Context | None = None
        self._handle: int | None = None
        self.atr = b""
        self.t0 = False

    def open(self) -> None:
        """Raises: NoCard, CardUnresponsive, ReaderBusy, ReaderUnavailable, CardRemoved."""
        self._context = context = Context.open(self._api)
        self._handle, protocol = self._connect(context)
        self.t0 = protocol == self._api.SCARD_PROTOCOL_T0
        result, _name, _state, _protocol, atr = self._api.SCardStatus(self._handle)
        if result & _WORD:
            raise pcsc_codes.lost(result & _WORD)
        self.atr = bytes(atr)

    def transmit(self, command: list[int]) -> bytes:
        """Raises: CardRemoved, ReaderUnavailable."""
        api = self._api
        result, answer = api.SCardTransmit(self._handle, api.SCARD_PCI_T0 if self.t0 else api.SCARD_PCI_T1, command)
        # A torn answer comes as "success" without bytes; any error means that the card may be gone or another one.
        if result & _WORD or not answer:
            raise pcsc_codes.lost(result & _WORD)
        return bytes(answer)

    def shut(self) -> None:
        # UNPOWER: with anything milder the next program finds the PIN still verified.
        if self._handle is not None:
            self._api.SCardDisconnect(self._handle, self._api.SCARD_UNPOWER_CARD)
        if self._context is not None:
            self._context.release()
        self._handle = self._context = None

    def _connect(self, context: Context) -> tuple[int, int]:
        api = self._api
        for attempt in range(_CONNECT_RETRIES):
            result, handle, protocol = api.SCardConnect(
                context.handle,
                self._reader,
                api.SCARD_SHARE_EXCLUSIVE,  # nobody else signs while our PIN is verified
                api.SCARD_PROTOCOL_T0 | api.SCARD_PROTOCOL_T1,
            )
            code = result & _WORD
            if code == 0:
                return handle, protocol
            if code not in pcsc_codes.PASSING:
                raise pcsc_codes.unavailable(code)
            if code in pcsc_codes.NO_CARD and attempt and not context.present(self._reader):
                raise NoCard(self._reader)
            if code in pcsc_codes.UNRESPONSIVE and attempt >= _UNRESPONSIVE_RETRIES:
                raise CardUnresponsive
            time.sleep(_CONNECT_PAUSE_SECONDS)
        raise ReaderBusy(self._reader) if code == pcsc_codes.BUSY else NoCard(self._reader)


class Waiting:
    """The context a reader waits on, made anew when it died. Touched by one worker's thread."""

    def __init__(self) -> None:
        self._context: Context | None = None

    def look(self, api: Any, name: str, pattern: str, known: int, seconds: float) -> tuple[int, int, str]:
        """The result code, the state once it differs from `known` or the time is over, and the name by now."""
        if self._context is None:
            code, handle = _establish(api)
            if code:
                return code, 0, name
            self._context = Context(api, handle)
        code, state = self._context.state(name, known, round(1000 * seconds))
        if code == 0 and state & (api.SCARD_STATE_UNAVAILABLE | api.SCARD_STATE_UNKNOWN):
            code = pcsc_codes.READER_UNAVAILABLE  # its driver does not reach it any more
        if code in pcsc_codes.STALE_CONTEXT:
            self.release()
        elif code in pcsc_codes.READER_GONE:
            with contextlib.suppress(ReaderUnavailable):
                name = quirks.choose(self._context.readers(), pattern, name) or name
        return (0, state, name) if code in (0, pcsc_codes.TIMED_OUT) else (code, 0, name)

    def nudge(self, name: str) -> None:
        if self._context is not None:
            self._context.nudge(name)

    def release(self) -> None:
        if self._context is not None:
            self._context.release()
            self._context = None


def _attribute(api: Any, handle: int, attribute: int) -> bytes:
    result, value = api.SCardGetAttrib(handle, attribute)
    return b"" if result & _WORD else bytes(value)


def _establish(api: Any) -> tuple[int, int]:
    result, handle = api.SCardEstablishContext(api.SCARD_SCOPE_USER)
    return result & _WORD, handle
