"""What a rider pays, and why: rides in, journeys with every amount explained out. Pure, so that anybody can repeat it.

The order never changes, and each step is written down beside the amount:

1. base: the fare of the tables in force when the journey began, with the transfers that apply (`journeys`);
2. concession: the greatest one that holds for (category, network, fare day), exact, on every amount that is positive;
   a product of the rider's own category counts instead where it is cheaper;
3. cap: what the caps that hold leave of the amount, for each period; incomplete rides neither count nor are capped;
4. rounding: to a whole minor unit, half up, once; but never above what a concession leaves to be paid.

A ride that a pass covers costs nothing and is no leg of a journey. An unknown fare is None, and nothing is charged.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Final
from uuid import UUID

from cardsvc.transit.rules.journeys import Charge, FareEngine, Quote
from cardsvc.transit.rules.legs import Leg, join_groups
from cardsvc.transit.rules.rides import Again, Ending, Ride, TapEvent, to_rides
from cardsvc.transit.rules.terms import Cap, Concession, Terms

_HALF: Final = Fraction(1, 2)


@dataclass(frozen=True, slots=True)
class HeldPass:
    """A pass that a rider bought: good from one moment until another, for a number of rides or any (None)."""

    holding_id: UUID
    pass_id: str
    valid_from: datetime
    valid_to: datetime
    rides: int | None


@dataclass(frozen=True, slots=True)
class HeldCategory:
    """A right to a category of riders, over fare days, both in."""

    category: str
    valid_from: date
    valid_to: date


@dataclass(frozen=True, slots=True)
class Rider:
    categories: tuple[HeldCategory, ...] = ()
    passes: tuple[HeldPass, ...] = ()

    def categories_on(self, day: date) -> frozenset[str]:
        return frozenset(held.category for held in self.categories if held.valid_from <= day <= held.valid_to)


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule made of an amount. `rule` names it: file and row, or the pass. Amounts are exact minor units."""

    name: str
    rule: str
    before: Fraction
    after: Fraction


@dataclass(frozen=True, slots=True)
class FareLine:
    """One amount to charge for one ride. `subsidy_cents` is what the programme `paid_by` owes the operator for it."""

    ride: int
    network: str
    amount_cents: int
    steps: tuple[Step, ...]
    subsidy_cents: int = 0
    paid_by: str = ""


@dataclass(frozen=True, slots=True)
class Journey:
    """Rides that are priced together. `lines` is None where the fare is unknown; a line's `ride` counts from 0."""

    rides: tuple[Ride, ...]
    tariff_version: int
    lines: tuple[FareLine, ...] | None

    @property
    def total_cents(self) -> int | None:
        return None if self.lines is None else sum(line.amount_cents for line in self.lines)


@dataclass(frozen=True, slots=True)
class Priced:
    journeys: tuple[Journey, ...]
    again: tuple[Again, ...]

    @property
    def total_cents(self) -> int:
        """What is charged; unknown fares are not in it."""
        return sum(journey.total_cents or 0 for journey in self.journeys)


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """One version of everything that makes a fare, in force from a moment until the next is."""

    version: int
    valid_from: datetime
    engine: FareEngine
    terms: Terms
    medium: str = ""


def price(taps: Iterable[TapEvent], rider: Rider, tariffs: Sequence[TariffVersion], *, now: datetime) -> Priced:
    """Price every journey of one rider. `taps` must reach back to the start of each cap's period, and `tariffs`, in
    order of their moments, to the first tap. The same taps in any order give the same answer.
    """
    rides, again = to_rides(taps, tariffs[-1].terms, now=now)
    return Priced(price_rides(rides, rider, tariffs), tuple(again))


def price_rides(rides: Sequence[Ride], rider: Rider, tariffs: Sequence[TariffVersion]) -> tuple[Journey, ...]:
    """The journeys of rides that are known, in order of their beginning."""
    spending = _Spending()
    passes = _Passes({held.holding_id: held.rides for held in rider.passes})
    return tuple(
        _price_journey(group, _in_force(tariffs, group[0].began_at), rider, spending, passes)
        for group in _grouped(rides, tariffs[-1].terms.journey_gap)
    )


def _grouped(rides: Sequence[Ride], gap: timedelta) -> list[list[Ride]]:
    """Rides with less than the gap between one's end and the next one's start. An incomplete ride stands alone."""
    groups: list[list[Ride]] = []
    for ride in rides:
        before = groups[-1][-1] if groups else None
        if before and _is_leg(before) and _is_leg(ride) and ride.began_at - before.ended_at <= gap:
            groups[-1].append(ride)
        else:
            groups.append([ride])
    return groups


