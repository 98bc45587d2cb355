"""Files that were taken in, and what became of their lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentImportedRow, ResidentImportRow
from cardsvc.residents.rules import Outcome


@dataclass(frozen=True, slots=True)
class Import:
    """One file: how far it is in (`line_done`), and what became of its rows so far."""

    id: UUID
    file_hash: bytes
    file_name: str
    is_done: bool
    line_done: int
    registered: int
    known: int
    merged: int
    review: int
    refused: int
    began_at: datetime
    began_by: UUID
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one line; `resident_id` is the person it is about."""

    line: int
    outcome: Outcome
    resident_id: UUID


def find_import(session: Session, import_id: UUID) -> Import:
    """An import that is there."""
    row = session.execute(select(ResidentImportRow).where(ResidentImportRow.id == import_id)).scalar_one()
    session.refresh(row)  # counts are added by the database
    return Import(
        row.id,
        row.file_hash,
        row.file_name,
        row.state == "done",
        row.line_done,
        row.registered,
        row.known,
        row.merged,
        row.review,
        row.refused,
        row.began_at,
        row.began_by,
        row.ended_at,
    )


def import_of_file(session: Session, file_hash: bytes) -> Import | None:
    """The import of the file with this SHA-256, if there was one."""
    found = session.scalar(select(ResidentImportRow.id).where(ResidentImportRow.file_hash == file_hash))
    return None if found is None else find_import(session, found)


def imported(session: Session, import_id: UUID, outcomes: Sequence[Outcome]) -> list[Imported]:
    """The lines that came to one of these outcomes, in order."""
    query = (
        select(ResidentImportedRow.line, ResidentImportedRow.outcome, ResidentImportedRow.resident_id)
        .where(
            ResidentImportedRow.import_id == import_id,
            ResidentImportedRow.outcome.in_([outcome.value for outcome in outcomes]),
        )
        .order_by(ResidentImportedRow.line)
    )
    return [Imported(row.line, Outcome(row.outcome), row.resident_id) for row in session.execute(query)]
