"""What a journey costs by the fare tables, and why (GTFS reference, fare_transfer_rules).

Decided here, where the reference is silent, and told to whoever asks:

- a duration equal to its limit is within it;
- a leg whose rule has no leg group takes part in no transfer;
- with several rules or products to choose from, the cheapest total of the journey counts;
- a rule whose product the rider cannot have (category, medium) does not apply;
- after type 2, a further type 2 adds its product to the total so far;
- a rider of several categories may use each product in whichever category is cheapest.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Final

from cardsvc.transit.rules.legs import Leg, LegMatcher, joined
from cardsvc.transit.rules.tables import FareTables, LegRule, LimitType, Product, TransferRule, TransferType

_UNLIMITED: Final = 2**31
_EVENTS: Final = {  # 0 is a departure, 1 an arrival: of the first leg, of the last
    LimitType.DEPARTURE_TO_ARRIVAL: (0, 1),
    LimitType.DEPARTURE_TO_DEPARTURE: (0, 0),
    LimitType.ARRIVAL_TO_DEPARTURE: (1, 0),
    LimitType.ARRIVAL_TO_ARRIVAL: (1, 1),
}


@dataclass(frozen=True, slots=True)
class Charge:
    """One product that the journey needs. `file` and `row` name the rule, `product_row` the row of fare_products.

    `leg` counts effective legs from 0: the leg itself, or the one that a transfer leads to.
    """

    leg: int
    file: str
    row: int
    product_id: str
    product_row: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Quote:
    """The total in the tables' currency, and the charges that add up to it, in order of travel."""

    total_cents: int
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True)
class _Chain:
    """Consecutive transfers by rules of one pair of groups: how many, and the leg from which their limit runs."""

    pair: tuple[str, str]
    transfers: int
    first: int


@dataclass(frozen=True, slots=True)
class _Standing:
    """A way to have come this far. `settled` belongs to legs before the present sub-journey, `charges` to that."""

    rule: LegRule
    chain: _Chain | None
    settled: tuple[Charge, ...]
    charges: tuple[Charge, ...]

    @property
    def total(self) -> int:
        return sum(charge.amount_cents for charge in self.settled) + sum(c.amount_cents for c in self.charges)


