"""What caps leave of a fare, and the one rounding at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from cardsvc.transit.rules.conceding import Placed
from cardsvc.transit.rules.tariffs import PARTS, CapKey, FareLine, OpenFare, Step, TariffVersion
from cardsvc.transit.rules.terms import Cap

_HALF = PARTS // 2


@dataclass(slots=True)
class Spending:
    """What was charged so far under each cap and period."""

    cents: dict[CapKey, int] = field(default_factory=dict)


def charge(
    fares: Sequence[Placed], tariff: TariffVersion, held: frozenset[str], day: date, spending: Spending
) -> list[FareLine]:
    """Each fare in order of travel. What reduces a fare also gives room under the caps again."""
    charged: list[FareLine] = []
    so_far = 0
    for ride, fare in fares:
        caps = _caps(tariff, held, fare.network, day)
        amount, steps = _capped(fare, -so_far * PARTS, caps, spending)
        line = rounded(ride, fare, amount, steps)
        for key, _ in caps:
            spending.cents[key] = spending.cents.get(key, 0) + line.amount_cents
        so_far += line.amount_cents
        charged.append(line)
    return charged


def rounded(ride: int, fare: OpenFare, amount: int, steps: tuple[Step, ...]) -> FareLine:
    """To a whole minor unit, half up; but never above what a concession leaves to be paid."""
    whole, rest = divmod(amount, PARTS)
    if rest:
        if rest >= _HALF and fare.concession is None:  # half up would take back a part of what the law gives
            whole += 1
        steps = (*steps, Step("rounding", "", amount, whole * PARTS))
    if fare.concession is None:
        return FareLine(ride, fare.network, whole, steps)
    subsidy = (fare.full_parts - fare.amount_parts + _HALF) // PARTS
    return FareLine(ride, fare.network, whole, steps, subsidy, fare.concession.paid_by)


def _capped(
    fare: OpenFare, least: int, caps: Sequence[tuple[CapKey, Cap]], spending: Spending
) -> tuple[int, tuple[Step, ...]]:
    """`least` is below zero by what the journey cost so far: a rebate may not make it cost less than nothing."""
    amount, steps = fare.amount_parts, fare.steps
    if amount < least:
        steps = (*steps, Step("not below zero", "", amount, least))
        amount = least
    for key, cap in caps:
        room = max(0, cap.amount_cents - spending.cents.get(key, 0)) * PARTS
        if amount > room:
            steps = (*steps, Step("cap", f"x_caps.txt:{cap.row} {cap.cap_id}", amount, room))
            amount = room
    return amount, steps


def _caps(tariff: TariffVersion, held: frozenset[str], network: str, day: date) -> tuple[tuple[CapKey, Cap], ...]:
    asked = (held, network, day)
    found = tariff.remembered.caps.get(asked)
    if found is None:
        terms = tariff.terms
        found = tuple(
            ((cap.cap_id, terms.period_of(cap.period, day)), cap) for cap in terms.caps if cap.holds(held, network)
        )
        tariff.remembered.make_room()
        tariff.remembered.caps[asked] = found
    return found