def _is_leg(ride: Ride) -> bool:
    return ride.ending in (Ending.FLAT, Ending.TAPPED, Ending.COMPLETED)


def _in_force(tariffs: Sequence[TariffVersion], at: datetime) -> TariffVersion:
    return next((tariff for tariff in reversed(tariffs) if tariff.valid_from <= at), tariffs[0])


@dataclass(slots=True)
class _Spending:
    """What was charged so far under each cap and period."""

    cents: dict[tuple[str, date], int] = field(default_factory=dict)


@dataclass(slots=True)
class _Passes:
    """Rides that are left on each pass."""

    left: dict[UUID, int | None]


def _price_journey(
    rides: Sequence[Ride], tariff: TariffVersion, rider: Rider, spending: _Spending, passes: _Passes
) -> Journey:
    terms = tariff.terms
    day = terms.fare_day(rides[0].began_at)
    held = rider.categories_on(day)
    lines: list[FareLine] = []
    paying: list[int] = []
    for index, ride in enumerate(rides):
        covered = _covering(ride, rider, terms, passes)
        if ride.ending in (Ending.OPEN, Ending.SAME_STOP):
            continue
        if covered is not None:
            zero = Fraction(0)
            lines.append(FareLine(index, ride.network, 0, (Step("pass", f"pass {covered.pass_id}", zero, zero),)))
        elif ride.is_incomplete:
            lines.append(_incomplete_line(index, ride, terms, held, day))
        else:
            paying.append(index)
    quoted = _quoted(rides, paying, tariff, held, day) if paying else ()
    if quoted is None:
        return Journey(tuple(rides), tariff.version, None)
    capped = _Capping(terms, held, day, spending)
    lines += capped.charge(quoted)
    return Journey(tuple(rides), tariff.version, tuple(sorted(lines, key=lambda line: line.ride)))


def _covering(ride: Ride, rider: Rider, terms: Terms, passes: _Passes) -> HeldPass | None:
    """The pass that pays the ride: of several the one that ends first. It is used up by one ride."""
    if not _is_leg(ride):
        return None
    for held in sorted(rider.passes, key=lambda held: (held.valid_to, held.holding_id.bytes)):
        networks = terms.passes.get(held.pass_id, frozenset())
        left = passes.left[held.holding_id]
        if held.valid_from <= ride.began_at < held.valid_to and networks & {"", ride.network} and left != 0:
            passes.left[held.holding_id] = None if left is None else left - 1
            return held
    return None


# ------------------------------------------------------------------------------------------- base and concession


@dataclass(frozen=True, slots=True)
class _OpenLine:
    """An amount before caps and rounding. `full` is what it would be without the concession."""

    ride: int
    network: str
    full: Fraction
    amount: Fraction
    steps: tuple[Step, ...]
    concession: Concession | None


def _quoted(
    rides: Sequence[Ride], paying: Sequence[int], tariff: TariffVersion, held: frozenset[str], day: date
) -> tuple[_OpenLine, ...] | None:
    """The cheaper of: everybody's fare less the concessions, and the fare of the rider's own categories."""
    engine = tariff.engine
    legs = [_leg(rides[index], engine) for index in paying]
    if any(leg is None for leg in legs):
        return None
    known = [leg for leg in legs if leg is not None]
    first_of = _first_rides(known, paying, engine)
    ways: list[tuple[_OpenLine, ...]] = []
    usual = engine.quote(known, medium=tariff.medium)
    if usual is not None:
        ways.append(_lines(usual, rides, first_of, tariff.terms, held, day))
    own = engine.quote(known, categories=held, medium=tariff.medium) if held else None
    if own is not None:
        ways.append(_lines(own, rides, first_of, tariff.terms, frozenset(), day))
    return min(ways, key=lambda way: sum(line.amount for line in way), default=None)


def _first_rides(legs: Sequence[Leg], paying: Sequence[int], engine: FareEngine) -> list[int]:
    """For each effective leg the index of its first ride."""
    position, firsts = 0, []
    for group in join_groups(legs, engine.tables.join_rules):
        firsts.append(paying[position])
        position += len(group)
    return firsts


def _leg(ride: Ride, engine: FareEngine) -> Leg | None:
    stops = engine.tables.stops
    from_stop, to_stop = stops.get(ride.from_stop), stops.get(ride.to_stop)
    if from_stop is None or to_stop is None:
        return None
    return Leg(frozenset({ride.network}), from_stop, to_stop, ride.began_at, ride.ended_at)


