"""Which fare a leg of a journey has: joined legs first, then the rules that fit (GTFS reference, fare_leg_rules).

Where the reference is silent: a stop in no area, and a route in no network, fits an empty field.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cardsvc.transit.rules.tables import FareStop, FareTables, JoinRule, LegRule, Timeframe


@dataclass(frozen=True, slots=True)
class Leg:
    """One ride, or several that count as one. Times are aware. `networks` has one name unless rides of several networks
    were joined; a route without a network is "".
    """

    networks: frozenset[str]
    from_stop: FareStop
    to_stop: FareStop
    departure: datetime
    arrival: datetime


def joined(legs: Sequence[Leg], rules: Sequence[JoinRule]) -> list[Leg]:
    """The effective fare legs: consecutive rides become one where a join rule fits their transfer."""
    return [_as_one(group) for group in join_groups(legs, rules)]


def join_groups(legs: Sequence[Leg], rules: Sequence[JoinRule]) -> list[list[Leg]]:
    """The rides of each effective fare leg."""
    groups: list[list[Leg]] = []
    for leg in legs:
        if groups and any(_joins(rule, groups[-1][-1], leg) for rule in rules):
            groups[-1].append(leg)
        else:
            groups.append([leg])
    return groups


def _as_one(group: Sequence[Leg]) -> Leg:
    first, last = group[0], group[-1]
    if first is last:
        return first
    networks = frozenset[str]().union(*(leg.networks for leg in group))
    return Leg(networks, first.from_stop, last.to_stop, first.departure, last.arrival)


def _joins(rule: JoinRule, before: Leg, after: Leg) -> bool:
    if rule.from_network and rule.from_network not in before.networks:
        return False
    if rule.to_network and rule.to_network not in after.networks:
        return False
    if not rule.from_stop and not rule.to_stop:
        return before.to_stop.station_id == after.from_stop.station_id
    return _is_at(before.to_stop, rule.from_stop) and _is_at(after.from_stop, rule.to_stop)


def _is_at(stop: FareStop, wanted: str) -> bool:
    return not wanted or wanted in (stop.stop_id, stop.station_id)


class LegMatcher:
    """Answers which leg rules fit. What does not depend on time is found once for each network and pair of areas."""

    def __init__(self, tables: FareTables) -> None:
        self._tables = tables
        self._listed_networks = frozenset(rule.network for rule in tables.leg_rules if rule.network)
        self._listed_from = frozenset(rule.from_area for rule in tables.leg_rules if rule.from_area)
        self._listed_to = frozenset(rule.to_area for rule in tables.leg_rules if rule.to_area)
        self._places: dict[tuple[frozenset[str], frozenset[str], frozenset[str]], tuple[tuple[LegRule, ...], ...]] = {}

    def rules_for(self, leg: Leg) -> tuple[LegRule, ...]:
        """The rules of which one gives the fare, all equally good; none: the fare is unknown."""
        for fitting in self._by_place(leg):
            in_time = tuple(rule for rule in fitting if self._in_time(rule, leg))
            if in_time:
                top = max(rule.priority for rule in in_time)
                return tuple(rule for rule in in_time if rule.priority == top)
        return ()

    def is_timeless(self, leg: Leg) -> bool:
        """Whether the same rules fit at any time."""
        return not any(rule.from_timeframe or rule.to_timeframe for fitting in self._by_place(leg) for rule in fitting)

    def _by_place(self, leg: Leg) -> tuple[tuple[LegRule, ...], ...]:
        """Sets of rules that fit by network and areas: exact ones come before those that fit by an empty field."""
        key = (leg.networks, leg.from_stop.areas, leg.to_stop.areas)
        found = self._places.get(key)
        if found is None:
            rules = self._tables.leg_rules
            if self._tables.has_priority:
                found = (tuple(rule for rule in rules if _fits_or_is_empty(rule, *key)),)
            else:
                exact = tuple(rule for rule in rules if _fits_exactly(rule, *key))
                found = (exact, tuple(rule for rule in rules if rule not in exact and self._fits_by_rest(rule, *key)))
            self._places[key] = found
        return found

    def _fits_by_rest(
        self, rule: LegRule, networks: frozenset[str], from_areas: frozenset[str], to_areas: frozenset[str]
    ) -> bool:
        """An empty field stands for whatever its column lists nowhere."""
        return (
            (_is_network(rule.network, networks) if rule.network else not networks & self._listed_networks)
            and _fits_rest(rule.from_area, from_areas, self._listed_from)
            and _fits_rest(rule.to_area, to_areas, self._listed_to)
        )

    def _in_time(self, rule: LegRule, leg: Leg) -> bool:
        if rule.from_timeframe and not self._is_within(rule.from_timeframe, leg.departure, leg.from_stop):
            return False
        return not rule.to_timeframe or self._is_within(rule.to_timeframe, leg.arrival, leg.to_stop)

    def _is_within(self, group_id: str, at: datetime, stop: FareStop) -> bool:
        """By the clock and the date of the place, not of the service day: after midnight it is the next day."""
        local = at.astimezone(stop.zone)
        since_midnight = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
        return any(_covers(frame, local, since_midnight) for frame in self._tables.timeframes.get(group_id, ()))


def _covers(frame: Timeframe, local: datetime, since_midnight: timedelta) -> bool:
    return frame.start <= since_midnight < frame.end and frame.service.runs_on(local.date())


def _is_network(wanted: str, networks: frozenset[str]) -> bool:
    """Rides that were joined have a network only if it is one and the same."""
    return len(networks) == 1 and wanted in networks


def _fits_exactly(
    rule: LegRule, networks: frozenset[str], from_areas: frozenset[str], to_areas: frozenset[str]
) -> bool:
    return (
        _is_network(rule.network, networks)
        and (rule.from_area in from_areas if from_areas else not rule.from_area)
        and (rule.to_area in to_areas if to_areas else not rule.to_area)
    )


def _fits_or_is_empty(
    rule: LegRule, networks: frozenset[str], from_areas: frozenset[str], to_areas: frozenset[str]
) -> bool:
    return (
        (not rule.network or _is_network(rule.network, networks))
        and (not rule.from_area or rule.from_area in from_areas)
        and (not rule.to_area or rule.to_area in to_areas)
    )


def _fits_rest(area: str, areas: frozenset[str], listed: frozenset[str]) -> bool:
    return area in areas if area else not areas or bool(areas - listed)
