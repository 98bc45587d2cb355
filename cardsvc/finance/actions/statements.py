"""Bank statements: imported, and their lines matched."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.clock import MANILA
from cardsvc.db import to_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.finance import queries, rules
from cardsvc.finance.models import BankStatement, StatementLine
from cardsvc.money import CURRENCY
from crypto.wire.ids import uuid7

RandomBytes = Callable[[int], bytes]


class StatementDiffers(CityError):
    code: ClassVar[str] = "statement_differs"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self, reference: str) -> None:
        super().__init__(
            f"A statement {reference} of this account is stored with other lines. Ask the bank which one is right."
        )


class UnknownStatement(CityError):
    code: ClassVar[str] = "unknown_statement"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no bank statement with this id. Import it first, or check the id.")


def open_chart(session: Session, now: datetime) -> None:
    """The accounts every city begins with."""
    ledger.open_accounts(session, list(rules.BASE_CHART), now)


def import_statements(
    session: Session, data: bytes, *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> list[queries.StatementView]:
    """Store the statements of a camt.053 file, all or nothing, and match what is certain.

    The same file again, or an overlapping one, brings no line twice.
    Raises: InvalidStatement, StatementDiffers.
    """
    file_hash = hashlib.sha256(data).digest()
    stored: list[UUID] = []
    for statement in rules.read(data):
        before = queries.statement_named(session, statement.account, statement.reference)
        if before is None:
            stored.append(_store(session, statement, file_hash, by, now, random_bytes))
        elif queries.known_lines(session, [line.line_hash for line in statement.lines]) != {
            line.line_hash for line in statement.lines
        }:
            raise StatementDiffers(statement.reference)
        else:
            stored.append(before.id)
    match_lines(session)
    return [found for found in (queries.statement(session, statement_id) for statement_id in stored) if found]


def _store(
    session: Session, statement: rules.Statement, file_hash: bytes, by: UUID, now: datetime, random_bytes: RandomBytes
) -> UUID:
    statement_id = uuid7(to_ms(now), random_bytes(10))
    row = {
        "id": statement_id,
        "account": statement.account,
        "reference": statement.reference,
        "file_hash": file_hash,
        "opening_cents": _city_cents(statement.opening),
        "closing_cents": _city_cents(statement.closing),
        "ledger_cents": _ledger_at(session, statement),
        "previous_closing_cents": queries.previous_closing(
            session, statement.account, statement.from_date or statement.to_date
        ),
        "from_date": statement.from_date,
        "to_date": statement.to_date,
        "pending_count": statement.pending,
        "imported_by": by,
        "imported_at": now,
    }
    session.execute(sa.insert(BankStatement), row)
    known = queries.known_lines(session, [line.line_hash for line in statement.lines])
    lines = [
        _line_row(line, position, statement_id, uuid7(to_ms(now), random_bytes(10)))
        for position, line in enumerate(statement.lines)
        if line.line_hash not in known
    ]
    if lines:
        session.execute(sa.insert(StatementLine), lines)
    return statement_id


def _line_row(line: rules.Line, position: int, statement_id: UUID, line_id: UUID) -> dict[str, Any]:
    foreign = line.amount.currency != CURRENCY
    return {
        "id": line_id,
        "statement_id": statement_id,
        "position": position,
        "line_hash": line.line_hash,
        "booked_on": line.booked_on,
        "amount_cents": line.amount.minor,
        "currency": line.amount.currency,
        "references": json.dumps(line.references),
        "text": line.text,
        "state": "exception" if foreign or line.reversal else "open",
        "why": _why_exception(line, foreign=foreign),
    }


def _why_exception(line: rules.Line, *, foreign: bool) -> str:
    if foreign:
        return f"The line is in {line.amount.currency}; the books are in {CURRENCY}."
    return "The bank took an earlier line back: look for it." if line.reversal else ""


def _city_cents(money: rules.Money | None) -> int | None:
    return money.minor if money is not None and money.currency == CURRENCY else None


def _ledger_at(session: Session, statement: rules.Statement) -> int | None:
    """What the books say was at the bank when the statement's last day ended."""
    if statement.to_date is None:
        return None
    day_end = datetime.combine(statement.to_date + timedelta(days=1), time.min, MANILA) - timedelta(milliseconds=1)
    return ledger.balances(session, [rules.BANK], happened_by=day_end)[rules.BANK]


def match_lines(session: Session) -> list[rules.Match]:
    """Match every open line for which exactly one explanation is certain; say of the others why they stay open."""
    lines, movements = queries.open_lines(session, CURRENCY), queries.open_movements(session)
    found = rules.match(lines, movements)
    for match in found:
        values = {"state": "matched", "matched_entry": match.entry_id, "why": match.why}
        session.execute(sa.update(StatementLine).where(StatementLine.id == match.line_id).values(**values))
    explained, taken = {match.line_id for match in found}, {match.entry_id for match in found}
    left = [movement for movement in movements if movement.entry_id not in taken]
    for line in lines:
        if line.line_id not in explained:
            why = rules.why_open(line, left)
            session.execute(sa.update(StatementLine).where(StatementLine.id == line.line_id).values(why=why))
    return found
