"""Tables of the taxes: the bills of the city's real property tax, and the files they came from."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, UtcDateTime


class BillImport(Base):
    """A file of bills, taken whole or not at all. The same file is taken once."""

    __tablename__ = "bill_import"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    file_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    bill_count: Mapped[int]
    imported_by: Mapped[UUID] = mapped_column(Id)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Bill(Base):
    """What is due for one property and period. `resident_id` is who is known to pay it; anybody may."""

    __tablename__ = "bill"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'paid')", name="state"),
        CheckConstraint("(state = 'paid') = (paid_record IS NOT NULL)", name="payment"),
        CheckConstraint("basic_cents >= 0 AND sef_cents >= 0 AND basic_cents + sef_cents >= 1", name="amounts"),
        CheckConstraint("quarter IS NULL OR quarter BETWEEN 1 AND 4", name="quarter"),
        Index("ix_bill_resident", "resident_id", "state"),
        Index("ix_bill_tdn", "tdn"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(30), unique=True)
    import_id: Mapped[UUID] = mapped_column(Id, ForeignKey("bill_import.id"))
    tdn: Mapped[str] = mapped_column(String(30))
    owner_name: Mapped[str] = mapped_column(String(200))
    resident_id: Mapped[UUID | None] = mapped_column(Id)
    year: Mapped[int]
    quarter: Mapped[int | None]
    basic_cents: Mapped[int] = mapped_column(BigInteger)
    sef_cents: Mapped[int] = mapped_column(BigInteger)
    due_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(String(10))
    paid_record: Mapped[UUID | None] = mapped_column(Id, unique=True)
    paid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