def _lines(
    quote: Quote,
    rides: Sequence[Ride],
    first_of: Sequence[int],
    terms: Terms,
    held: frozenset[str],
    day: date,
) -> tuple[_OpenLine, ...]:
    lines = []
    for charge in quote.charges:
        index = first_of[charge.leg]
        network = rides[index].network
        lines.append(_conceded(index, network, Fraction(charge.amount_cents), _named(charge), terms, held, day))
    return tuple(lines)


def _named(charge: Charge) -> str:
    return f"{charge.file}:{charge.row}, fare_products.txt:{charge.product_row} {charge.product_id}"


def _conceded(
    ride: int, network: str, full: Fraction, rule: str, terms: Terms, held: frozenset[str], day: date
) -> _OpenLine:
    steps = [Step("base", rule, Fraction(0), full)]
    concession = _greatest(terms.concessions, held, network, day) if full > 0 else None
    if concession is None:
        return _OpenLine(ride, network, full, full, tuple(steps), None)
    amount = full * (1 - concession.part)
    steps.append(Step("concession", f"x_concessions.txt:{concession.row} {concession.concession_id}", full, amount))
    return _OpenLine(ride, network, full, amount, tuple(steps), concession)


def _greatest(concessions: Sequence[Concession], held: frozenset[str], network: str, day: date) -> Concession | None:
    holding = [concession for concession in concessions if concession.holds(held, network, day)]
    return max(holding, key=lambda concession: (concession.part, -concession.row), default=None)


def _incomplete_line(index: int, ride: Ride, terms: Terms, held: frozenset[str], day: date) -> FareLine:
    assert ride.rule is not None
    rule = f"x_incomplete.txt:{ride.rule.row} {ride.ending}"
    line = _conceded(index, ride.network, Fraction(ride.rule.maximum_cents), rule, terms, held, day)
    return _rounded(line, line.amount, line.steps)


# ---------------------------------------------------------------------------------------------- caps and rounding


@dataclass(frozen=True, slots=True)
class _Capping:
    terms: Terms
    held: frozenset[str]
    day: date
    spending: _Spending

    def charge(self, lines: Sequence[_OpenLine]) -> list[FareLine]:
        """Each line in order of travel. What reduces a fare also gives room under the caps again."""
        charged: list[FareLine] = []
        for line in lines:
            # A rebate may not make the journey cost less than nothing.
            least = Fraction(-sum(done.amount_cents for done in charged))
            amount, steps = self._capped(line, max(line.amount, least))
            done = _rounded(line, amount, steps)
            for key, _ in self._caps(line.network):
                self.spending.cents[key] = self.spending.cents.get(key, 0) + done.amount_cents
            charged.append(done)
        return charged

    def _capped(self, line: _OpenLine, amount: Fraction) -> tuple[Fraction, tuple[Step, ...]]:
        steps = line.steps
        if amount != line.amount:
            steps = (*steps, Step("not below zero", "", line.amount, amount))
        for key, cap in self._caps(line.network):
            room = Fraction(max(0, cap.amount_cents - self.spending.cents.get(key, 0)))
            if amount > room:
                steps = (*steps, Step("cap", f"x_caps.txt:{cap.row} {cap.cap_id}", amount, room))
                amount = room
        return amount, steps

    def _caps(self, network: str) -> list[tuple[tuple[str, date], Cap]]:
        return [
            ((cap.cap_id, self.terms.period_of(cap.period, self.day)), cap)
            for cap in self.terms.caps
            if cap.holds(self.held, network)
        ]


def _rounded(line: _OpenLine, amount: Fraction, steps: tuple[Step, ...]) -> FareLine:
    whole = (amount + _HALF).__floor__()
    if line.concession is not None and whole > amount:
        whole = amount.__floor__()  # half up would take back a part of what the law gives
    if whole != amount:
        steps = (*steps, Step("rounding", "", amount, Fraction(whole)))
    if line.concession is None:
        return FareLine(line.ride, line.network, whole, steps)
    subsidy = (line.full - line.amount + _HALF).__floor__()
    return FareLine(line.ride, line.network, whole, steps, subsidy, line.concession.paid_by)


def explained(priced: Priced) -> Mapping[UUID, tuple[FareLine, ...]]:
    """The lines of each ride by the id of its first tap."""
    found: dict[UUID, tuple[FareLine, ...]] = {}
    for journey in priced.journeys:
        for index, ride in enumerate(journey.rides):
            found[ride.first_tap.tap_id] = tuple(line for line in journey.lines or () if line.ride == index)
    return found
