"""What a rider pays, and why: rides in, journeys with every amount explained out. Pure, so that anybody can repeat it.

The order never changes, and each step is written down beside the amount:

1. base: the fare of the tables in force when the journey began, with the transfers that apply (`journeys`);
2. concession: the greatest one that holds for (category, network, fare day), exact, on every amount that is positive;
   a product of the rider's own category counts instead where it is cheaper;
3. cap: what the caps that hold leave of the amount, for each period; incomplete rides neither count nor are capped;
4. rounding: to a whole minor unit, half up, once; but never above what a concession leaves to be paid;
5. floor: of what a rider without rights would have been charged for the same rides, caps and all, a statutory
   concession leaves no more than its part; what is above that is taken off.

The programme that pays a concession owes what a rider without rights would have been charged beyond this one. A ride
that a pass covers costs nothing and is no leg of a journey. A ride by a card that was passed back is another person's:
the full fare, alone, outside rights, passes and caps. An unknown fare is None, and nothing is charged. Each ride and
journey is read and priced by the version in force when it began.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from cardsvc.transit.rules.capping import Spending, charge, charge_no_less_than_the_law, rounded
from cardsvc.transit.rules.conceding import incomplete_fare, open_fares
from cardsvc.transit.rules.rides import Again, Ending, Ride, TapEvent, to_rides
from cardsvc.transit.rules.tariffs import FareLine, Step, TariffVersion, in_force
from cardsvc.transit.rules.terms import Terms

_NONE: frozenset[str] = frozenset()
COVERED: Final = "pass"
COVERED_BY: Final = "pass "
"""How the rule of that step begins; the pass's id follows."""


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
        if not self.categories:
            return _NONE
        return frozenset(held.category for held in self.categories if held.valid_from <= day <= held.valid_to)


class Journey(NamedTuple):  # cheaper to make than a frozen dataclass; one for every ride
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


def price(taps: Iterable[TapEvent], rider: Rider, tariffs: Sequence[TariffVersion], *, now: datetime) -> Priced:
    """Price every journey of one rider. `taps` must reach back to the start of each cap's period, and `tariffs`, in
    order of their moments, to the first tap. The same taps in any order give the same answer.
    """
    only = tariffs[0].terms if len(tariffs) == 1 else None
    rides, again = to_rides(taps, lambda at: only or in_force(tariffs, at).terms, now=now)
    return Priced(price_rides(rides, rider, tariffs), tuple(again))


def price_rides(
    rides: Sequence[Ride], rider: Rider, tariffs: Sequence[TariffVersion], past: "Past | None" = None
) -> tuple[Journey, ...]:
    """The journeys of rides that are known, in order of their beginning. `past` is what the journeys before them left,
    and afterwards what these leave.
    """
    past = past or Past.of(rider)
    only = tariffs[0] if len(tariffs) == 1 else None
    return tuple(
        [
            _price_journey(group, only or in_force(tariffs, group[0].began_at), rider, past)
            for group in _grouped(rides, tariffs)
        ]
    )


def _grouped(rides: Sequence[Ride], tariffs: Sequence[TariffVersion]) -> list[list[Ride]]:
    """Rides with no more than the gap between one's end and the next one's start. An incomplete ride stands alone."""
    groups: list[list[Ride]] = []
    may_go_on = False
    gap = tariffs[0].terms.journey_gap if len(tariffs) == 1 else None
    for ride in rides:
        leg = _is_leg(ride)
        if may_go_on and leg and ride.began_at - groups[-1][-1].ended_at <= (gap or _gap(tariffs, groups[-1])):
            groups[-1].append(ride)
        else:
            groups.append([ride])
        may_go_on = leg
    return groups


def _gap(tariffs: Sequence[TariffVersion], journey: Sequence[Ride]) -> timedelta:
    return in_force(tariffs, journey[0].began_at).terms.journey_gap


def _is_leg(ride: Ride) -> bool:
    ending = ride.ending  # by identity: an enum's own comparison costs more than the rest
    if ending is Ending.FLAT:
        return not ride.passed_back
    return ending is Ending.TAPPED or ending is Ending.COMPLETED


