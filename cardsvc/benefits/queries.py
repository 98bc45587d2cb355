"""Reads of programmes, cycles and entitlements, as small frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.benefits.models import Cycle as CycleRow
from cardsvc.benefits.models import Entitlement as EntitlementRow
from cardsvc.benefits.models import Programme as ProgrammeRow
from cardsvc.benefits.rules import Claimable

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Programme:
    id: UUID
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Cycle:
    """`approved_*` are None until somebody approved."""

    id: UUID
    programme_id: UUID
    programme_code: str
    programme_name: str
    label: str
    state: str
    line_count: int
    total_cents: int
    list_hash: bytes
    claim_until: date
    drafted_by: UUID
    drafted_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    claimed_count: int
    claimed_cents: int


@dataclass(frozen=True, slots=True)
class Due:
    """What a resident can claim now."""

    entitlement_id: UUID
    programme_name: str
    cycle_label: str
    amount_cents: int
    claim_until: date


def programme(session: Session, code: str) -> Programme | None:
    row = session.scalar(sa.select(ProgrammeRow).where(ProgrammeRow.code == code))
    return None if row is None else Programme(row.id, row.code, row.name)


def programmes(session: Session) -> list[Programme]:
    rows = session.scalars(sa.select(ProgrammeRow).order_by(ProgrammeRow.code))
    return [Programme(row.id, row.code, row.name) for row in rows]


def cycles(session: Session, cycle_ids: Sequence[UUID] | None = None) -> list[Cycle]:
    """These cycles, or all, newest first, with what was claimed of each."""
    claimed = (
        sa.select(
            EntitlementRow.cycle_id,
            sa.func.count().label("claimed_count"),
            sa.func.sum(EntitlementRow.amount_cents).label("claimed_cents"),
        )
        .where(EntitlementRow.state == "claimed")
        .group_by(EntitlementRow.cycle_id)
        .subquery()
    )
    query = (
        sa.select(CycleRow, ProgrammeRow.code, ProgrammeRow.name, claimed.c.claimed_count, claimed.c.claimed_cents)
        .join(ProgrammeRow, ProgrammeRow.id == CycleRow.programme_id)
        .outerjoin(claimed, claimed.c.cycle_id == CycleRow.id)
        .order_by(CycleRow.drafted_at.desc(), CycleRow.id)
    )
    if cycle_ids is not None:
        query = query.where(CycleRow.id.in_(cycle_ids))
    return [_cycle(*row) for row in session.execute(query)]


def _cycle(row: CycleRow, code: str, name: str, claimed_count: Any, claimed_cents: Any) -> Cycle:
    return Cycle(
        id=row.id,
        programme_id=row.programme_id,
        programme_code=code,
        programme_name=name,
        label=row.label,
        state=row.state,
        line_count=row.line_count,
        total_cents=row.total_cents,
        list_hash=row.list_hash,
        claim_until=row.claim_until,
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        claimed_count=int(claimed_count or 0),
        claimed_cents=int(claimed_cents or 0),
    )


def claimables(session: Session, entitlement_ids: Sequence[UUID]) -> dict[UUID, Claimable]:
    entitlement, cycle = EntitlementRow.__table__.c, CycleRow.__table__.c
    columns = (
        entitlement.id,
        entitlement.cycle_id,
        entitlement.resident_id,
        entitlement.amount_cents,
        entitlement.state,
        cycle.claim_until,
    )
    query = sa.select(*columns).join(CycleRow.__table__, cycle.id == entitlement.cycle_id)
    found: dict[UUID, Claimable] = {}
    for start in range(0, len(entitlement_ids), _CHUNK):
        for row in session.execute(query.where(entitlement.id.in_(entitlement_ids[start : start + _CHUNK]))):
            found[row[0]] = Claimable(*row)
    return found


def due(session: Session, resident_id: UUID, today: date) -> list[Due]:
    """What this resident can claim today, the first to lapse first."""
    query = (
        sa.select(
            EntitlementRow.id,
            ProgrammeRow.name,
            CycleRow.label,
            EntitlementRow.amount_cents,
            CycleRow.claim_until,
        )
        .join(CycleRow, CycleRow.id == EntitlementRow.cycle_id)
        .join(ProgrammeRow, ProgrammeRow.id == CycleRow.programme_id)
        .where(EntitlementRow.resident_id == resident_id)
        .where(EntitlementRow.state == "approved")
        .where(CycleRow.claim_until >= today)
        .order_by(CycleRow.claim_until, EntitlementRow.id)
    )
    return [Due(*row) for row in session.execute(query)]
