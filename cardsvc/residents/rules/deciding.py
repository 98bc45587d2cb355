"""What becomes of an entry that is like others: known already, merged, looked at, or a new resident."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from cardsvc.residents.rules.matching import Agreement, Comparison, Facts, Verdict, compare, plainly_two, verdict
from cardsvc.settings import DedupeSettings

LOOKS_MAX: Final = 5
"""The likeliest are looked at; a sixth would only tire whoever looks."""


class Outcome(StrEnum):
    """What became of a line of a file."""

    REGISTERED = "registered"
    KNOWN = "known"
    MERGED = "merged"
    REVIEW = "review"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Somebody the entry is like, how much and why."""

    resident_id: UUID
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Decision:
    """`same` is whom the entry is taken for (KNOWN, MERGED), `looks` are those a person compares it with (REVIEW)."""

    outcome: Outcome
    same: Likeness | None = None
    looks: tuple[Likeness, ...] = ()

    @property
    def makes_an_entry(self) -> bool:
        return self.outcome is not Outcome.KNOWN


def decide(facts: Facts, others: Iterable[tuple[UUID, Facts]], thresholds: DedupeSettings) -> Decision:
    """What the comparison with `others` says. KNOWN is who is there already and of whom the entry says nothing new."""
    same: list[Likeness] = []
    looks: list[Likeness] = []
    for resident_id, other in others:
        if plainly_two(facts, other):
            continue
        found = compare(facts, other)
        said = verdict(found, thresholds)
        if said is not Verdict.DIFFERENT:
            (same if said is Verdict.SAME else looks).append(Likeness(resident_id, found))
    if same:
        best = max(same, key=_rank)
        return Decision(Outcome.KNOWN if _says_nothing_new(facts, best.comparison) else Outcome.MERGED, same=best)
    if looks:
        return Decision(Outcome.REVIEW, looks=tuple(sorted(looks, key=_rank, reverse=True)[:LOOKS_MAX]))
    return Decision(Outcome.REGISTERED)


def _says_nothing_new(facts: Facts, comparison: Comparison) -> bool:
    """Whether the names and the birth date are as they stand there already."""
    told = ("family_name", "given_name", "birth_date", *(("middle_name",) if facts.middle_name else ()))
    return all(comparison.agreement(field) is Agreement.EQUAL for field in told)


def _rank(likeness: Likeness) -> tuple[int, int]:
    """The best score; of equals the one who was there first, so that every run decides alike."""
    return (likeness.comparison.score, -likeness.resident_id.int)