class FareEngine:
    """Prices journeys by one version of the fare tables. Holds no state but what it has looked up.

    `default_held` are the categories of a rider who has none.
    """

    def __init__(self, tables: FareTables) -> None:
        self.tables = tables
        self.default_held = frozenset((tables.default_category,))
        self._matcher = LegMatcher(tables)
        self._listed_from = frozenset(rule.from_group for rule in tables.transfer_rules if rule.from_group)
        self._listed_to = frozenset(rule.to_group for rule in tables.transfer_rules if rule.to_group)
        self._limits = _limits(tables.transfer_rules)
        self._transfers: dict[tuple[str, str], tuple[TransferRule, ...]] = {}
        self._products: dict[tuple[str, frozenset[str], str], Product | None] = {}

    def quote(self, legs: Sequence[Leg], *, categories: frozenset[str] = frozenset(), medium: str = "") -> Quote | None:
        """The cheapest fare of the journey; None when the tables do not know it: never a guess, never zero.

        `categories` are the rider's; without any, the tables' default one. `medium` is what the rider pays with; empty
        where the tables name no media.
        """
        held = categories or self.default_held
        standings: list[_Standing] = []
        effective = joined(legs, self.tables.join_rules)
        for index, leg in enumerate(effective):
            arrived = [
                standing
                for rule, charge in self._fares(leg, index, held, medium)
                for standing in self._arrive(standings, effective, index, rule, charge, held, medium)
            ]
            if not arrived:
                return None
            standings = _cheapest(arrived)
        if not standings:
            return None
        best = min(standings, key=lambda standing: standing.total)
        charges = best.settled + best.charges
        return Quote(sum(charge.amount_cents for charge in charges), charges)

    def is_timeless(self, legs: Sequence[Leg]) -> bool:
        """Whether a journey of these legs costs the same at any time, as long as its `marks` are the same."""
        return all(map(self._matcher.is_timeless, legs))

    def marks(self, times: Sequence[tuple[datetime, datetime]]) -> tuple[int, ...]:
        """Given departure and arrival of each leg: which duration limits each two of them exceed."""
        return tuple(
            bisect_left(limits, end[last] - start[first])
            for (first, last), limits in self._limits
            for start, end in combinations(times, 2)
        )

    def _fares(self, leg: Leg, index: int, held: frozenset[str], medium: str) -> Iterator[tuple[LegRule, Charge]]:
        for rule in self._matcher.rules_for(leg):
            product = self._product(rule.product_id, held, medium)
            if product is not None:
                yield rule, _charge(index, "fare_leg_rules.txt", rule.row, product)

    def _arrive(
        self,
        standings: Sequence[_Standing],
        legs: Sequence[Leg],
        index: int,
        rule: LegRule,
        charge: Charge,
        held: frozenset[str],
        medium: str,
    ) -> Iterator[_Standing]:
        """Every way to have travelled this leg under this rule, given the ways to have come to it."""
        if index == 0:
            yield _Standing(rule, None, (), (charge,))
        for standing in standings:
            transfers = self._applicable(standing, legs, index, rule, held, medium)
            for transfer, chain, product in transfers:
                extra = (_charge(index, "fare_transfer_rules.txt", transfer.row, product),) if product else ()
                charges = _after(transfer.kind, standing, extra, charge)
                yield _Standing(rule, chain, standing.settled, charges)
            if not transfers:
                yield _Standing(rule, None, standing.settled + standing.charges, (charge,))

    def _applicable(
        self,
        standing: _Standing,
        legs: Sequence[Leg],
        index: int,
        rule: LegRule,
        held: frozenset[str],
        medium: str,
    ) -> list[tuple[TransferRule, _Chain, Product | None]]:
        """The transfer rules from the leg before to this one that hold; of different counts the smallest that does."""
        holding: list[tuple[TransferRule, _Chain, Product | None]] = []
        for transfer in self._by_groups(standing.rule.group_id, rule.group_id):
            pair = (transfer.from_group, transfer.to_group)
            going_on = standing.chain if standing.chain and standing.chain.pair == pair and pair[0] == pair[1] else None
            chain = _Chain(pair, going_on.transfers + 1, going_on.first) if going_on else _Chain(pair, 1, index - 1)
            if _count(transfer) < chain.transfers:
                continue
            if transfer.limit is not None and _duration_exceeded(transfer, legs[chain.first], legs[index]):
                continue
            product = self._product(transfer.product_id, held, medium) if transfer.product_id else None
            if product is not None or not transfer.product_id:
                holding.append((transfer, chain, product))
        smallest = min((_count(found[0]) for found in holding), default=0)
        return [found for found in holding if _count(found[0]) == smallest]

    def _by_groups(self, from_group: str, to_group: str) -> tuple[TransferRule, ...]:
        if not from_group or not to_group:
            return ()
        key = (from_group, to_group)
        found = self._transfers.get(key)
        if found is None:
            rules = self.tables.transfer_rules
            found = tuple(rule for rule in rules if (rule.from_group, rule.to_group) == key) or tuple(
                rule
                for rule in rules
                if (rule.from_group == from_group or (not rule.from_group and from_group not in self._listed_from))
                and (rule.to_group == to_group or (not rule.to_group and to_group not in self._listed_to))
            )
            self._transfers[key] = found
        return found

    def _product(self, product_id: str, held: frozenset[str], medium: str) -> Product | None:
        """The cheapest row of the product that the rider can have."""
        key = (product_id, held, medium)
        if key not in self._products:
            eligible = [
                product
                for product in self.tables.products.get(product_id, ())
                if (not product.category or product.category in held)
                and (not self.tables.media or not product.medium or product.medium == medium)
            ]
            self._products[key] = min(eligible, key=lambda product: product.amount_cents, default=None)
        return self._products[key]


def _after(kind: TransferType, standing: _Standing, transfer: tuple[Charge, ...], charge: Charge) -> tuple[Charge, ...]:
    """What the sub-journey is charged after this transfer."""
    if kind is TransferType.ALL:
        return (*standing.charges, *transfer, charge)
    # AB stands in the place of A only where A is all there is; in a chain it is added to what came before.
    if kind is TransferType.TRANSFER_ONLY and standing.chain is None:
        return transfer
    return standing.charges + transfer


def _cheapest(standings: Sequence[_Standing]) -> list[_Standing]:
    """One for each state from which the rest of the journey costs the same: the number stays small."""
    best: dict[tuple[int, _Chain | None], _Standing] = {}
    for standing in standings:
        key = (standing.rule.row, standing.chain)
        if key not in best or standing.total < best[key].total:
            best[key] = standing
    return list(best.values())


def _count(rule: TransferRule) -> int:
    return _UNLIMITED if rule.count is None or rule.count < 0 else rule.count


def _limits(rules: Sequence[TransferRule]) -> tuple[tuple[tuple[int, int], tuple[timedelta, ...]], ...]:
    """The limits of each kind in order; of a leg's times, 0 is its departure and 1 its arrival."""
    found: dict[tuple[int, int], set[timedelta]] = {}
    for rule in rules:
        if rule.limit is not None:
            found.setdefault(_EVENTS[rule.limit_type], set()).add(rule.limit)
    return tuple((events, tuple(sorted(limits))) for events, limits in found.items())


def _duration_exceeded(rule: TransferRule, first: Leg, last: Leg) -> bool:
    assert rule.limit is not None
    start, end = _EVENTS[rule.limit_type]
    return (last.departure, last.arrival)[end] - (first.departure, first.arrival)[start] > rule.limit


def _charge(leg: int, file: str, row: int, product: Product) -> Charge:
    return Charge(leg, file, row, product.product_id, product.row, product.amount_cents)
