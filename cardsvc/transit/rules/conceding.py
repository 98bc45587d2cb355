"""What rides cost before caps: the tables' fare, less the concession that holds.

The cheaper of everybody's fare less the concession, and the fare of the rider's own categories.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from cardsvc.transit.rules.journeys import Charge, FareEngine, Quote
from cardsvc.transit.rules.legs import Leg, join_groups
from cardsvc.transit.rules.rides import Ride
from cardsvc.transit.rules.tariffs import PARTS, OpenFare, Step, TariffVersion
from cardsvc.transit.rules.terms import Concession, Terms

Placed = tuple[int, OpenFare]
"""The index of the ride that is charged, and its fare."""


def open_fares(
    rides: Sequence[Ride], paying: Sequence[int], tariff: TariffVersion, held: frozenset[str], day: date
) -> Sequence[Placed] | None:
    """The fares of those of a journey's rides that pay; None where the tables do not know one of them."""
    # Where no timeframe matters, the same ways with the same limits exceeded have been priced before.
    engine, known = tariff.engine, tariff.remembered.fares
    key: tuple[Any, ...]
    if len(paying) == 1:
        ride = rides[paying[0]]
        key = held, day, ride.network, ride.from_stop, ride.to_stop
    else:
        ways = tuple((rides[index].network, rides[index].from_stop, rides[index].to_stop) for index in paying)
        key = held, day, ways, engine.marks([(rides[index].began_at, rides[index].ended_at) for index in paying])
    if key in known:
        fares = known[key]
        return None if fares is None else [(paying[place], fare) for place, fare in fares]
    legs = [_leg(rides[index], engine) for index in paying]
    placed = _quoted([leg for leg in legs if leg is not None], tariff, held, day) if None not in legs else None
    if None in legs or engine.is_timeless([leg for leg in legs if leg is not None]):
        tariff.remembered.make_room()
        known[key] = placed
    return None if placed is None else [(paying[place], fare) for place, fare in placed]


def incomplete_fare(ride: Ride, terms: Terms, held: frozenset[str], day: date) -> OpenFare:
    """The maximum fare of a ride that lacks one of its taps."""
    assert ride.rule is not None
    rule = f"x_incomplete.txt:{ride.rule.row} {ride.ending}"
    return _conceded(ride.network, ride.rule.maximum_cents, rule, terms, held, day)


def _quoted(legs: Sequence[Leg], tariff: TariffVersion, held: frozenset[str], day: date) -> tuple[Placed, ...] | None:
    """The fares of a journey of these legs; an index counts them."""
    engine = tariff.engine
    first_of = _first_legs(legs, engine)
    ways: list[tuple[Placed, ...]] = []
    usual = engine.quote(legs, medium=tariff.medium)
    if usual is not None:
        ways.append(_placed(usual, legs, first_of, tariff.terms, held, day))
    own = engine.quote(legs, categories=held, medium=tariff.medium) if held else None
    if own is not None:
        ways.append(_placed(own, legs, first_of, tariff.terms, frozenset(), day))
    return min(ways, key=lambda way: sum(fare.amount_parts for _, fare in way), default=None)


def _first_legs(legs: Sequence[Leg], engine: FareEngine) -> list[int]:
    """For each effective leg the index of its first one."""
    position, firsts = 0, []
    for group in join_groups(legs, engine.tables.join_rules):
        firsts.append(position)
        position += len(group)
    return firsts


def _leg(ride: Ride, engine: FareEngine) -> Leg | None:
    stops = engine.tables.stops
    from_stop, to_stop = stops.get(ride.from_stop), stops.get(ride.to_stop)
    if from_stop is None or to_stop is None:
        return None
    return Leg(frozenset((ride.network,)), from_stop, to_stop, ride.began_at, ride.ended_at)


def _placed(
    quote: Quote, legs: Sequence[Leg], first_of: Sequence[int], terms: Terms, held: frozenset[str], day: date
) -> tuple[Placed, ...]:
    placed: list[Placed] = []
    for charge in quote.charges:
        index = first_of[charge.leg]
        (network,) = legs[index].networks
        placed.append((index, _conceded(network, charge.amount_cents, _named(charge), terms, held, day)))
    return tuple(placed)


def _named(charge: Charge) -> str:
    return f"{charge.file}:{charge.row}, fare_products.txt:{charge.product_row} {charge.product_id}"


def _conceded(network: str, full_cents: int, rule: str, terms: Terms, held: frozenset[str], day: date) -> OpenFare:
    full = full_cents * PARTS
    base = Step("base", rule, 0, full)
    concession = _greatest(terms.concessions, held, network, day) if full_cents > 0 and held else None
    if concession is None:
        return OpenFare(network, full, full, (base,), None)
    amount = full_cents * (PARTS - int(concession.part * PARTS))
    named = f"x_concessions.txt:{concession.row} {concession.concession_id}"
    return OpenFare(network, full, amount, (base, Step("concession", named, full, amount)), concession)


def _greatest(concessions: Sequence[Concession], held: frozenset[str], network: str, day: date) -> Concession | None:
    holding = [concession for concession in concessions if concession.holds(held, network, day)]
    return max(holding, key=lambda concession: (concession.part, -concession.row), default=None)
