"""Puts a card object into a real PC/SC reader: the virtual one of vsmartcard's vpcd driver. The card is the TCP client.

Frames both ways: two bytes of length, then the payload. One byte from the reader is control, more are a command.
"""

import contextlib
import socket
import threading
import time
from typing import Final

from terminals.card.connection import Interface
from terminals.card.errors import CardRemoved, ReaderUnavailable
from terminals.card.local import CardInSlot

DEFAULT_PORT: Final = 35963  # slot 0 of Debian's configuration; slot 1 is the next port

_POWER_OFF: Final = b"\x00"
_POWER_ON: Final = b"\x01"
_RESET: Final = b"\x02"
_GIVE_ATR: Final = b"\x04"  # also the presence poll
_LENGTH_SIZE: Final = 2
# A slot that is filled again within one poll of the daemon (400 ms) may stay empty until it is nudged, or show no event
# between one card and the next, so it rests between cards.
EMPTY_SECONDS: Final = 0.9
_CONNECT_SECONDS: Final = 3.0


class VirtualReader:
    """One slot of the virtual reader, by its TCP port. `insert` and `remove` do what hands do with a real one."""

    def __init__(
        self, port: int = DEFAULT_PORT, *, interface: Interface = Interface.CONTACT, rest_seconds: float = EMPTY_SECONDS
    ) -> None:
        self.port = port
        self._rest_seconds = rest_seconds
        self.interface = interface
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._seen = threading.Event()
        self._removed_at = time.monotonic() - rest_seconds

    @property
    def occupied(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def insert(self, card: CardInSlot) -> None:
        """Put a card in and return when the reader has seen it. A card that is still there is taken out first.

        Raises:
            ReaderUnavailable: no virtual reader listens there, or another program's card is in it.
        """
        self.remove()
        time.sleep(max(0.0, self._removed_at + self._rest_seconds - time.monotonic()))
        try:
            self._socket = socket.create_connection(("127.0.0.1", self.port), timeout=_CONNECT_SECONDS)
        except OSError as error:
            reason = f"nothing listens on port {self.port} ({error}); start pcscd with the vpcd driver"
            raise ReaderUnavailable(reason) from None
        self._socket.settimeout(None)
        # The driver sends length and payload apart; without this each command waits 40 ms for an acknowledgement.
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._seen.clear()
        self._thread = threading.Thread(target=self._serve, args=(self._socket, card), daemon=True, name="card in vpcd")
        self._thread.start()
        if not self._seen.wait(_CONNECT_SECONDS):
            self.remove()
            raise ReaderUnavailable(f"the slot on port {self.port} does not look at the card; another card is in it")

    def remove(self) -> None:
        """Take the card out, in the middle of a command if need be. Harmless when the slot is empty."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            if self._thread is not None:
                self._thread.join()
            self._socket = self._thread = None

    def _serve(self, link: socket.socket, card: CardInSlot) -> None:
        with link, contextlib.suppress(OSError, CardRemoved):
            while frame := _receive(link):
                answer = self._answer(card, frame)
                # An empty frame blocks the slot until the card leaves. Only a command is answered with one, by a card
                # that is made so; the driver waits for no answer to power.
                if answer or len(frame) > 1:
                    link.sendall(len(answer).to_bytes(_LENGTH_SIZE) + answer)
        self._removed_at = time.monotonic()
        card.power_off()

    def _answer(self, card: CardInSlot, frame: bytes) -> bytes:
        if frame == _GIVE_ATR:
            self._seen.set()
            return card.atr
        if frame in (_POWER_OFF, _POWER_ON, _RESET):
            card.power_on(self.interface)  # all three make it forget
            return b""
        return card.process(frame)


def _receive(link: socket.socket) -> bytes:
    return _receive_exactly(link, int.from_bytes(_receive_exactly(link, _LENGTH_SIZE)))


def _receive_exactly(link: socket.socket, length: int) -> bytes:
    """The next `length` bytes; none at all when the reader hung up."""
    data = b""
    while len(data) < length:
        # The kernel forgets this option after a while, so it is said before every read.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = link.recv(length - len(data))
        if not part:
            return b""
        data += part
    return data
