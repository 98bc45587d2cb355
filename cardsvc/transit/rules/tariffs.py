"""One version of everything that makes a fare, and what pricing by it has looked up already."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from typing import Any, Final, NamedTuple

from cardsvc.transit.rules.journeys import FareEngine
from cardsvc.transit.rules.terms import Cap, Concession, Terms

PARTS: Final = 10_000
"""Of a minor unit. Amounts are whole parts until they are rounded: a percentage with two decimals is exact in them."""
_REMEMBERED_MAX: Final = 50_000
_PASTS_MAX: Final = 50_000  # of about a kilobyte each


class Step(NamedTuple):  # a tuple, as is all that is made for every ride: cheaper to make, compare and look up
    """What one rule made of an amount. `rule` names it: file and row, or the pass."""

    name: str
    rule: str
    before_parts: int
    after_parts: int

    @property
    def before(self) -> Fraction:
        """Exact minor units."""
        return Fraction(self.before_parts, PARTS)

    @property
    def after(self) -> Fraction:
        """Exact minor units."""
        return Fraction(self.after_parts, PARTS)


class OpenFare(NamedTuple):
    """An amount before caps and rounding, in parts. `full_parts` is what it would be without the concession."""

    network: str
    full_parts: int
    amount_parts: int
    steps: tuple[Step, ...]
    concession: Concession | None


CapKey = tuple[str, date]
"""A cap, and the first day of the period that it counts."""


@dataclass(slots=True)
class Remembered:
    """Answers that only depend on the tariff, by question. It forgets all when it is full."""

    fares: dict[tuple[Any, ...], tuple[tuple[int, OpenFare], ...] | None] = field(default_factory=dict)
    caps: dict[tuple[frozenset[str], str, date], tuple[tuple[CapKey, Cap], ...]] = field(default_factory=dict)
    laws: dict[tuple[frozenset[str], str, date], Concession | None] = field(default_factory=dict)
    pasts: dict[tuple[Any, ...], Any] = field(default_factory=dict)  # what `resuming` keeps of riders

    def make_room(self) -> None:
        for answers in (self.fares, self.caps, self.laws):
            if len(answers) >= _REMEMBERED_MAX:
                answers.clear()
        if len(self.pasts) >= _PASTS_MAX:
            self.pasts.clear()


@dataclass(frozen=True, slots=True)
class TariffVersion:
    """In force from a moment until the next version is."""

    version: int
    valid_from: datetime
    engine: FareEngine
    terms: Terms
    medium: str = ""
    remembered: Remembered = field(default_factory=Remembered, compare=False, repr=False)


def in_force(tariffs: Sequence[TariffVersion], at: datetime) -> TariffVersion:
    """The version of that moment; `tariffs` stand in order of theirs. Before all of them, the first."""
    if len(tariffs) == 1 or tariffs[-1].valid_from <= at:
        return tariffs[-1]
    return next((tariff for tariff in reversed(tariffs) if tariff.valid_from <= at), tariffs[0])


class FareLine(NamedTuple):
    """One amount to charge for one ride. `subsidy_cents` is what the programme `paid_by` owes the operator for it."""

    ride: int
    network: str
    amount_cents: int
    steps: tuple[Step, ...]
    subsidy_cents: int = 0
    paid_by: str = ""