@dataclass(slots=True)
class Past:
    """What a rider's journeys leave to the next one: what was spent under caps, and the rides left on each pass."""

    spending: Spending
    rides_left: dict[UUID, int | None]

    @classmethod
    def of(cls, rider: Rider) -> "Past":
        """Before the first journey."""
        return cls(Spending(), {held.holding_id: held.rides for held in rider.passes})

    def copy(self) -> "Past":
        return Past(Spending(dict(self.spending.own), dict(self.spending.anybodys)), dict(self.rides_left))


def _price_journey(rides: Sequence[Ride], tariff: TariffVersion, rider: Rider, past: Past) -> Journey:
    day = tariff.terms.fare_day(rides[0].began_at)
    held = rider.categories_on(day) if rider.categories else _NONE
    lines: list[FareLine] = []
    paying: list[int] = []
    for index, ride in enumerate(rides):
        ending = ride.ending
        if ending is Ending.FLAT or ending is Ending.TAPPED or ending is Ending.COMPLETED:
            covered = _covering(ride, rider, tariff.terms, past) if rider.passes else None
            if covered is None:
                paying.append(index)
            else:
                paid = Step(COVERED, f"{COVERED_BY}{covered.pass_id}", 0, 0)
                lines.append(FareLine(index, ride.network, 0, (paid,)))
        elif ending is Ending.NO_EXIT or ending is Ending.NO_ENTRY:
            fare = incomplete_fare(ride, tariff.terms, held, day)
            lines.append(rounded(index, fare, fare.amount_parts, fare.steps))
    if paying:
        charged = _charged(rides, paying, tariff, rider, held, day, past.spending)
        if charged is None:
            return Journey(tuple(rides), tariff.version, None)
        lines += charged
    if len(lines) > 1:
        lines.sort(key=_ride_of)
    return Journey(tuple(rides), tariff.version, tuple(lines))


def _ride_of(line: FareLine) -> int:
    return line.ride


def _charged(
    rides: Sequence[Ride],
    paying: Sequence[int],
    tariff: TariffVersion,
    rider: Rider,
    held: frozenset[str],
    day: date,
    spending: Spending,
) -> list[FareLine] | None:
    """The lines of those of a journey's rides that pay; None where the tables do not know one of them."""
    if rides[0].passed_back:
        alone = open_fares(rides, paying, tariff, _NONE, day)
        return None if alone is None else [rounded(ride, fare, fare.amount_parts, fare.steps) for ride, fare in alone]
    fares = open_fares(rides, paying, tariff, held, day)
    if fares is None or not rider.categories:
        return None if fares is None else charge(fares, tariff, held, day, spending.own)
    usual = open_fares(rides, paying, tariff, _NONE, day) if held else fares
    anybodys = None if usual is None else charge(usual, tariff, _NONE, day, spending.anybodys)
    if not held or usual is None or anybodys is None:
        return charge(fares, tariff, held, day, spending.own)
    return charge_no_less_than_the_law(fares, anybodys, tariff, held, day, spending.own)


def _covering(ride: Ride, rider: Rider, terms: Terms, past: Past) -> HeldPass | None:
    """The pass that pays the ride: of several the one that ends first. It is used up by one ride."""
    if not _is_leg(ride):
        return None
    for held in sorted(rider.passes, key=lambda held: (held.valid_to, held.holding_id.bytes)):
        product = terms.passes.get(held.pass_id)
        left = past.rides_left[held.holding_id]
        if product is None or not product.networks & {"", ride.network} or left == 0:
            continue
        if held.valid_from <= ride.began_at < held.valid_to:
            past.rides_left[held.holding_id] = None if left is None else left - 1
            return held
    return None


def explained(priced: Priced) -> Mapping[UUID, tuple[FareLine, ...]]:
    """The lines of each ride by the id of its first tap."""
    found: dict[UUID, tuple[FareLine, ...]] = {}
    for journey in priced.journeys:
        for index, ride in enumerate(journey.rides):
            found[ride.first_tap.tap_id] = tuple(line for line in journey.lines or () if line.ride == index)
    return found
