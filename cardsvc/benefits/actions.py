"""Verbs of the benefits office that move no money: create a programme, draft a cycle. Approval is a signed record."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, residents
from cardsvc.benefits import queries, rules
from cardsvc.benefits.models import Cycle, Entitlement, Programme
from cardsvc.clock import business_date
from cardsvc.db import insert_columns, to_ms
from crypto.wire.benefits import CycleApproved
from crypto.wire.ids import uuid7

RandomBytes = Callable[[int], bytes]


def create_programme(
    session: Session, *, code: str, name: str, by: UUID, now: datetime, random_bytes: RandomBytes
) -> queries.Programme:
    """A programme and the fund account its cycles are paid from. Raises: ProgrammeExists."""
    if queries.programme(session, code) is not None:
        raise rules.ProgrammeExists(code)
    row = Programme(id=uuid7(to_ms(now), random_bytes(10)), code=code, name=name, created_by=by, created_at=now)
    session.add(row)
    session.flush()
    ledger.open_accounts(session, [_spec(rules.fund_account(code), ledger.AccountKind.EQUITY)], now)
    return queries.Programme(row.id, code, name)


def _spec(code: str, kind: ledger.AccountKind) -> ledger.AccountSpec:
    """Money set apart: it cannot be overdrawn."""
    return ledger.AccountSpec(code, kind, ledger.AccountPolicy.CHECKED, ledger.Fund.GENERAL, floor_cents=0)


def draft_cycle(
    session: Session,
    *,
    programme_code: str,
    label: str,
    lines: Sequence[rules.CycleLine],
    count: int,
    total_cents: int,
    claim_until: date,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> queries.Cycle:
    """Store a cycle and its lines; nothing can be claimed before somebody else approves it.

    Raises: UnknownProgramme, CycleExists, InvalidCycle (all wrong lines named, nothing stored).
    """
    programme = queries.programme(session, programme_code)
    if programme is None:
        raise rules.UnknownProgramme(programme_code)
    rules.check_draft(lines, count=count, total_cents=total_cents, claim_until=claim_until, today=business_date(now))
    _check_residents(session, lines)
    same = sa.select(Cycle.id).where(Cycle.programme_id == programme.id, Cycle.label == label)
    if session.scalar(same) is not None:
        raise rules.CycleExists(label)
    cycle_id = uuid7(to_ms(now), random_bytes(10))
    cycle = {
        "id": cycle_id,
        "programme_id": programme.id,
        "label": label,
        "state": "draft",
        "line_count": count,
        "total_cents": total_cents,
        "list_hash": rules.list_hash(lines),
        "claim_until": claim_until,
        "drafted_by": by,
        "drafted_at": now,
    }
    session.execute(sa.insert(Cycle), cycle)
    _insert_lines(session, cycle_id, lines, now, random_bytes)
    ledger.open_accounts(session, [_spec(rules.reserve_account(cycle_id), ledger.AccountKind.LIABILITY)], now)
    [drafted] = queries.cycles(session, [cycle_id])
    return drafted


def _insert_lines(
    session: Session, cycle_id: UUID, lines: Sequence[rules.CycleLine], now: datetime, random_bytes: RandomBytes
) -> None:
    columns: dict[str, list[object]] = {
        "id": [uuid7(to_ms(now), random_bytes(10)) for _ in lines],
        "cycle_id": [cycle_id for _ in lines],
        "resident_id": [line.resident_id for line in lines],
        "amount_cents": [line.amount_cents for line in lines],
        "state": ["pending" for _ in lines],
    }
    insert_columns(session, Entitlement.__table__, columns)


def _check_residents(session: Session, lines: Sequence[rules.CycleLine]) -> None:
    known = residents.find_many(session, [line.resident_id for line in lines])
    wrong = {
        f"lines.{number}": ["There is no such resident."]
        for number, line in enumerate(lines)
        if line.resident_id not in known
    }
    rules.refuse_lines(wrong)


def approval_of(session: Session, cycle_id: UUID, *, by: UUID, currency: str) -> CycleApproved:
    """What an officer signs to approve the cycle as it stands. Raises: UnknownCycle."""
    found = queries.cycles(session, [cycle_id])
    if not found:
        raise rules.UnknownCycle
    [cycle] = found
    return CycleApproved(by, cycle_id, cycle.line_count, cycle.total_cents, currency, cycle.list_hash)
