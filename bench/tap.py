"""`./city bench tap`: what a tap costs at a gate, on the real PC/SC stack; and the deny list that the gate asks.

A simulated card stands in for the chip, so its time is measured apart and taken off: what remains is the terminal's
own, the PC/SC daemon and its driver included. The time of a real card is a model, and says what it assumes.
"""

import os
import random
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from uuid import UUID

from bench.frame import Figure, Options, at_most, missing
from bench.gate import GateCity, SteppingClock, bench_gate
from crypto.wire.denylist import DenyList, open_list
from terminals.card import (
    CardConnection,
    Interface,
    PivSession,
    PrivatePcscd,
    ReaderUnavailable,
    SimulatedCard,
    VirtualReader,
    pcsc,
)
from terminals.validator import Outcome, Validator

_DENIED = 50_000
_TAPS_A_DAY = 4
_APDUS = (2, 4)  # known card, first sight: the most
_OWN_MS, _KNOWN_MS, _FIRST_MS = 10.0, 120.0, 170.0
_LIST_BYTES, _LIST_MS, _CHECK_US = 2_000_000, 200.0, 5.0


@dataclass(frozen=True, slots=True)
class Radio:
    """The model of a card and its field. Contactless at 106 kbit/s: a byte is nine bits on the air (ISO/IEC 14443-3),
    a frame of ISO/IEC 14443-4 has three bytes around it, and longer ones are chained. A card of class J3R180: one
    P-256 signature takes 28.2 ms (JCAlgTest), and every command some more, which is a guess on the safe side.
    """

    activation_ms: float = 15.0
    byte_ms: float = 9 / 106
    frame_payload: int = 253
    frame_bytes: int = 3
    turnaround_ms: float = 0.1
    reader_ms: float = 3.0  # an embedded reader, for each command
    command_ms: float = 6.0
    signature_ms: float = 28.2

    def command(self, sent: int, received: int) -> float:
        """Milliseconds for a command of so many bytes and its answer, without the signature."""
        frames = sum(-(-size // self.frame_payload) for size in (sent, received))
        on_air = (sent + received + frames * self.frame_bytes) * self.byte_ms + frames * self.turnaround_ms
        return self.reader_ms + self.command_ms + on_air

    def tap(self, commands: list[tuple[int, int]], own_ms: float) -> float:
        """A whole tap with one signature in it."""
        return self.activation_ms + self.signature_ms + own_ms + sum(self.command(*one) for one in commands)


@dataclass(slots=True)
class _Timed:
    """A card that notes how long it thinks."""

    inner: SimulatedCard
    seconds: float = 0.0

    @property
    def atr(self) -> bytes:
        return self.inner.atr

    def power_on(self, interface: Interface) -> None:
        self.inner.power_on(interface)

    def power_off(self) -> None:
        self.inner.power_off()

    def process(self, frame: bytes) -> bytes:
        started = time.perf_counter()
        try:
            return self.inner.process(frame)
        finally:
            self.seconds += time.perf_counter() - started


@dataclass(slots=True)
class _Counted:
    """A connection that notes each command: bytes sent and received."""

    inner: CardConnection
    commands: list[tuple[int, int]] = field(default_factory=list)

    @property
    def atr(self) -> bytes:
        return self.inner.atr

    @property
    def interface(self) -> Interface:
        return self.inner.interface

    def transmit(self, frame: bytes | bytearray) -> bytes:
        answer = self.inner.transmit(frame)
        self.commands.append((len(frame), len(answer)))
        return answer

    def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True, slots=True)
class _Taps:
    """What was seen: the commands of a tap on first sight and of a known card, the terminal's own milliseconds."""

    first: list[tuple[int, int]]
    known: list[tuple[int, int]]
    own_ms: list[float]  # of known cards

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.own_ms, n=100)[98]


_dice = random.Random(106)


def _card_id() -> UUID:
    return UUID(int=_dice.getrandbits(128), version=4)


