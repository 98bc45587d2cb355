"""What a rider rode before a quiet time, priced once: a tap prices again only what came with it and after it.

Between two taps that lie further apart than any rule reaches, nothing is shared but what was spent under caps and what
is left of passes. So what was ridden before may be remembered as just that. It follows from those taps alone and is
asked for by them: whoever does not remember it prices them again and comes to the same.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from cardsvc.transit.rules.pricing import Journey, Past, Rider, price_rides
from cardsvc.transit.rules.rides import NEVER_AGAIN, TapEvent, to_rides
from cardsvc.transit.rules.tariffs import TariffVersion, in_force

_LOOKED_BACK: Final = 3
"""Quiet times back at which a past is looked for, before all of it is priced again."""


def quiet_time(tariffs: Sequence[TariffVersion]) -> timedelta:
    """How far any rule of these tariffs reaches from one tap to the next."""
    spans = [timedelta(0)]
    for terms in (tariff.terms for tariff in tariffs):
        spans += (terms.journey_gap, terms.duplicate_window, terms.pass_back_window)
        for rule in terms.incomplete.values():
            spans += (rule.longest, rule.same_stop_grace, rule.complete_within)
    return max(spans)


Row = tuple[int, int, str]
"""A tap in plain values: milliseconds since 1970, sequence, and a text that says all of it, these two as well. It
begins with the tap's id, in the order of its bytes, and where it ends follows from itself.
"""


class Taps:
    """A rider's taps in their order, to which one after the other is added.

    Rows, because most taps are only looked at to see that they are those whose past is remembered; `event_of` reads
    the others.
    """

    def __init__(self, rows: Iterable[Row], quiet: timedelta, event_of: Callable[[Row], TapEvent]) -> None:
        self._rows = sorted(rows)
        self._quiet_ms = quiet // timedelta(milliseconds=1)
        self._event_of = event_of
        self._read: dict[Row, TapEvent] = {}
        self._before: tuple[int, Past] | None = None  # a place that was asked for, and what is left behind there
        self._digest: tuple[int, hashlib._Hash] | None = None  # of the taps before a place
        self._left: Past | None = None  # behind all of them

    def add(self, row: Row, tap: TapEvent) -> None:
        place = bisect_left(self._rows, row)
        self._rows.insert(place, row)
        self._read[row] = tap
        self._forget_from(place)

    def remove(self, row: Row) -> None:
        """Of what was added last."""
        place = bisect_left(self._rows, row)
        del self._rows[place]
        self._forget_from(place)

    def begin(self, row: Row) -> int:
        """The place of the first tap since the last quiet time before this one: it can change nothing before that."""
        return self._quiet_before(bisect_left(self._rows, row))

    def since(self, place: int) -> list[TapEvent]:
        return self._events(place, len(self._rows))

    def price(self, place: int, rider: Rider, tariffs: tuple[TariffVersion, ...]) -> tuple[Journey, ...]:
        """The journeys from this place on, which is the first or follows a quiet time."""
        if self._before is None or self._before[0] != place:
            self._before = place, self._past(place, rider, tariffs)
        self._left = self._before[1].copy()
        return price_on(self.since(place), rider, tariffs, self._left)

    def remember(self, rider: Rider, tariffs: tuple[TariffVersion, ...]) -> None:
        """What all of them leave behind, for whoever adds a tap after a quiet time."""
        if self._left is not None and self._rows:
            _keep(self._known_by(len(self._rows), rider, tariffs), self._left, tariffs)
            self._left = None

    def _past(self, place: int, rider: Rider, tariffs: tuple[TariffVersion, ...]) -> Past:
        """What the taps before this place leave behind; it stays as it is."""
        remembered = tariffs[-1].remembered
        if not place:
            return Past.of(rider)
        known_by = self._known_by(place, rider, tariffs)
        kept: tuple[Past, Any] | None = remembered.pasts.get(known_by)
        if kept is not None:
            return kept[0]
        at, past = place, Past.of(rider)
        for _ in range(_LOOKED_BACK):
            at = self._quiet_before(at - 1)
            kept = remembered.pasts.get(self._known_by(at, rider, tariffs)) if at else None
            if kept is not None:
                past = kept[0].copy()
                break
            if not at:
                break
        else:
            at = 0
        price_on(self._events(at, place), rider, tariffs, past)
        _keep(known_by, past, tariffs)
        return past

    def _known_by(self, place: int, rider: Rider, tariffs: Sequence[TariffVersion]) -> tuple[Any, ...]:
        """What the past before this place is known by: short, because many are kept, so a digest of the taps."""
        at, digest = self._digest or (0, hashlib.sha256())
        if at > place:
            at, digest = 0, hashlib.sha256()
        digest = digest.copy()
        digest.update("".join([text for _, _, text in self._rows[at:place]]).encode())
        self._digest = place, digest
        return rider, digest.digest(), *map(id, tariffs)

    def _forget_from(self, place: int) -> None:
        """What was known of places behind this one."""
        if self._before is not None and place < self._before[0]:
            self._before = None
        if self._digest is not None and place < self._digest[0]:
            self._digest = None
        self._left = None

    def _events(self, first: int, end: int) -> list[TapEvent]:
        return [self._event(row) for row in self._rows[first:end]]

    def _event(self, row: Row) -> TapEvent:
        found = self._read.get(row)
        if found is None:
            found = self._read[row] = self._event_of(row)
        return found

    def _quiet_before(self, place: int) -> int:
        rows = self._rows
        while place and rows[place][0] - rows[place - 1][0] <= self._quiet_ms:
            place -= 1
        return place


def _keep(known_by: tuple[Any, ...], past: Past, tariffs: tuple[TariffVersion, ...]) -> None:
    remembered = tariffs[-1].remembered
    remembered.make_room()
    # with the tariffs themselves, so that what they are known by here stays theirs
    remembered.pasts[known_by] = past, tariffs


def price_on(
    taps: Sequence[TapEvent], rider: Rider, tariffs: Sequence[TariffVersion], past: Past
) -> tuple[Journey, ...]:
    """The journeys of these taps, as if nobody waited for a missing exit; `past` then knows of them."""
    only = tariffs[0].terms if len(tariffs) == 1 else None
    rides, _ = to_rides(taps, lambda at: only or in_force(tariffs, at).terms, now=NEVER_AGAIN)
    return price_rides(rides, rider, tariffs, past)
