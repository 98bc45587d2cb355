"""Taking a whole register in, a part at a time.

Each part is one database transaction, with the last line that is in: if we stop here, the same file goes on after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from cardsvc.db import insert_columns, to_ms
from cardsvc.residents.actions.comparing import NewPair, Pool, decide_entries, insert_pairs, pairs_of
from cardsvc.residents.actions.registering import OnRegistered
from cardsvc.residents.actions.writing import Entry, RandomBytes, entry_of, insert_entries, lock_register
from cardsvc.residents.models import ResidentAliasRow, ResidentImportedRow, ResidentImportRow, ResidentMergeRow
from cardsvc.residents.queries import Import, find_import, survivors, write_why
from cardsvc.residents.rules import Likeness, Outcome, Row
from cardsvc.settings import DedupeSettings
from crypto.wire.ids import RANDOM_BYTES, uuid7

MERGED_BY_FILE = "found to be the same person when the file was taken in"


@dataclass(frozen=True, slots=True)
class _Part:
    """What a part of a file comes to."""

    entries: list[Entry] = field(default_factory=list)
    merged: list[tuple[UUID, Likeness]] = field(default_factory=list)
    pairs: list[NewPair] = field(default_factory=list)
    outcomes: list[tuple[int, Outcome, UUID]] = field(default_factory=list)


def begin_import(
    session: Session, file_hash: bytes, file_name: str, *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> Import:
    """The import of the file with this SHA-256: a new one, or the one that was begun or finished before."""
    found = session.scalar(select(ResidentImportRow.id).where(ResidentImportRow.file_hash == file_hash))
    if found is None:
        found = uuid7(to_ms(now), random_bytes(RANDOM_BYTES))
        row = ResidentImportRow(
            id=found, file_hash=file_hash, file_name=file_name[:200], state="running", line_done=1, registered=0,
            known=0, merged=0, review=0, refused=0, began_at=now, began_by=by, ended_at=None,
        )  # fmt: skip
        session.add(row)
        session.flush()
    return find_import(session, found)


def import_rows(
    session: Session,
    import_id: UUID,
    rows: Sequence[Row],
    *,
    thresholds: DedupeSettings,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    on_registered: OnRegistered,
) -> Import:
    """Take the next rows of the file in; rows that are in already are passed over. The rows were checked by `read`.

    Who is known stays as they are, who is surely somebody else's second entry is merged (reversibly), who may be one
    waits to be looked at, everybody else is registered.
    """
    lock_register(session)
    done = find_import(session, import_id).line_done
    left = [row for row in rows if row.line > done]
    if not left:
        return find_import(session, import_id)
    part = _part(session, left, thresholds, now, random_bytes)
    insert_entries(session, part.entries, by=by, now=now)
    _insert_merges(session, part.merged, by=by, now=now)
    insert_pairs(session, part.pairs, now=now, import_id=import_id)
    _insert_outcomes(session, import_id, part)
    counted = {outcome.value: sum(found is outcome for _, found, _ in part.outcomes) for outcome in Outcome}
    columns = {name: getattr(ResidentImportRow, name) + count for name, count in counted.items()}
    session.execute(
        update(ResidentImportRow).where(ResidentImportRow.id == import_id).values(line_done=left[-1].line, **columns)
    )
    on_registered(session, [entry.id for entry in part.entries], now)
    return find_import(session, import_id)


def end_import(session: Session, import_id: UUID, *, refused: int, now: datetime) -> Import:
    """Note that the whole file is in, but for so many rows that were refused."""
    values = {"state": "done", "refused": refused, "ended_at": now}
    session.execute(update(ResidentImportRow).where(ResidentImportRow.id == import_id).values(**values))
    return find_import(session, import_id)


def _part(
    session: Session, rows: Sequence[Row], thresholds: DedupeSettings, now: datetime, random_bytes: RandomBytes
) -> _Part:
    part = _Part()
    entries = [entry_of(row.registration, now, random_bytes) for row in rows]
    into: dict[UUID, UUID] = {}  # of those merged in this part
    looks: list[tuple[UUID, tuple[Likeness, ...]]] = []
    for row, (entry, decision) in zip(rows, decide_entries(session, entries, Pool(), thresholds), strict=True):
        if decision.makes_an_entry:
            part.entries.append(entry)
        if decision.same is not None:
            same = decision.same
            person = survivors(session, [into.get(same.resident_id, same.resident_id)])
            found = Likeness(next(iter(person.values())), same.comparison)
            if decision.makes_an_entry:
                into[entry.id] = found.resident_id
                part.merged.append((entry.id, found))
            part.outcomes.append((row.line, decision.outcome, found.resident_id))
        else:
            if decision.looks:
                looks.append((entry.id, decision.looks))
            part.outcomes.append((row.line, decision.outcome, entry.id))
    for resident_id, likenesses in looks:
        people = [Likeness(into.get(one.resident_id, one.resident_id), one.comparison) for one in likenesses]
        part.pairs.extend(pairs_of(session, resident_id, people))
    return part


def _insert_merges(session: Session, merged: Sequence[tuple[UUID, Likeness]], *, by: UUID, now: datetime) -> None:
    if not merged:
        return
    aliases = [{"resident_id": one, "into_id": found.resident_id} for one, found in merged]
    session.execute(insert(ResidentAliasRow), aliases)
    steps = [
        {
            "kind": "merged",
            "resident_id": one,
            "into_id": found.resident_id,
            "at": now,
            "actor": by,
            "reason": MERGED_BY_FILE,
            "score": found.comparison.score,
            "why": write_why(found.comparison),
        }
        for one, found in merged
    ]
    session.execute(insert(ResidentMergeRow), steps)


def _insert_outcomes(session: Session, import_id: UUID, part: _Part) -> None:
    columns: dict[str, Sequence[Any]] = {
        "import_id": [import_id] * len(part.outcomes),
        "line": [line for line, _, _ in part.outcomes],
        "outcome": [outcome.value for _, outcome, _ in part.outcomes],
        "resident_id": [resident_id for _, _, resident_id in part.outcomes],
    }
    insert_columns(session, ResidentImportedRow.__table__, columns)
