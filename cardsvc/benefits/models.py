"""Tables of the benefits: programmes, their payout cycles, and what each resident may claim."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, UtcDateTime


class Programme(Base):
    __tablename__ = "programme"

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    created_by: Mapped[UUID] = mapped_column(Id)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Cycle(Base):
    """One payout. Drafted by one officer, approved by another: the database holds that too."""

    __tablename__ = "cycle"
    __table_args__ = (
        UniqueConstraint("programme_id", "label"),
        CheckConstraint("state IN ('draft', 'approved', 'closed', 'cancelled')", name="state"),
        CheckConstraint("approved_by IS NULL OR approved_by <> drafted_by", name="two_officers"),
        CheckConstraint("(state IN ('approved', 'closed')) = (approved_record IS NOT NULL)", name="approval"),
        CheckConstraint("line_count >= 1 AND total_cents >= 1", name="totals"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    programme_id: Mapped[UUID] = mapped_column(Id, ForeignKey("programme.id"))
    label: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10))
    line_count: Mapped[int]
    total_cents: Mapped[int] = mapped_column(BigInteger)
    list_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    claim_until: Mapped[date] = mapped_column(Date)
    drafted_by: Mapped[UUID] = mapped_column(Id)
    drafted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    approved_by: Mapped[UUID | None] = mapped_column(Id)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    approved_record: Mapped[UUID | None] = mapped_column(Id, unique=True)


class Entitlement(Base):
    """What one resident may claim of one cycle: at most one, and claimed at most once."""

    __tablename__ = "entitlement"
    __table_args__ = (
        UniqueConstraint("cycle_id", "resident_id"),
        CheckConstraint("state IN ('pending', 'approved', 'claimed', 'expired')", name="state"),
        CheckConstraint("amount_cents >= 1", name="amount"),
        CheckConstraint("(state = 'claimed') = (claimed_record IS NOT NULL)", name="claim"),
        Index("ix_entitlement_resident", "resident_id", "state"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    cycle_id: Mapped[UUID] = mapped_column(Id, ForeignKey("cycle.id"))
    resident_id: Mapped[UUID] = mapped_column(Id)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(10))
    claimed_record: Mapped[UUID | None] = mapped_column(Id, unique=True)
    claimed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
