"""Reads of bills, as small frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.taxes.models import Bill as BillRow
from cardsvc.taxes.models import BillImport
from cardsvc.taxes.rules import Payable

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Bill:
    """`quarter` is None for a whole year; `paid_at` and `paid_record` are None while it is open."""

    id: UUID
    number: str
    tdn: str
    owner_name: str
    resident_id: UUID | None
    year: int
    quarter: int | None
    basic_cents: int
    sef_cents: int
    due_on: date
    state: str
    paid_record: UUID | None
    paid_at: datetime | None

    @property
    def total_cents(self) -> int:
        return self.basic_cents + self.sef_cents


_COLUMNS = tuple(getattr(BillRow, name) for name in Bill.__dataclass_fields__)


def bill(session: Session, number: str) -> Bill | None:
    row = session.execute(sa.select(*_COLUMNS).where(BillRow.number == number)).one_or_none()
    return None if row is None else Bill(*row)


def bill_of(session: Session, bill_id: UUID, resident_id: UUID) -> Bill | None:
    """The bill, where this resident is known to pay it."""
    query = sa.select(*_COLUMNS).where(BillRow.id == bill_id, BillRow.resident_id == resident_id)
    row = session.execute(query).one_or_none()
    return None if row is None else Bill(*row)


def open_bills(session: Session, resident_id: UUID) -> list[Bill]:
    """The unpaid bills this resident is known to pay, the oldest due date first."""
    query = sa.select(*_COLUMNS).where(BillRow.resident_id == resident_id, BillRow.state == "open")
    return [Bill(*row) for row in session.execute(query.order_by(BillRow.due_on, BillRow.number))]


def payables(session: Session, bill_ids: Sequence[UUID]) -> dict[UUID, Payable]:
    table = BillRow.__table__.c
    query = sa.select(table.id, table.number, table.year, table.basic_cents, table.sef_cents, table.state)
    found: dict[UUID, Payable] = {}
    for start in range(0, len(bill_ids), _CHUNK):
        for row in session.execute(query.where(table.id.in_(bill_ids[start : start + _CHUNK]))):
            found[row[0]] = Payable(*row)
    return found


def known_numbers(session: Session, numbers: Sequence[str]) -> set[str]:
    found: set[str] = set()
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        found.update(session.scalars(sa.select(BillRow.number).where(BillRow.number.in_(chunk))))
    return found


def import_of(session: Session, file_hash: bytes) -> tuple[UUID, int] | None:
    """The earlier import of the same file, and how many bills it brought."""
    query = sa.select(BillImport.id, BillImport.bill_count).where(BillImport.file_hash == file_hash)
    row = session.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])
