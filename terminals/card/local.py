"""A reader inside this process, for machines without PC/SC: the same `Reader`, a card object in place of a slot."""

import threading
from typing import Protocol

from terminals.card.apdu import Octets
from terminals.card.connection import Interface
from terminals.card.errors import CardRemoved, NoCard


class CardInSlot(Protocol):
    """What a slot asks of a card: an answer to reset, power, and one answer frame per command frame.

    `power_on` and `power_off` forget everything that was verified. `process` may raise `CardRemoved` to say that the
    card left instead of answering.
    """

    @property
    def atr(self) -> bytes: ...

    def power_on(self, interface: Interface) -> None: ...

    def power_off(self) -> None: ...

    def process(self, frame: bytes) -> bytes: ...


class LocalConnection:
    """A `CardConnection` straight to a card object."""

    def __init__(self, reader: "LocalReader", card: CardInSlot) -> None:
        self._reader = reader
        self._card = card
        self._open = True
        card.power_on(reader.interface)

    @property
    def atr(self) -> bytes:
        return self._card.atr

    @property
    def interface(self) -> Interface:
        return self._reader.interface

    def transmit(self, frame: Octets) -> bytes:
        if not self._open or self._reader.card is not self._card:
            raise CardRemoved
        return self._card.process(bytes(frame))

    def close(self) -> None:
        if self._open:
            self._open = False
            self._card.power_off()


class LocalReader:
    """A `Reader` whose card is put in and taken out by calls, from any thread."""

    def __init__(self, name: str = "Built-in reader", interface: Interface = Interface.CONTACT) -> None:
        self._name = name
        self.interface = interface
        self._card: CardInSlot | None = None
        self._waited_for: CardInSlot | None = None
        self._changed = threading.Condition()

    @property
    def name(self) -> str:
        return self._name

    @property
    def card(self) -> CardInSlot | None:
        return self._card

    def insert(self, card: CardInSlot) -> None:
        """Put a card in; the one that was there leaves."""
        self._set(card)

    def remove(self) -> None:
        self._set(None)

    def wait_for_card(self, timeout: float) -> bool:
        with self._changed:
            there = self._changed.wait_for(lambda: self._card is not None, timeout)
            self._waited_for = self._card
            return there

    def wait_for_removal(self, timeout: float) -> bool:
        with self._changed:
            return self._changed.wait_for(self._left, timeout)

    def connect(self) -> LocalConnection:
        card = self._card
        if card is None:
            raise NoCard(self._name)
        return LocalConnection(self, card)

    def _left(self) -> bool:
        return self._card is None or (self._waited_for is not None and self._card is not self._waited_for)

    def _set(self, card: CardInSlot | None) -> None:
        with self._changed:
            left, self._card = self._card, card
            if left is not None:
                left.power_off()
            self._changed.notify_all()
