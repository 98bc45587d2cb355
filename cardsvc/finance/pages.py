"""The day sheet: what finance staff look at every day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from uuid import UUID

from flask import render_template, request, url_for
from sqlalchemy.orm import Session

from cardsvc import access, devices, ledger, web
from cardsvc.access import guard
from cardsvc.clock import MANILA, business_date
from cardsvc.errors import CityError, ErrorKind
from cardsvc.finance import queries

pages = web.PageBlueprint("finance_pages", __name__, template_folder="templates")
LINES_SHOWN: Final = 100
_PERMILLE: Final = 1000


class InvalidDate(CityError):
    code = "invalid_date"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("The date is not one like 2026-11-02. Choose it again.")


@dataclass(frozen=True, slots=True)
class TotalRow:
    kind: int
    entries: int
    amount_cents: int
    share_permille: int


@dataclass(frozen=True, slots=True)
class LineRow:
    seq: int
    entry_id: UUID
    entry_url: str
    kind: int
    happened_at: datetime
    account: str
    amount_cents: int
    is_first: bool


@dataclass(frozen=True, slots=True)
class DrawerRow:
    name: str
    staff: str
    opened_at: datetime
    closed_at: datetime | None
    float_cents: int
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
    entry_url: str


@dataclass(frozen=True, slots=True)
class ClosingRow:
    statement_ref: str
    at: date
    bank_cents: int
    ledger_cents: int
    difference_cents: int


@pages.route("/finance")
@guard.requires("finance", "treasurer", "auditor")
def day_sheet() -> str:
    """One day: totals, ledger, drawers, bank."""
    session, today = web.session(), business_date(web.now())
    day = _asked_day(today)
    after = request.args.get("after", type=int)
    entries = ledger.entries(session, day=day, after=after, limit=LINES_SHOWN)
    more = len(entries) == LINES_SHOWN
    statement = queries.last_statement(session, by=day)
    next_url = url_for("finance_pages.day_sheet", date=day.isoformat(), after=entries[-1].seq) if more else ""
    return render_template(
        "finance/day.html",
        day=day,
        previous=day - timedelta(days=1),
        following=day + timedelta(days=1) if day < today else None,
        totals=_totals(ledger.day_totals(session, day)),
        lines=[row for entry in entries for row in _lines(entry)],
        next_url=next_url,
        trial_difference_cents=ledger.trial_balance(session).difference_cents,
        drawers=_drawers(session, day),
        bank=_bank(session, statement),
        closing=_closing(statement),
    )


def _asked_day(today: date) -> date:
    text = request.args.get("date", "")
    if not text:
        return today
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidDate from error


def _totals(totals: Sequence[ledger.DayTotal]) -> list[TotalRow]:
    largest = max((total.amount_cents for total in totals), default=0) or 1
    return [
        TotalRow(total.kind, total.entries, total.amount_cents, total.amount_cents * _PERMILLE // largest)
        for total in totals
    ]


def _entry_url(entry_id: UUID) -> str:
    return url_for("transactions.Receipts", record_id=entry_id)


def _lines(entry: ledger.StoredEntry) -> list[LineRow]:
    return [
        LineRow(
            entry.seq,
            entry.entry_id,
            _entry_url(entry.entry_id),
            entry.kind,
            entry.happened_at,
            line.account,
            line.amount_cents,
            is_first=number == 0,
        )
        for number, line in enumerate(entry.lines)
    ]


def _drawers(session: Session, day: date) -> list[DrawerRow]:
    start = datetime.combine(day, time.min, MANILA)
    shifts = queries.shifts(session, start, start + timedelta(days=1))
    names = devices.by_ids(session, [shift.device_id for shift in shifts])
    staff = {member.id: member.full_name for member in access.all_staff(session)}
    live = queries.drawer_balances(session, [shift.device_id for shift in shifts if shift.closed_at is None])
    return [
        DrawerRow(
            names[shift.device_id].name,
            staff.get(access.StaffId(shift.staff_id), str(shift.staff_id)),
            shift.opened_at,
            shift.closed_at,
            shift.float_cents,
            live.get(shift.device_id, 0) if shift.expected_cents is None else shift.expected_cents,
            shift.counted_cents,
            shift.difference_cents,
        )
        for shift in shifts
    ]


def _bank(session: Session, statement: queries.StatementView | None) -> list[BankRow]:
    """The statement's lines, and before them every older line that still wants an explanation."""
    shown = () if statement is None else statement.lines
    ids = {line.id for line in shown}
    older = [line for line in queries.lines_to_explain(session) if line.id not in ids]
    return [
        BankRow(
            line.booked_on,
            line.amount_cents,
            line.text or ", ".join(line.references),
            line.state,
            line.why,
            "" if line.matched_entry is None else _entry_url(line.matched_entry),
        )
        for line in (*older, *shown)
    ]


def _closing(statement: queries.StatementView | None) -> ClosingRow | None:
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
