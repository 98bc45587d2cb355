"""New entries are compared with the register, and with those that came just before them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cardsvc.residents.actions.writing import Entry, insert_entries, insert_keys
from cardsvc.residents.models import ResidentPairRow
from cardsvc.residents.queries import facts_of_many, sharing, survivors, without_keys, write_why
from cardsvc.residents.rules import BLOCK_MAX, Comparison, Decision, Facts, Likeness, PairState, decide, keys
from cardsvc.settings import DedupeSettings

_CHUNK: Final = 2000
CONFIRMED: Final = "confirmed at registration: two people"


@dataclass(frozen=True, slots=True)
class Pool:
    """Entries of this run that the register does not hold yet, found by the same keys."""

    _by_key: dict[int, list[UUID]] = field(default_factory=dict)
    _facts: dict[UUID, Facts] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        self._facts[entry.id] = entry.facts
        for key in entry.keys:
            self._by_key.setdefault(key, []).append(entry.id)

    def near(self, found_by: Iterable[int]) -> dict[UUID, Facts]:
        """Who shares a key with somebody; a key that too many share is not followed."""
        followed = (self._by_key.get(key, ()) for key in found_by)
        return {one: self._facts[one] for ids in followed if len(ids) <= BLOCK_MAX for one in ids}


@dataclass(frozen=True, slots=True)
class NewPair:
    """Two entries that somebody must look at."""

    one: UUID
    other: UUID
    comparison: Comparison


def decide_entries(
    session: Session, entries: Sequence[Entry], pool: Pool, thresholds: DedupeSettings
) -> Iterator[tuple[Entry, Decision]]:
    """What becomes of each, in order. An entry that becomes a row of its own joins the pool."""
    there = sharing(session, (key for entry in entries for key in entry.keys))
    facts = facts_of_many(session, sorted({one for ids in there.values() for one in ids}))
    for entry in entries:
        near = {one: facts[one] for key in entry.keys for one in there.get(key, ())} | pool.near(entry.keys)
        decision = decide(entry.facts, near.items(), thresholds)
        if decision.makes_an_entry:
            pool.add(entry)
        yield entry, decision


def index_register(session: Session, limit: int = _CHUNK) -> int:
    """Let residents of before entries were compared be found; how many of them were done now."""
    missing = without_keys(session, limit)
    facts = facts_of_many(session, missing)
    insert_keys(session, [(resident_id, keys(facts[resident_id])) for resident_id in missing])
    return len(missing)


def note_likenesses(
    session: Session, entry: Entry, thresholds: DedupeSettings | None, *, by: UUID, now: datetime, distinct: bool
) -> None:
    """Write one entry down. A clerk has the person in front of them, so nobody is merged here: pairs wait instead."""
    ((_, decision),) = decide_entries(session, [entry], Pool(), thresholds or DedupeSettings())
    insert_entries(session, [entry], by=by, now=now)
    likenesses = [*decision.looks, *([decision.same] if decision.same else [])]
    pairs = pairs_of(session, entry.id, likenesses)
    insert_pairs(session, pairs, now=now, decided_by=by if distinct else None)


def pairs_of(session: Session, resident_id: UUID, likenesses: Sequence[Likeness]) -> list[NewPair]:
    """The pairs of one entry with those it is like; with the person, where that is a merged entry."""
    people = survivors(session, [likeness.resident_id for likeness in likenesses])
    best: dict[UUID, NewPair] = {}
    for likeness in likenesses:
        other = people[likeness.resident_id]
        if other not in best or best[other].comparison.score < likeness.comparison.score:
            best[other] = NewPair(resident_id, other, likeness.comparison)
    return list(best.values())


def insert_pairs(
    session: Session,
    pairs: Sequence[NewPair],
    *,
    now: datetime,
    import_id: UUID | None = None,
    decided_by: UUID | None = None,
) -> None:
    """Let the pairs wait for a decision, or note that they were found to be two people at once."""
    if not pairs:
        return
    state = PairState.OPEN if decided_by is None else PairState.DISTINCT
    rows = [
        {
            "first_id": min(pair.one, pair.other),
            "second_id": max(pair.one, pair.other),
            "score": pair.comparison.score,
            "why": write_why(pair.comparison),
            "state": state.value,
            "found_at": now,
            "import_id": import_id,
            "decided_at": None if decided_by is None else now,
            "decided_by": decided_by,
            "reason": None if decided_by is None else CONFIRMED,
        }
        for pair in pairs
    ]
    session.execute(insert(ResidentPairRow), rows)
