"""From a rider's taps to rides: what was one tap twice, which exit belongs to which entry, and what is missing.

Taps are taken in the order of (time, sequence of the terminal, id), whatever the order in which they arrived.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from cardsvc.transit.rules.terms import CompleteBy, Incomplete, Terms

NEVER_AGAIN: Final = datetime.max.replace(tzinfo=UTC)
"""A `now` at which nobody waits for a missing exit any more."""


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    FLAT = "flat"  # one tap is the whole ride


class Ending(StrEnum):
    """How a ride came to its end."""

    FLAT = "flat"
    TAPPED = "tapped"
    COMPLETED = "completed"  # by the place of the next entry
    NO_EXIT = "no_exit"
    NO_ENTRY = "no_entry"
    SAME_STOP = "same_stop"  # turned back where they came in, within the grace: no ride
    OPEN = "open"  # still travelling


class TapEvent(NamedTuple):  # cheaper to make than a frozen dataclass; a rider's week is read with every tap
    """A tap, as it was signed."""

    tap_id: UUID
    device_id: UUID
    sequence: int
    at: datetime
    network: str
    stop_id: str
    direction: Direction


class Ride(NamedTuple):  # cheaper to make than a frozen dataclass; one for every ride
    """`start` and `end` are the taps; the one that is missing is None, and both are the same where one was enough.

    `to_stop` is where the ride ended, as far as known; `rule` is the row of x_incomplete.txt that it falls under;
    `passed_back` says that the card went through this gate for another person a moment before.
    """

    ending: Ending
    network: str
    start: TapEvent | None
    end: TapEvent | None
    from_stop: str
    to_stop: str
    rule: Incomplete | None = None
    passed_back: bool = False

    @property
    def first_tap(self) -> TapEvent:
        tap = self.start or self.end
        assert tap is not None
        return tap

    @property
    def began_at(self) -> datetime:
        return self.start.at if self.start else self.first_tap.at

    @property
    def ended_at(self) -> datetime:
        return self.end.at if self.end else self.began_at

    @property
    def is_incomplete(self) -> bool:
        return self.ending in (Ending.NO_EXIT, Ending.NO_ENTRY)


@dataclass(frozen=True, slots=True)
class Again:
    """A tap that is the same as an earlier one: the same id, or the same gate within the window."""

    tap: TapEvent
    of: UUID


TermsAt = Callable[[datetime], Terms]
"""The terms in force at a moment. A ride is read by those of the moment when it began."""


def to_rides(taps: Iterable[TapEvent], terms_at: TermsAt, *, now: datetime) -> tuple[list[Ride], list[Again]]:
    """All rides in order of their first tap. `now` decides which missing exits are no longer awaited."""
    kept, again = without_repeats(taps, terms_at)
    rides: list[Ride] = []
    begun: dict[str, tuple[TapEvent, Incomplete]] = {}  # rides that have no end yet, by network
    gates: dict[int, TapEvent] = {}  # the last tap at each gate where one tap is the ride
    for tap in kept:
        terms, direction = terms_at(tap.at), tap.direction
        rule = terms.incomplete.get(tap.network)
        open_ride = None if direction is Direction.FLAT else begun.pop(tap.network, None)
        if open_ride is not None:
            if direction is Direction.OUT:
                rides.extend(_left(*open_ride, tap))
                continue
            rides.append(_unfinished(*open_ride, tap))
        if rule is None or direction is Direction.FLAT:
            gate = tap.device_id.int
            before = gates.get(gate)
            gates[gate] = tap
            back = before is not None and _is_passed_back(tap, before, terms)
            rides.append(Ride(Ending.FLAT, tap.network, tap, tap, tap.stop_id, tap.stop_id, None, back))
        elif direction is Direction.IN:
            begun[tap.network] = tap, rule
        else:
            rides.append(Ride(Ending.NO_ENTRY, tap.network, None, tap, "", tap.stop_id, rule))
    for entry, rule in begun.values():
        rides.append(_ride(Ending.NO_EXIT if now > entry.at + rule.longest else Ending.OPEN, entry, rule))
    rides.sort(key=_beginning)
    return rides, again


def without_repeats(taps: Iterable[TapEvent], terms_at: TermsAt) -> tuple[list[TapEvent], list[Again]]:
    """Taps in order, and those that only repeat one. A repeat does not stretch the window of what it repeats."""
    kept: list[TapEvent] = []
    again: list[Again] = []
    ids: set[int] = set()  # numbers, because a UUID's own hash is made in Python
    last: dict[tuple[int, str], TapEvent] = {}
    for tap in sorted(taps, key=in_order):
        number = tap.tap_id.int
        if number in ids:
            again.append(Again(tap, tap.tap_id))
            continue
        ids.add(number)
        gate = tap.device_id.int, tap.direction._value_
        before = last.get(gate)
        if before is not None and tap.stop_id == before.stop_id and _is_repeat(tap, before, terms_at):
            again.append(Again(tap, before.tap_id))
            continue
        last[gate] = tap
        kept.append(tap)
    return kept, again


def _is_passed_back(tap: TapEvent, before: TapEvent, terms: Terms) -> bool:
    return bool(terms.pass_back_window) and tap.at - before.at <= terms.pass_back_window


def _is_repeat(tap: TapEvent, before: TapEvent, terms_at: TermsAt) -> bool:
    return tap.at - before.at <= terms_at(before.at).duplicate_window


def in_order(tap: TapEvent) -> tuple[datetime, int, int]:
    """What taps are sorted by."""
    return tap.at, tap.sequence, tap.tap_id.int


def _beginning(ride: Ride) -> tuple[datetime, int, int]:
    tap = ride.start or ride.first_tap
    return tap.at, tap.sequence, tap.tap_id.int


def _ride(ending: Ending, entry: TapEvent, rule: Incomplete, end: TapEvent | None = None, to_stop: str = "") -> Ride:
    return Ride(ending, entry.network, entry, end, entry.stop_id, to_stop, rule)


def _unfinished(entry: TapEvent, rule: Incomplete, again: TapEvent) -> Ride:
    """Somebody comes in again who never went out."""
    since = again.at - entry.at
    if entry.stop_id == again.stop_id and since <= rule.same_stop_grace:
        return _ride(Ending.SAME_STOP, entry, rule, again, again.stop_id)
    if rule.complete_by is CompleteBy.NEXT_ENTRY and since <= rule.complete_within and entry.stop_id != again.stop_id:
        return _ride(Ending.COMPLETED, entry, rule, None, again.stop_id)
    return _ride(Ending.NO_EXIT, entry, rule)


def _left(entry: TapEvent, rule: Incomplete, leaving: TapEvent) -> Sequence[Ride]:
    """Somebody goes out: of the ride that has begun, unless that was too long ago to be the same one."""
    since = leaving.at - entry.at
    if since <= rule.longest:
        turned_back = entry.stop_id == leaving.stop_id and since <= rule.same_stop_grace
        return (_ride(Ending.SAME_STOP if turned_back else Ending.TAPPED, entry, rule, leaving, leaving.stop_id),)
    alone = Ride(Ending.NO_ENTRY, leaving.network, None, leaving, "", leaving.stop_id, rule)
    return (_ride(Ending.NO_EXIT, entry, rule), alone)
