"""Who was shown a resident's data: what the resident may read."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentLookRow
from cardsvc.residents.queries.reading import entries_of


@dataclass(frozen=True, slots=True)
class Look:
    """Somebody was shown a resident. `number` counts all looks; `device_id` is None where no terminal took part."""

    number: int
    at: datetime
    actor_name: str
    role: str
    device_id: UUID | None
    purpose: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LookPage:
    """Some looks, newest first; `next` asks for older ones, None at the end."""

    looks: tuple[Look, ...]
    next: int | None


def looks(session: Session, resident_id: UUID, *, before: int | None = None, limit: int = 50) -> LookPage:
    """Who looked at this resident, and at the entries that were merged into theirs; newest first."""
    query = (
        select(
            ResidentLookRow.id,
            ResidentLookRow.at,
            ResidentLookRow.actor_name,
            ResidentLookRow.role,
            ResidentLookRow.device_id,
            ResidentLookRow.purpose,
            ResidentLookRow.fields,
        )
        .where(ResidentLookRow.resident_id.in_(entries_of(session, resident_id)))
        .order_by(ResidentLookRow.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        query = query.where(ResidentLookRow.id < before)
    rows = session.execute(query).all()
    shown = tuple(
        Look(row.id, row.at, row.actor_name, row.role, row.device_id, row.purpose, tuple(row.fields.split()))
        for row in rows[:limit]
    )
    return LookPage(shown, shown[-1].number if len(rows) > limit else None)
