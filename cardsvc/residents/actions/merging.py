"""Two entries of one person become one, and one becomes two again: nothing is lost either way."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from cardsvc.residents.actions.writing import lock_register
from cardsvc.residents.models import ResidentAliasRow, ResidentMergeRow, ResidentPairRow
from cardsvc.residents.queries import Pair, Resident, entries_of, facts_of_many, find, pair, write_why
from cardsvc.residents.rules import (
    AlreadyMerged,
    NotMerged,
    PairDecided,
    PairState,
    SameEntry,
    check_merge,
    compare,
)

Holdings = Callable[[Session, UUID, datetime], Sequence[str]]
"""What a resident has in the rooms above that a merge would strand ("₱120.00 in the wallet"); app.py says."""


def merge(
    session: Session, kept_id: UUID, merged_id: UUID, *, by: UUID, reason: str, now: datetime, holdings: Holdings
) -> Resident:
    """Make `merged_id` a second entry of `kept_id`. Both numbers go on leading to the person; `part` undoes it.

    Raises: ResidentNotFound; SameEntry; AlreadyMerged where one of them is somebody's second entry already; MergeHolds
    where `merged_id` still has money or a card.
    """
    lock_register(session)
    kept, merged = find(session, kept_id), find(session, merged_id)
    if kept.id == merged.id:
        raise SameEntry
    for one in (kept, merged):
        if one.merged_into is not None:
            raise AlreadyMerged(one.number)
    check_merge((kept.number, holdings(session, kept.id, now)), (merged.number, holdings(session, merged.id, now)))
    facts = facts_of_many(session, [kept.id, merged.id])
    comparison = compare(facts[kept.id], facts[merged.id])
    session.execute(insert(ResidentAliasRow).values(resident_id=merged.id, into_id=kept.id))
    session.execute(
        insert(ResidentMergeRow).values(
            kind="merged",
            resident_id=merged.id,
            into_id=kept.id,
            at=now,
            actor=by,
            reason=reason,
            score=comparison.score,
            why=write_why(comparison),
        )
    )
    _settle_pairs(session, kept.id, by=by, reason=reason, now=now)
    return find(session, kept.id)


def part(session: Session, merged_id: UUID, *, by: UUID, reason: str, now: datetime) -> Resident:
    """Undo the merge of this entry: it is a resident of its own again, with the status it had.

    The pair counts as two people from now on. Raises: ResidentNotFound, NotMerged.
    """
    lock_register(session)
    entry = find(session, merged_id)
    if entry.merged_into is None:
        raise NotMerged(entry.number)
    session.execute(delete(ResidentAliasRow).where(ResidentAliasRow.resident_id == entry.id))
    session.execute(
        insert(ResidentMergeRow).values(
            kind="parted", resident_id=entry.id, into_id=entry.merged_into, at=now, actor=by, reason=reason
        )
    )
    one, other = sorted((entry.id, entry.merged_into))
    together = (ResidentPairRow.first_id == one) & (ResidentPairRow.second_id == other)
    _decide(session, together, PairState.DISTINCT, by=by, reason=reason, now=now)
    return find(session, entry.id)


def decide_pair(
    session: Session,
    pair_id: int,
    *,
    keep: UUID | None,
    by: UUID,
    reason: str,
    now: datetime,
    holdings: Holdings,
) -> Pair:
    """Say that a pair are one person, of whom `keep` is the entry that stays; or, with None, that they are two.

    Raises: PairNotFound, PairDecided, SameEntry where `keep` is neither of them, and what `merge` raises.
    """
    lock_register(session)
    found = pair(session, pair_id)
    if found.state is not PairState.OPEN:
        raise PairDecided(found.state)
    if keep is None:
        _decide(session, ResidentPairRow.id == pair_id, PairState.DISTINCT, by=by, reason=reason, now=now)
        return pair(session, pair_id)
    others = {found.first_id, found.second_id} - {keep}
    if len(others) != 1:
        raise SameEntry
    merge(session, keep, others.pop(), by=by, reason=reason, now=now, holdings=holdings)
    return pair(session, pair_id)


def _settle_pairs(session: Session, kept_id: UUID, *, by: UUID, reason: str, now: datetime) -> None:
    """Whatever pairs waited between entries that are one person now are decided; others point to that person still."""
    entries = entries_of(session, kept_id)
    inside = ResidentPairRow.first_id.in_(entries) & ResidentPairRow.second_id.in_(entries)
    waiting = inside & (ResidentPairRow.state == PairState.OPEN.value)
    _decide(session, waiting, PairState.MERGED, by=by, reason=reason, now=now)


def _decide(session: Session, condition: object, state: PairState, *, by: UUID, reason: str, now: datetime) -> None:
    session.execute(
        update(ResidentPairRow)
        .where(condition)  # type: ignore[arg-type]  # any condition on the table
        .values(state=state.value, decided_at=now, decided_by=by, reason=reason)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
