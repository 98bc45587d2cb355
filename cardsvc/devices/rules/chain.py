"""Whether a terminal's chain of records holds: what is missing, what came late, what exists twice."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

NO_HASH = bytes(32)
"""What the first record of a terminal names as its previous one."""


class AnomalyKind(StrEnum):
    GAP = "gap"  # records between two that we have never came
    FORK = "fork"  # two records claim one place in the chain: somebody may have copied the terminal's key


Link = tuple[int, UUID, bytes, bytes]
"""A record in its terminal's chain: sequence, record id, hash of the record before, the record's own hash."""

MISSING_OVERDUE = timedelta(hours=24)
"""So long may a terminal be offline between two uploads before people are told that records are missing."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Something wrong in a terminal's chain. A gap lasts from `sequence` to `until`; a fork is at `sequence`."""

    kind: AnomalyKind
    sequence: int
    until: int
    record_id: UUID


class ForkWhy(StrEnum):
    PLACE = "place"  # another record was at its place
    PREVIOUS = "previous"  # the record before it is another one than it names


@dataclass(frozen=True, slots=True)
class Fork:
    """Two records of which a whole chain has one: what came, and what was there. `other_id` is `NOBODY` where only the
    hash is known.
    """

    sequence: int
    why: ForkWhy
    record_id: UUID
    record_hash: bytes
    other_id: UUID
    other_hash: bytes


NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Missing:
    """Sequences that have not come though later ones did; both ends belong to it. `since`: when that was seen."""

    first: int
    last: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a terminal's chain ends: the last record's number and hash (0 and `NO_HASH` before the first)."""

    sequence: int
    record_hash: bytes


@dataclass(frozen=True, slots=True)
class Grown:
    """What became of a chain. `gaps` name the record that showed each; `late` came at or before the chain's end."""

    chain: Chain
    gaps: tuple[Anomaly, ...]
    forks: tuple[Fork, ...]
    late: tuple[Link, ...]


def grow(chain: Chain, links: Sequence[Link]) -> Grown:
    """Where the chain ends after `links`, in any order, all of them new. Those not at its end are for `fill`."""
    gaps: list[Anomaly] = []
    forks: list[Fork] = []
    late: list[Link] = []
    last = NOBODY
    for link in sorted(links, key=lambda link: link[0]):
        sequence, record_id, previous, record_hash = link
        if sequence <= chain.sequence:
            late.append(link)
            continue
        if sequence > chain.sequence + 1:
            gaps.append(Anomaly(AnomalyKind.GAP, chain.sequence + 1, sequence - 1, record_id))
        elif previous != chain.record_hash:
            forks.append(Fork(sequence, ForkWhy.PREVIOUS, record_id, record_hash, last, chain.record_hash))
        chain, last = Chain(sequence, record_hash), record_id
    return Grown(chain, tuple(gaps), tuple(forks), tuple(late))


@dataclass(frozen=True, slots=True)
class Filled:
    """What late records did: `missing` is what is missing still, `filled` those that came into a gap, with the
    time since when they were missed; `forks` are all that is wrong with the others.
    """

    missing: tuple[Missing, ...]
    filled: tuple[tuple[Link, datetime], ...]
    forks: tuple[Fork, ...]


def fill(late: Sequence[Link], missing: Sequence[Missing], placed: Sequence[Link]) -> Filled:
    """Put late records into the gaps. `missing` are the gaps in order, `placed` the records that stand at the same
    places and beside them; the late ones may be among these.

    A record that fits neither a gap nor its neighbours is a fork: so a copied terminal shows, however late it sends.
    """
    left = list(missing)
    by_place: dict[int, list[Link]] = {}
    own = {link[1] for link in late}
    for link in placed:
        if link[1] not in own:
            by_place.setdefault(link[0], []).append(link)
    filled: list[tuple[Link, datetime]] = []
    forks: list[Fork] = []
    for link in late:
        place = bisect_right(left, link[0], key=lambda gap: gap.first) - 1
        if place >= 0 and link[0] <= left[place].last:
            filled.append((link, left[place].since))
            left[place : place + 1] = _without(left[place], link[0])
            forks += _beside(link, by_place)
        else:
            forks += _at_one_place(link, by_place)
        by_place.setdefault(link[0], []).append(link)
    return Filled(tuple(left), tuple(filled), tuple(forks))


def _without(gap: Missing, sequence: int) -> list[Missing]:
    parts = Missing(gap.first, sequence - 1, gap.since), Missing(sequence + 1, gap.last, gap.since)
    return [part for part in parts if part.first <= part.last]


def _at_one_place(link: Link, by_place: Mapping[int, Sequence[Link]]) -> list[Fork]:
    sequence, record_id, _, record_hash = link
    others = by_place.get(sequence) or [(sequence, NOBODY, NO_HASH, NO_HASH)]
    return [Fork(sequence, ForkWhy.PLACE, record_id, record_hash, other[1], other[3]) for other in others]


def _beside(link: Link, by_place: Mapping[int, Sequence[Link]]) -> list[Fork]:
    """A record that fills a gap must follow the one before it, and the one after it must name it."""
    sequence, record_id, previous, record_hash = link
    before, after = by_place.get(sequence - 1, ()), by_place.get(sequence + 1, ())
    found = []
    if before and not any(other[3] == previous for other in before):
        found += [Fork(sequence, ForkWhy.PREVIOUS, record_id, record_hash, o[1], o[3]) for o in before]
    if after and not any(other[2] == record_hash for other in after):
        found += [Fork(o[0], ForkWhy.PREVIOUS, o[1], o[3], record_id, record_hash) for o in after]
    return found
