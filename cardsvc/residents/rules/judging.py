"""How often the comparison is right, on entries of which the truth is known."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from cardsvc.residents.rules.blocking import BLOCK_MAX, keys
from cardsvc.residents.rules.matching import Comparison, Facts, Verdict, compare, verdict
from cardsvc.settings import DedupeSettings


@dataclass(frozen=True, slots=True)
class TrueEntry:
    """An entry, and whose it truly is."""

    person: str
    facts: Facts


@dataclass(frozen=True, slots=True)
class Line:
    """One rule (a score, or a verdict): the share of its pairs that are true, the share of true pairs that it finds.

    Shares are between 0 and 1.
    """

    name: str
    precision: float
    recall: float
    false_pairs: int
    missed: int


@dataclass(frozen=True, slots=True)
class Judged:
    """`reached` true pairs share a key and were compared; the others no threshold can find."""

    entries: int
    true_pairs: int
    compared: int
    reached: int
    same_from: int
    look_from: int
    lines: tuple[Line, ...]


def judge(entries: Sequence[TrueEntry], settings: DedupeSettings, thresholds: Iterable[int]) -> Judged:
    """Compare as an import does, and count: at each threshold, and for the verdicts with the rules that guard them."""
    compared = [
        (compare(entries[one].facts, entries[other].facts), entries[one].person == entries[other].person)
        for one, other in _candidates(entries)
    ]
    total = sum(count * (count - 1) // 2 for count in Counter(entry.person for entry in entries).values())

    def line(name: str, taken: Callable[[Comparison], bool]) -> Line:
        right = [true for found, true in compared if taken(found)]
        return Line(
            name,
            precision=sum(right) / len(right) if right else 1.0,
            recall=sum(right) / total if total else 1.0,
            false_pairs=len(right) - sum(right),
            missed=total - sum(right),
        )

    lines = [line(str(least), _from(least)) for least in thresholds]
    lines.append(line("same", lambda found: verdict(found, settings) is Verdict.SAME))
    lines.append(line("same+look", lambda found: verdict(found, settings) is not Verdict.DIFFERENT))
    reached = sum(true for _, true in compared)
    return Judged(len(entries), total, len(compared), reached, settings.same_from, settings.look_from, tuple(lines))


def _from(least: int) -> Callable[[Comparison], bool]:
    return lambda found: found.score >= least


def _candidates(entries: Sequence[TrueEntry]) -> set[tuple[int, int]]:
    blocks: dict[int, list[int]] = {}
    for place, entry in enumerate(entries):
        for key in keys(entry.facts):
            blocks.setdefault(key, []).append(place)
    return {pair for places in blocks.values() if len(places) <= BLOCK_MAX for pair in combinations(places, 2)}
