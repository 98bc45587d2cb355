"""What a rider rode before a quiet time, priced once: a tap prices again only what came with it and after it.

Between two taps that lie further apart than any rule reaches, nothing is shared but what was spent under caps and what
is left of passes. So what was ridden before may be remembered as just that. It follows from those taps alone and is
asked for by them: whoever does not remember it prices them again and comes to the same.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final

from cardsvc.transit.rules.pricing import Journey, Past, Rider, price_rides
from cardsvc.transit.rules.rides import NEVER_AGAIN, TapEvent, in_order, to_rides
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


class Taps:
    """A rider's taps in their order, to which one after the other is added."""

    def __init__(self, taps: Iterable[TapEvent], quiet: timedelta) -> None:
        self._taps = sorted(taps, key=in_order)
        self._quiet = quiet

    def add(self, tap: TapEvent) -> None:
        insort(self._taps, tap, key=in_order)

    def remove(self, tap: TapEvent) -> None:
        del self._taps[self._place_of(tap)]

    def begin(self, tap: TapEvent) -> int:
        """The place of the first tap since the last quiet time before this one: it can change nothing before that."""
        return self._quiet_before(self._place_of(tap))

    def since(self, place: int) -> Sequence[TapEvent]:
        return self._taps[place:]

    def past(self, place: int, rider: Rider, tariffs: tuple[TariffVersion, ...]) -> Past:
        """What the taps before this place, which follows a quiet time, leave behind. Whoever gets it may use it up."""
        if not place:
            return Past.of(rider)
        remembered = tariffs[-1].remembered
        facts = [_facts(tap) for tap in self._taps[:place]]
        about = rider, tuple(map(id, tariffs))
        found, known = Past.of(rider), 0
        at = place
        for _ in range(_LOOKED_BACK + 1):
            kept = remembered.pasts.get((about, *facts[:at]))
            if kept is not None:
                found, known = kept[0].copy(), at
                break
            at = self._quiet_before(at - 1)
            if not at:
                break
        if known < place:
            price_on(self._taps[known:place], rider, tariffs, found)
            remembered.make_room()
            # with the tariffs themselves, so that what they are known by here stays theirs
            remembered.pasts[(about, *facts)] = found.copy(), tariffs
        return found

    def _place_of(self, tap: TapEvent) -> int:
        return bisect_left(self._taps, in_order(tap), key=in_order)

    def _quiet_before(self, place: int) -> int:
        while place and self._taps[place].at - self._taps[place - 1].at <= self._quiet:
            place -= 1
        return place


def price_on(
    taps: Sequence[TapEvent], rider: Rider, tariffs: Sequence[TariffVersion], past: Past
) -> tuple[Journey, ...]:
    """The journeys of these taps, as if nobody waited for a missing exit; `past` then knows of them."""
    only = tariffs[0].terms if len(tariffs) == 1 else None
    rides, _ = to_rides(taps, lambda at: only or in_force(tariffs, at).terms, now=NEVER_AGAIN)
    return price_rides(rides, rider, tariffs, past)


def _facts(tap: TapEvent) -> tuple[Any, ...]:
    # numbers, because a UUID's own hash is made in Python
    return (tap.tap_id.int, tap.device_id.int, *tap[2:])
