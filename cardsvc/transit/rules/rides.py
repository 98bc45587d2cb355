"""From a rider's taps to rides: what was one tap twice, which exit belongs to which entry, and what is missing.

Taps are taken in the order of (time, sequence of the terminal, id), whatever the order in which they arrived.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from cardsvc.transit.rules.terms import CompleteBy, Incomplete, Terms


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


@dataclass(frozen=True, slots=True)
class TapEvent:
    """A tap, as it was signed."""

    tap_id: UUID
    device_id: UUID
    sequence: int
    at: datetime
    network: str
    stop_id: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Ride:
    """`start` and `end` are the taps; the one that is missing is None, and both are the same where one was enough.

    `to_stop` is where the ride ended, as far as known; `rule` is the row of x_incomplete.txt that it falls under.
    """

    ending: Ending
    network: str
    start: TapEvent | None
    end: TapEvent | None
    from_stop: str
    to_stop: str
    rule: Incomplete | None = None

    @property
    def first_tap(self) -> TapEvent:
        tap = self.start or self.end
        assert tap is not None
        return tap

    @property
    def began_at(self) -> datetime:
        return self.first_tap.at

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


def to_rides(taps: Iterable[TapEvent], terms: Terms, *, now: datetime) -> tuple[list[Ride], list[Again]]:
    """All rides in order of their first tap. `now` decides which missing exits are no longer awaited."""
    kept, again = without_repeats(taps, terms.duplicate_window)
    rides: list[Ride] = []
    open_rides: dict[str, Ride] = {}
    for tap in kept:
        rule = terms.incomplete.get(tap.network)
        if tap.direction is Direction.FLAT or rule is None:
            rides.append(Ride(Ending.FLAT, tap.network, tap, tap, tap.stop_id, tap.stop_id))
            continue
        standing = open_rides.pop(tap.network, None)
        if tap.direction is Direction.IN:
            if standing is not None:
                rides.append(_unfinished(standing, rule, tap))
            open_rides[tap.network] = Ride(Ending.OPEN, tap.network, tap, None, tap.stop_id, "", rule)
        else:
            rides.extend(_left(standing, rule, tap))
    for ride in open_rides.values():
        assert ride.rule is not None
        overdue = now > ride.began_at + ride.rule.longest
        rides.append(replace(ride, ending=Ending.NO_EXIT) if overdue else ride)
    return sorted(rides, key=lambda ride: _order(ride.first_tap)), again


def without_repeats(taps: Iterable[TapEvent], window: timedelta) -> tuple[list[TapEvent], list[Again]]:
    """Taps in order, and those that only repeat one. A repeat does not stretch the window of what it repeats."""
    kept: list[TapEvent] = []
    again: list[Again] = []
    ids: set[UUID] = set()
    last: dict[tuple[UUID, Direction], TapEvent] = {}
    for tap in sorted(taps, key=_order):
        if tap.tap_id in ids:
            again.append(Again(tap, tap.tap_id))
            continue
        ids.add(tap.tap_id)
        before = last.get((tap.device_id, tap.direction))
        if before is not None and tap.at - before.at <= window and tap.stop_id == before.stop_id:
            again.append(Again(tap, before.tap_id))
            continue
        last[(tap.device_id, tap.direction)] = tap
        kept.append(tap)
    return kept, again


def _order(tap: TapEvent) -> tuple[datetime, int, bytes]:
    return tap.at, tap.sequence, tap.tap_id.bytes


def _unfinished(ride: Ride, rule: Incomplete, entry: TapEvent) -> Ride:
    """Somebody comes in again who never went out."""
    since = entry.at - ride.began_at
    if ride.from_stop == entry.stop_id and since <= rule.same_stop_grace:
        return replace(ride, ending=Ending.SAME_STOP, end=entry, to_stop=entry.stop_id)
    if rule.complete_by is CompleteBy.NEXT_ENTRY and since <= rule.complete_within and ride.from_stop != entry.stop_id:
        return replace(ride, ending=Ending.COMPLETED, to_stop=entry.stop_id)
    return replace(ride, ending=Ending.NO_EXIT)


def _left(ride: Ride | None, rule: Incomplete, leaving: TapEvent) -> Sequence[Ride]:
    """Somebody goes out, with or without a ride that is still open."""
    alone = Ride(Ending.NO_ENTRY, leaving.network, None, leaving, "", leaving.stop_id, rule)
    if ride is None:
        return (alone,)
    since = leaving.at - ride.began_at
    if since > rule.longest:
        return (replace(ride, ending=Ending.NO_EXIT), alone)
    if ride.from_stop == leaving.stop_id and since <= rule.same_stop_grace:
        return (replace(ride, ending=Ending.SAME_STOP, end=leaving, to_stop=leaving.stop_id),)
    return (replace(ride, ending=Ending.TAPPED, end=leaving, to_stop=leaving.stop_id),)
