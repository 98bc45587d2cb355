"""What a tap changes: the rides of a rider as they stand with it, less what was charged for them before.

Pure. The state of a rider is a function of the set of their taps, so the order in which taps arrive cannot matter: the
differences always add up to it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from cardsvc.transit.rules import explaining
from cardsvc.transit.rules.fares import concession_account, revenue_account
from cardsvc.transit.rules.pricing import Journey
from cardsvc.transit.rules.rides import Ride
from cardsvc.transit.rules.tariffs import TariffVersion, in_force
from cardsvc.transit.rules.terms import Period

SLACK: Final = timedelta(days=1)
"""Longer than any ride or journey: what a tap can change about rides that began before it."""
_WIDEST: Final = (Period.MONTH, Period.WEEK, Period.DAY)


class Charged(NamedTuple):
    """What was charged for a ride, or a change of it: from the rider, and from the programme `paid_by`."""

    ride_id: UUID
    fare_day: date
    network: str
    agency: str
    paid_by: str
    fare_cents: int
    subsidy_cents: int


def by_ride(charged: Iterable[Charged]) -> dict[int, list[Charged]]:
    """By the rides' numbers, because a UUID's own hash is made in Python."""
    found: dict[int, list[Charged]] = {}
    for one in charged:
        found.setdefault(one.ride_id.int, []).append(one)
    return found


class Change(NamedTuple):
    """What an entry changes about a ride, and why it costs what it costs now."""

    charged: Charged
    explanation: str


@dataclass(frozen=True, slots=True)
class Window:
    """`since` is the first fare day whose rides may change, `reads_from` the moment from which taps must be known.
    `period` is when the widest cap that counts that day began: what rides cost from then on depends on each other.
    """

    since: date
    period: date
    reads_from: datetime

    def of_the_period(self) -> "Window":
        """The same where more changed than a tap came: a right that was given for days that are over, say."""
        return Window(self.period, self.period, self.reads_from)


class Windows:
    """What taps can change under these tariffs, by the fare day on which that begins."""

    def __init__(self, tariffs: Sequence[TariffVersion]) -> None:
        self._tariffs = tariffs
        used = {cap.period for tariff in tariffs for cap in tariff.terms.caps}
        self._widest = next((period for period in _WIDEST if period in used), Period.DAY)
        self._found: dict[tuple[date, int], Window] = {}

    def of(self, at: datetime) -> Window:
        """What a tap at that moment can change: the ride that it belongs to, and what was ridden since."""
        tariff = in_force(self._tariffs, at - SLACK)
        since = tariff.terms.fare_day(at - SLACK)
        found = self._found.get((since, tariff.version))
        if found is None:
            period = tariff.terms.period_of(self._widest, since)
            found = Window(since, period, tariff.terms.day_begins(period) - SLACK)
            self._found[since, tariff.version] = found
        return found


class Standing(NamedTuple):
    """A ride as it stands: `known` is False where the tables do not know the fare of its journey."""

    charged: Charged
    journey: Journey
    place: int
    known: bool

    @property
    def ride(self) -> Ride:
        return self.journey.rides[self.place]

    def has(self, tap_id: UUID) -> bool:
        number, ride = tap_id.int, self.journey.rides[self.place]  # a UUID's own comparison is made in Python
        return any(tap is not None and tap.tap_id.int == number for tap in (ride.start, ride.end))

    def explanation(self) -> str:
        return explaining.explain(self.journey, self.place)


def standing(
    journeys: Iterable[Journey],
    tariffs: Sequence[TariffVersion],
    agencies: Mapping[int, Mapping[str, str]],
    since: date,
) -> list[Standing]:
    """The rides of the fare days from `since` on. Their journeys were priced as if nobody waited for a missing exit:
    until it comes, the maximum fare is what is held. `agencies` says for each version who runs a network.
    """
    found: list[Standing] = []
    for journey in journeys:
        began = journey.rides[0].began_at
        day = in_force(tariffs, began).terms.fare_day(began)
        if day >= since:
            agency_of = agencies[journey.tariff_version]
            found += (_standing(journey, index, day, agency_of) for index in range(len(journey.rides)))
    return found


def _standing(journey: Journey, index: int, day: date, agency_of: Mapping[str, str]) -> Standing:
    ride, fare, subsidy = journey.rides[index], 0, 0
    lines = [line for line in journey.lines or () if line.ride == index]
    for line in lines:
        fare, subsidy = fare + line.amount_cents, subsidy + line.subsidy_cents
    agency = agency_of.get(ride.network, "")
    charged = Charged(ride.first_tap.tap_id, day, ride.network, agency, explaining.payer(lines), fare, subsidy)
    return Standing(charged, journey, index, journey.lines is not None)


class Refunded(NamedTuple):
    """What was given back of a ride on a claim: to the rider, and to the programme."""

    fare_cents: int
    subsidy_cents: int


def changes(
    now: Sequence[Standing],
    before: Mapping[int, Sequence[Charged]],
    tap_id: UUID,
    refunded: Mapping[UUID, Refunded] = MappingProxyType({}),
) -> list[Change]:
    """What to charge so that all that was charged, which is given by the rides' numbers, comes to what the rides cost
    now. A ride of the tap itself is always named; one whose fare is unknown stays as it was charged. What a claim gave
    back is not given back again when the ride turns out cheaper: of a ride that costs less now, no more goes back than
    was paid above it.
    """
    gone = dict(before)
    found: list[Change] = []
    for ride in now:
        old = gone.pop(ride.charged.ride_id.int, ())
        as_before = len(old) == 1 and old[0] == ride.charged  # as nearly all are; the sums would come to nothing
        moved = [] if as_before or not ride.known else _moved(ride.charged, old)
        if moved and refunded and ride.charged.ride_id in refunded:
            moved = _beside_refund(moved, old, refunded[ride.charged.ride_id])
        if moved or (ride.known and ride.has(tap_id)):
            told = ride.explanation()
            found += [Change(one, told) for one in moved or [_nothing(ride.charged)]]
    for old in gone.values():
        moved = _moved(None, old)
        if old[0].ride_id in refunded:
            moved = _beside_refund(moved, old, refunded[old[0].ride_id])
        found += [Change(one, explaining.explain_gone()) for one in moved]
    return found


def _beside_refund(moved: Sequence[Charged], before: Sequence[Charged], refunded: Refunded) -> list[Charged]:
    """The differences without what the refund gave back already, where the ride costs less than it was charged."""
    fare = _given_twice(
        sum(one.fare_cents for one in moved), sum(one.fare_cents for one in before), refunded.fare_cents
    )
    subsidy = _given_twice(
        sum(one.subsidy_cents for one in moved), sum(one.subsidy_cents for one in before), refunded.subsidy_cents
    )
    kept: list[Charged] = []
    for one in moved:
        less, too = min(fare, max(0, -one.fare_cents)), min(subsidy, max(0, -one.subsidy_cents))
        fare, subsidy = fare - less, subsidy - too
        kept.append(one._replace(fare_cents=one.fare_cents + less, subsidy_cents=one.subsidy_cents + too))
    return [one for one in kept if one.fare_cents or one.subsidy_cents]


def _given_twice(moved_cents: int, charged_cents: int, refunded_cents: int) -> int:
    """How much of what would go back the refund gave back before: it may leave what is paid at what the ride costs."""
    if moved_cents >= 0:
        return 0
    costs_now, paid = charged_cents + moved_cents, charged_cents - refunded_cents
    return min(0, costs_now - paid) - moved_cents


def _moved(now: Charged | None, before: Sequence[Charged]) -> list[Charged]:
    """The differences, where they are not zero: fares by day and operator, subsidies by payer as well."""
    if now is not None and not before:  # as with nearly every tap
        return [now] if now.fare_cents or now.subsidy_cents else []
    fares: dict[tuple[UUID, date, str, str], int] = defaultdict(int)
    subsidies: dict[tuple[UUID, date, str, str, str], int] = defaultdict(int)
    for sign, rows in ((1, [] if now is None else [now]), (-1, before)):
        for row in rows:
            key = row[:4]
            fares[key] += sign * row.fare_cents
            subsidies[(*key, row.paid_by)] += sign * row.subsidy_cents
    moved: list[Charged] = []
    for (ride_id, day, network, agency, payer), subsidy in subsidies.items():
        place = ride_id, day, network, agency
        fare = fares.pop(place, 0)
        if fare or subsidy:
            moved.append(Charged(*place, payer, fare, subsidy))
    return moved


def _nothing(charged: Charged) -> Charged:
    return charged._replace(fare_cents=0, subsidy_cents=0)


def to_operators(changed: Iterable[Change]) -> dict[str, int]:
    """What the changes move on the accounts of operators and programmes, debit positive."""
    moved: dict[str, int] = defaultdict(int)
    for one, _ in changed:
        moved[revenue_account(one.agency)] -= one.fare_cents + one.subsidy_cents
        if one.subsidy_cents:
            moved[concession_account(one.paid_by)] += one.subsidy_cents
    return {code: cents for code, cents in moved.items() if cents}


@dataclass(slots=True)
class Pockets:
    """What is in the accounts that a rider pays from, what rides took from each, and the debt. Kept so that of several
    taps in one batch the later knows what the earlier took.
    """

    owed: str
    balances: dict[str, int]
    taken: dict[str, int]
    owed_cents: int

    def pay(self, cents: int, sources: Sequence[str]) -> None:
        """As the ledger draws it: from each what is there, the rest as a debt."""
        for code in sources:
            drawn = min(max(self.balances.get(code, 0), 0), cents)
            self._move(code, drawn)
            cents -= drawn
        self.owed_cents += cents

    def give_back(self, cents: int, sources: Sequence[str]) -> dict[str, int]:
        """Where it goes: the debt first, then to where rides took it from, the last source first; the rest to the main
        account, which is the last source.
        """
        repaid = min(max(self.owed_cents, 0), cents)
        self.owed_cents -= repaid
        rest = cents - repaid
        back = dict.fromkeys(sources, 0)
        for code in reversed(sources):
            part = min(max(self.taken.get(code, 0), 0), rest)
            back[code] = part
            rest -= part
        back[sources[-1]] += rest
        for code, part in back.items():
            self._move(code, -part)
        return {code: part for code, part in {self.owed: repaid, **back}.items() if part}

    def _move(self, code: str, cents: int) -> None:
        self.balances[code] = self.balances.get(code, 0) - cents
        self.taken[code] = self.taken.get(code, 0) + cents