def figures(options: Options) -> Iterator[Figure]:
    city = GateCity()
    denied = city.deny_list([_card_id() for _ in range(options.size(_DENIED, 5_000))])
    try:
        with PrivatePcscd() as daemon:
            os.environ.update(daemon.environment)  # libpcsclite reads it once in a process
            taps = _tapped(city, denied, daemon, options)
    except ReaderUnavailable as error:
        yield missing("a tap on the real PC/SC stack", "ms", str(error), at_most(1))
    else:
        yield from _told(taps)
    yield from _deny_list(city, denied, options)


def _tapped(city: GateCity, denied: bytes, daemon: PrivatePcscd, options: Options) -> _Taps:
    """Each of many riders taps a few times in the day, as riders do: first unknown to the gate, then known."""
    clock, riders = SteppingClock(), [city.card(_card_id()) for _ in range(options.size(100, 20))]
    card = _Timed(riders[0])
    slot = VirtualReader(daemon.ports[0], interface=Interface.CONTACTLESS)
    slot.insert(card)
    try:
        connection = pcsc.PcscReader(daemon.reader_names[0], interface=Interface.CONTACTLESS).connect()
        with bench_gate(city, clock, denied) as validator:
            _tap(validator, connection, card, b"warming up")
            taps = _Taps([], [], [])
            for turn in range(1 + _TAPS_A_DAY):
                for number, card.inner in enumerate(riders):
                    options.say(f"tap {turn + 1} of rider {number}")
                    clock.step()
                    commands, own = _tap(validator, connection, card, b"uid-%d" % number)
                    (taps.known if turn else taps.first)[:] = commands
                    if turn:
                        taps.own_ms.append(own)
        connection.close()
    finally:
        slot.remove()
    return taps


def _tap(
    validator: Validator, connection: CardConnection, card: _Timed, uid: bytes
) -> tuple[list[tuple[int, int]], float]:
    counted = _Counted(connection)
    card.seconds, started = 0.0, time.perf_counter()
    result = validator.tap(PivSession(counted), uid)
    own = time.perf_counter() - started - card.seconds
    assert result.outcome is Outcome.ACCEPTED, result
    return counted.commands, own * 1000


def _told(taps: _Taps) -> Iterator[Figure]:
    radio, own = Radio(), taps.p99
    for name, commands, most in (("known card", taps.known, _APDUS[0]), ("first sight", taps.first, _APDUS[1])):
        yield _against(f"APDUs of a tap, {name}", len(commands), "APDUs", most)
    yield Figure("the terminal's own time for a tap, median", statistics.median(taps.own_ms), "ms")
    yield _against("the terminal's own time for a tap, p99", own, "ms", _OWN_MS)
    for name, commands, limit in (("known card", taps.known, _KNOWN_MS), ("first sight", taps.first, _FIRST_MS)):
        yield _against(f"modelled tap at 106 kbit/s, {name}", radio.tap(commands, own), "ms", limit)


def _against(name: str, value: float, unit: str, limit: float) -> Figure:
    """A figure whose ratio is that to its own limit."""
    return Figure(name, value, unit, f"the limit of {limit:,.10g} {unit}", value / limit, at_most(1))


def _deny_list(city: GateCity, signed: bytes, options: Options) -> Iterator[Figure]:
    name = f"deny list of {options.size(_DENIED, 5_000):,} cards"
    started = time.perf_counter()
    held = open_list(signed, city.keys)
    load_ms = (time.perf_counter() - started) * 1000
    yield _against(f"{name}, load", load_ms, "ms", _LIST_MS)
    yield _against(f"{name}, check", statistics.median(_checked(held) for _ in range(options.rounds)), "us", _CHECK_US)
    tracemalloc.start()
    held = open_list(signed, city.keys)
    held.denies_card(_card_id())
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield _against(f"{name}, memory", size, "bytes", _LIST_BYTES)


def _checked(held: DenyList, count: int = 20_000) -> float:
    """Microseconds for one look at the list, of cards that are not on it: as nearly all are not."""
    asked: list[UUID] = [_card_id() for _ in range(count)]
    started = time.perf_counter()
    found = sum(held.denies_card(card_id) for card_id in asked)
    assert not found
    return (time.perf_counter() - started) / count * 1e6
