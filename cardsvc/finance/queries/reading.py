"""Reads of shifts, statements and the day, as small frozen values."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.clock import MANILA, business_date
from cardsvc.finance.models import BankMovement, BankStatement, Shift, StatementLine
from cardsvc.finance.rules import OpenLine, OpenMovement, drawer


@dataclass(frozen=True, slots=True)
class ShiftView:
    """A shift; what is None is known when it closes. `difference_cents`: counted less expected."""

    id: UUID
    device_id: UUID
    staff_id: UUID
    float_cents: int
    opened_at: datetime
    closed_at: datetime | None
    expected_cents: int | None
    counted_cents: int | None

    @property
    def difference_cents(self) -> int | None:
        if self.counted_cents is None or self.expected_cents is None:
            return None
        return self.counted_cents - self.expected_cents


@dataclass(frozen=True, slots=True)
class LineView:
    id: UUID
    statement_id: UUID
    booked_on: date
    amount_cents: int
    currency: str
    references: tuple[str, ...]
    text: str
    state: str
    why: str
    matched_entry: UUID | None


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement with its assertion: what the bank says is on the account, and what the books said at import."""

    id: UUID
    account: str
    reference: str
    opening_cents: int | None
    closing_cents: int | None
    ledger_cents: int | None
    previous_closing_cents: int | None
    from_date: date | None
    to_date: date | None
    pending_count: int
    imported_at: datetime
    lines: tuple[LineView, ...]

    @property
    def difference_cents(self) -> int | None:
        """Bank less books; None where the bank sent no closing balance."""
        if self.closing_cents is None or self.ledger_cents is None:
            return None
        return self.closing_cents - self.ledger_cents

    @property
    def opening_gap_cents(self) -> int | None:
        """Opening balance less the previous statement's closing one; None where there is nothing to compare."""
        if self.opening_cents is None or self.previous_closing_cents is None:
            return None
        return self.opening_cents - self.previous_closing_cents


def open_shifts(session: Session, device_ids: Sequence[UUID]) -> dict[UUID, ShiftView]:
    """The open shift of each of these counters, where there is one."""
    query = sa.select(Shift).where(Shift.closed_record.is_(None), Shift.device_id.in_(set(device_ids)))
    return {row.device_id: _shift(row) for row in session.scalars(query)}


def shifts(session: Session, start: datetime, end: datetime) -> list[ShiftView]:
    """The shifts that were open at some time between the two moments."""
    over = sa.or_(Shift.closed_at.is_(None), Shift.closed_at >= start)
    query = sa.select(Shift).where(Shift.opened_at < end, over).order_by(Shift.opened_at)
    return [_shift(row) for row in session.scalars(query)]


def left_open(session: Session, day: date) -> list[str]:
    """What stands against closing the books up to that day: shifts begun by then whose cash was not counted."""
    end = datetime.combine(day + timedelta(days=1), time.min, MANILA)
    query = sa.select(Shift.opened_at).where(Shift.closed_record.is_(None), Shift.opened_at < end)
    return [
        f"A shift that began on {business_date(opened_at)} was not closed: count its drawer first."
        for opened_at in session.scalars(query.order_by(Shift.opened_at))
    ]


def _shift(row: Shift) -> ShiftView:
    return ShiftView(
        row.id,
        row.device_id,
        row.staff_id,
        row.float_cents,
        row.opened_at,
        row.closed_at,
        row.expected_cents,
        row.counted_cents,
    )


def drawer_balances(session: Session, device_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What must be in the drawers now, in cents."""
    balances = ledger.balances(session, [drawer(device_id) for device_id in device_ids])
    return {device_id: balances[drawer(device_id)] for device_id in device_ids}


def open_movements(session: Session) -> list[OpenMovement]:
    """What the books say of the bank and no statement line explains yet, oldest first."""
    explained = sa.select(StatementLine.matched_entry).where(StatementLine.matched_entry.is_not(None))
    query = (
        sa.select(BankMovement.entry_id, BankMovement.happened_on, BankMovement.amount_cents, BankMovement.reference)
        .where(BankMovement.entry_id.not_in(explained))
        .order_by(BankMovement.happened_on, BankMovement.entry_id)
    )
    return [OpenMovement(*row) for row in session.execute(query)]


def open_lines(session: Session, currency: str) -> list[OpenLine]:
    query = sa.select(StatementLine).where(StatementLine.state == "open", StatementLine.currency == currency)
    rows = session.scalars(query.order_by(StatementLine.booked_on, StatementLine.id))
    return [
        OpenLine(row.id, row.booked_on, row.amount_cents, tuple(json.loads(row.references)), row.text) for row in rows
    ]


def known_lines(session: Session, hashes: Sequence[bytes]) -> set[bytes]:
    query = sa.select(StatementLine.line_hash)
    chunk = 5000
    found: set[bytes] = set()
    for start in range(0, len(hashes), chunk):
        found.update(session.scalars(query.where(StatementLine.line_hash.in_(hashes[start : start + chunk]))))
    return found


def statement(session: Session, statement_id: UUID) -> StatementView | None:
    row = session.get(BankStatement, statement_id)
    return None if row is None else _statement(session, row)


def last_statement(session: Session, by: date | None = None) -> StatementView | None:
    """The newest statement, or the newest that ends on or before `by`."""
    query = sa.select(BankStatement).order_by(BankStatement.to_date.desc(), BankStatement.imported_at.desc()).limit(1)
    if by is not None:
        query = query.where(BankStatement.to_date <= by)
    row = session.scalar(query)
    return None if row is None else _statement(session, row)


def statement_named(session: Session, account: str, reference: str) -> StatementView | None:
    query = sa.select(BankStatement).where(BankStatement.account == account, BankStatement.reference == reference)
    row = session.scalar(query)
    return None if row is None else _statement(session, row)


def previous_closing(session: Session, account: str, before: date | None) -> int | None:
    """The closing balance of the account's statement before that day."""
    query = sa.select(BankStatement.closing_cents).where(BankStatement.account == account)
    if before is not None:
        query = query.where(BankStatement.to_date < before)
    return session.scalar(query.order_by(BankStatement.to_date.desc(), BankStatement.imported_at.desc()).limit(1))


def _statement(session: Session, row: BankStatement) -> StatementView:
    query = sa.select(StatementLine).where(StatementLine.statement_id == row.id).order_by(StatementLine.position)
    return StatementView(
        id=row.id,
        account=row.account,
        reference=row.reference,
        opening_cents=row.opening_cents,
        closing_cents=row.closing_cents,
        ledger_cents=row.ledger_cents,
        previous_closing_cents=row.previous_closing_cents,
        from_date=row.from_date,
        to_date=row.to_date,
        pending_count=row.pending_count,
        imported_at=row.imported_at,
        lines=tuple(_line(line) for line in session.scalars(query)),
    )


def _line(row: StatementLine) -> LineView:
    return LineView(
        row.id,
        row.statement_id,
        row.booked_on,
        row.amount_cents,
        row.currency,
        tuple(json.loads(row.references)),
        row.text,
        row.state,
        row.why,
        row.matched_entry,
    )


def lines_to_explain(session: Session) -> list[LineView]:
    """Every line that is not matched, oldest first: none ever disappears."""
    query = sa.select(StatementLine).where(StatementLine.state != "matched")
    return [_line(row) for row in session.scalars(query.order_by(StatementLine.booked_on, StatementLine.id))]
