"""Where a demo card is put in: virtual slots of a PC/SC daemon, or slots inside this process where there is none."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from terminals.card import (
    CardInSlot,
    Interface,
    LocalReader,
    PrivatePcscd,
    Reader,
    ReaderUnavailable,
    SystemPcscd,
    VirtualReader,
    pcsc,
)

BUILT_IN: Final = "Built-in reader"
_OFF: Final = "off"
_VIRTUAL: Final = ("Virtual PCD", "City Virtual Reader")


class Hand(Protocol):
    """What hands do with a reader."""

    def insert(self, card: CardInSlot) -> None: ...

    def remove(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: `hand` puts cards in, `reader` is what a terminal sees, `name` what PC/SC calls it."""

    name: str
    hand: Hand
    reader: Reader


@dataclass(frozen=True, slots=True)
class Bench:
    """Two slots: one with contacts, one for the tap or another terminal. `what` says in a few words what they are.

    `built_in` where no PC/SC is involved. `close` ends what was started for them.
    """

    what: str
    slots: tuple[Slot, Slot]
    built_in: bool
    close: Callable[[], None]


def private_bench(second: Interface) -> Bench:
    """Slots of a private PC/SC daemon. Without one, slots in this process, and `what` says why."""
    if os.environ.get("CITY_PCSC") == _OFF:
        return built_in_bench(second, "CITY_PCSC=off")
    daemon = PrivatePcscd()
    try:
        daemon.start()
        os.environ.update(daemon.environment)
        return _virtual(daemon, second, "a private pcscd with a virtual reader")
    except ReaderUnavailable as error:
        daemon.stop()
        return built_in_bench(second, str(error))


def system_bench() -> Bench:
    """Slots of the machine's own PC/SC daemon, which is started when it may be. Raises: ReaderUnavailable."""
    daemon = SystemPcscd()
    daemon.start()
    try:
        started = ", started for this city" if daemon.started_here else ""
        return _virtual(daemon, Interface.CONTACT, f"the machine's pcscd{started}, with a virtual reader")
    except ReaderUnavailable:
        daemon.stop()
        raise


def best_bench() -> Bench:
    """The machine's own daemon, so that other programs see the card; else a private one; else slots in this process."""
    if os.environ.get("CITY_PCSC") == _OFF:
        return built_in_bench(Interface.CONTACT, "CITY_PCSC=off")
    try:
        return system_bench()
    except ReaderUnavailable as error:
        why = str(error)
    bench = private_bench(Interface.CONTACT)
    return bench if bench.built_in else replace(bench, what=f"{bench.what} ({why})")


def hardware_readers() -> tuple[str, ...]:
    """Names of the readers on this machine that are no virtual ones."""
    if os.environ.get("CITY_PCSC") == _OFF:
        return ()
    try:
        return tuple(name for name in pcsc.list_readers() if not name.startswith(_VIRTUAL))
    except ReaderUnavailable:
        return ()


def built_in_bench(second: Interface, why: str) -> Bench:
    slots = [LocalReader(f"{BUILT_IN} 1"), LocalReader(f"{BUILT_IN} 2", second)]
    first, other = (Slot(reader.name, reader, reader) for reader in slots)
    return Bench(f"readers inside this process ({why})", (first, other), built_in=True, close=lambda: None)


def _virtual(daemon: PrivatePcscd | SystemPcscd, second: Interface, what: str) -> Bench:
    interfaces = (Interface.CONTACT, second)
    hands = [VirtualReader(port, interface=one) for port, one in zip(daemon.ports, interfaces, strict=True)]
    readers = [pcsc.find_reader(name, interface=one) for name, one in zip(daemon.reader_names, interfaces, strict=True)]
    first, other = (Slot(reader.name, hand, reader) for hand, reader in zip(hands, readers, strict=True))

    def close() -> None:
        for hand in hands:
            hand.remove()
        daemon.stop()

    return Bench(what, (first, other), built_in=False, close=close)
