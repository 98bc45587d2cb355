"""One day of the city's money: totals, drawers, the bank."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, cards, devices, ledger
from cardsvc.clock import MANILA
from cardsvc.finance.queries import reading


@dataclass(frozen=True, slots=True)
class DrawerRow:
    """A counter's shift; `expected_cents` is what must be in the drawer now while it is open. `cards_cents` of it were
    taken for cards, apart from loads; what is taken back later is a correction, and no less was taken.
    """

    name: str
    staff: str
    opened_at: datetime
    closed_at: datetime | None
    float_cents: int
    cards_cents: int
    expected_cents: int
    counted_cents: int | None
    difference_cents: int | None


@dataclass(frozen=True, slots=True)
class BankRow:
    booking_date: date
    amount_cents: int
    text: str
    state: str
    why: str
    matched_entry: UUID | None


@dataclass(frozen=True, slots=True)
class ClosingRow:
    """What the bank's statement closes with, and what the books said."""

    statement_ref: str
    at: date
    bank_cents: int
    ledger_cents: int
    difference_cents: int


@dataclass(frozen=True, slots=True)
class DaySheet:
    """A day as finance staff see it. `trial_difference_cents` is 0, or the books are wrong. `next_after` goes into
    `after` for more of the day's entries; None: these were all.
    """

    day: date
    totals: tuple[ledger.DayTotal, ...]
    trial_difference_cents: int
    drawers: tuple[DrawerRow, ...]
    bank: tuple[BankRow, ...]
    closing: ClosingRow | None
    entries: tuple[ledger.StoredEntry, ...]
    next_after: int | None


def day_sheet(session: Session, day: date, *, after: int | None = None, limit: int = 100) -> DaySheet:
    """Everything of one day; the entries behind the place `after`, at most `limit`."""
    statement = reading.last_statement(session, by=day)
    entries = ledger.entries(session, day=day, after=after, limit=limit)
    return DaySheet(
        day,
        ledger.day_totals(session, day),
        ledger.trial_balance(session).difference_cents,
        tuple(_drawers(session, day)),
        tuple(_bank(session, statement)),
        _closing(statement),
        entries,
        entries[-1].seq if len(entries) == limit else None,
    )


def _drawers(session: Session, day: date) -> Sequence[DrawerRow]:
    start = datetime.combine(day, time.min, MANILA)
    shifts = reading.shifts(session, start, start + timedelta(days=1))
    names = devices.by_ids(session, [shift.device_id for shift in shifts])
    staff = {member.id: member.full_name for member in access.all_staff(session)}
    live = reading.drawer_balances(session, [shift.device_id for shift in shifts if shift.closed_at is None])
    for_cards = cards.paid_in_shifts(session, [shift.id for shift in shifts])
    return [
        DrawerRow(
            names[shift.device_id].name,
            staff.get(access.StaffId(shift.staff_id), str(shift.staff_id)),
            shift.opened_at,
            shift.closed_at,
            shift.float_cents,
            for_cards.get(shift.id, 0),
            live.get(shift.device_id, 0) if shift.expected_cents is None else shift.expected_cents,
            shift.counted_cents,
            shift.difference_cents,
        )
        for shift in shifts
    ]


def _bank(session: Session, statement: reading.StatementView | None) -> Sequence[BankRow]:
    """The statement's lines, and before them every older line that still wants an explanation."""
    shown = () if statement is None else statement.lines
    ids = {line.id for line in shown}
    older = [line for line in reading.lines_to_explain(session) if line.id not in ids]
    return [
        BankRow(
            line.booked_on,
            line.amount_cents,
            line.text or ", ".join(line.references),
            line.state,
            line.why,
            line.matched_entry,
        )
        for line in (*older, *shown)
    ]


def _closing(statement: reading.StatementView | None) -> ClosingRow | None:
    if statement is None or statement.to_date is None or statement.difference_cents is None:
        return None
    assert statement.closing_cents is not None
    assert statement.ledger_cents is not None
    return ClosingRow(
        statement.reference,
        statement.to_date,
        statement.closing_cents,
        statement.ledger_cents,
        statement.difference_cents,
    )
