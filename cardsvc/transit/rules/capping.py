"""What caps leave of a fare, the one rounding at the end, and the floor under what the law gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from cardsvc.transit.rules.conceding import Placed
from cardsvc.transit.rules.tariffs import PARTS, CapKey, FareLine, OpenFare, Step, TariffVersion
from cardsvc.transit.rules.terms import Cap, Concession

_HALF = PARTS // 2

Spent = dict[CapKey, int]
"""Minor units that were charged so far under each cap and period."""


@dataclass(slots=True)
class Spending:
    """`own` is what the rider was charged, `anybodys` what one without rights would have been for the same rides."""

    own: Spent = field(default_factory=dict)
    anybodys: Spent = field(default_factory=dict)


def charge(
    fares: Sequence[Placed], tariff: TariffVersion, held: frozenset[str], day: date, spent: Spent
) -> list[FareLine]:
    """Each fare in order of travel. What reduces a fare also gives room under the caps again."""
    charged: list[FareLine] = []
    so_far = 0
    for ride, fare in fares:
        caps = _caps(tariff, held, fare.network, day)
        amount, steps = _capped(fare, -so_far * PARTS, caps, spent)
        line = rounded(ride, fare, amount, steps)
        for key, _ in caps:
            spent[key] = spent.get(key, 0) + line.amount_cents
        so_far += line.amount_cents
        charged.append(line)
    return charged


def charge_no_less_than_the_law(
    fares: Sequence[Placed],
    anybodys: Sequence[FareLine],
    tariff: TariffVersion,
    held: frozenset[str],
    day: date,
    spent: Spent,
) -> list[FareLine]:
    """As `charge`, and after each line the journey so far costs no more than what the law leaves of `anybodys` lines,
    which are what a rider without rights is charged for it.
    """
    charged: list[FareLine] = []
    so_far = by_law = seen = left = 0  # `by_law` and `left` are about lines with a statutory concession only
    for place, (ride, fare) in enumerate(fares):
        while seen < len(anybodys) and (anybodys[seen].ride <= ride or place == len(fares) - 1):
            law = _law(tariff, held, anybodys[seen].network, day)
            left += anybodys[seen].amount_cents * (PARTS - int(law.part * PARTS)) if law else 0
            seen += 1
        caps, law = _caps(tariff, held, fare.network, day), _law(tariff, held, fare.network, day)
        amount, steps = _capped(fare, -so_far * PARTS, caps, spent)
        usual = anybodys[place].amount_cents if fare.concession is not None else None
        line = rounded(ride, fare, amount, steps, usual)
        most = max(left // PARTS - by_law, -so_far)
        if law is not None and line.amount_cents > most:
            line = _lowered(line, most, law, usual)
        for key, _ in caps:
            spent[key] = spent.get(key, 0) + line.amount_cents
        so_far += line.amount_cents
        by_law += line.amount_cents if law else 0
        charged.append(line)
    return charged


def rounded(
    ride: int, fare: OpenFare, amount: int, steps: tuple[Step, ...], usual_cents: int | None = None
) -> FareLine:
    """To a whole minor unit, half up; but never above what a concession leaves to be paid. `usual_cents` is what a
    rider without rights is charged for the same; without it, the full fare.
    """
    whole, rest = divmod(amount, PARTS)
    if rest:
        if rest >= _HALF and fare.concession is None:  # half up would take back a part of what the law gives
            whole += 1
        steps = (*steps, Step("rounding", "", amount, whole * PARTS))
    if fare.concession is None:
        return FareLine(ride, fare.network, whole, steps)
    usual = fare.full_parts // PARTS if usual_cents is None else usual_cents
    return FareLine(ride, fare.network, whole, steps, max(0, usual - whole), fare.concession.paid_by)


def _lowered(line: FareLine, most: int, law: Concession, usual_cents: int | None) -> FareLine:
    """The line at what the law leaves of it."""
    floor = Step("floor", f"x_concessions.txt:{law.row} {law.concession_id}", line.amount_cents * PARTS, most * PARTS)
    subsidy = 0 if usual_cents is None else max(0, usual_cents - most)
    return line._replace(amount_cents=most, steps=(*line.steps, floor), subsidy_cents=subsidy)


def _capped(
    fare: OpenFare, least: int, caps: Sequence[tuple[CapKey, Cap]], spent: Spent
) -> tuple[int, tuple[Step, ...]]:
    """`least` is below zero by what the journey cost so far: a rebate may not make it cost less than nothing."""
    amount, steps = fare.amount_parts, fare.steps
    if amount < least:
        steps = (*steps, Step("not below zero", "", amount, least))
        amount = least
    for key, cap in caps:
        room = (cap.amount_cents - spent.get(key, 0)) * PARTS
        if amount > room and amount > (room := max(0, room)):
            steps = (*steps, Step("cap", f"x_caps.txt:{cap.row} {cap.cap_id}", amount, room))
            amount = room
    return amount, steps


def _caps(tariff: TariffVersion, held: frozenset[str], network: str, day: date) -> tuple[tuple[CapKey, Cap], ...]:
    asked = (held, network, day)
    found = tariff.remembered.caps.get(asked)
    if found is None:
        terms = tariff.terms
        who = held or tariff.engine.default_held
        found = tuple(
            ((cap.cap_id, terms.period_of(cap.period, day)), cap) for cap in terms.caps if cap.holds(who, network)
        )
        tariff.remembered.make_room()
        tariff.remembered.caps[asked] = found
    return found


def _law(tariff: TariffVersion, held: frozenset[str], network: str, day: date) -> Concession | None:
    """The statutory concession that gives most."""
    asked = (held, network, day)
    known = tariff.remembered.laws
    if asked not in known:
        laws = [law for law in tariff.terms.concessions if law.statutory and law.holds(held, network, day)]
        tariff.remembered.make_room()
        known[asked] = max(laws, key=lambda law: (law.part, -law.row), default=None)
    return known[asked]
