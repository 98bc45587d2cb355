"""Tables of finance: shifts at the counters, what went to and came from the bank, what the bank says of it, and what
people sent there.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, UtcDateTime, append_only


class Shift(Base):
    """A cashier at a counter, from the float to the count. One open shift a counter."""

    __tablename__ = "shift"
    __table_args__ = (
        CheckConstraint("(closed_record IS NULL) = (counted_cents IS NULL)", name="closed_whole"),
        Index(
            "uq_shift_open_device",
            "device_id",
            unique=True,
            sqlite_where=text("closed_record IS NULL"),
            postgresql_where=text("closed_record IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)  # the record that opened it
    device_id: Mapped[UUID] = mapped_column(Id)
    staff_id: Mapped[UUID] = mapped_column(Id)
    float_cents: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_record: Mapped[UUID | None] = mapped_column(Id, unique=True)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expected_cents: Mapped[int | None] = mapped_column(BigInteger)
    counted_cents: Mapped[int | None] = mapped_column(BigInteger)


class BankMovement(Base):
    """An entry that a bank statement must show one day. `amount_cents`: money into the bank is positive."""

    __tablename__ = "bank_movement"
    __table_args__ = (Index("ix_bank_movement_reference", "reference"),)

    entry_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    reference: Mapped[str] = mapped_column(String(64))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    happened_on: Mapped[date] = mapped_column(Date)


class BankStatement(Base):
    """A statement as imported, with its closing balance asserted against the books at that moment."""

    __tablename__ = "bank_statement"
    __table_args__ = (UniqueConstraint("account", "reference"),)

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    account: Mapped[str] = mapped_column(String(70))
    reference: Mapped[str] = mapped_column(String(70))
    file_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    opening_cents: Mapped[int | None] = mapped_column(BigInteger)
    closing_cents: Mapped[int | None] = mapped_column(BigInteger)
    ledger_cents: Mapped[int | None] = mapped_column(BigInteger)
    previous_closing_cents: Mapped[int | None] = mapped_column(BigInteger)
    from_date: Mapped[date | None] = mapped_column(Date)
    to_date: Mapped[date | None] = mapped_column(Date)
    pending_count: Mapped[int]
    imported_by: Mapped[UUID] = mapped_column(Id)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StatementLine(Base):
    """A booked line. A line never disappears: it is open, matched, or an exception with a reason."""

    __tablename__ = "statement_line"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'matched', 'exception')", name="state"),
        CheckConstraint("(state = 'matched') = (matched_entry IS NOT NULL)", name="matched"),
        Index("ix_statement_line_state", "state", "booked_on"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(Id, ForeignKey("bank_statement.id"))
    position: Mapped[int]
    line_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    booked_on: Mapped[date] = mapped_column(Date)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))
    references: Mapped[str] = mapped_column("references_json", String)
    text: Mapped[str] = mapped_column("line_text", String(500))
    state: Mapped[str] = mapped_column(String(10))
    why: Mapped[str] = mapped_column(String(200))
    matched_entry: Mapped[UUID | None] = mapped_column(Id, unique=True)


class Transfer(Base):
    """A line that was taken in as a transfer. `wallet_id` is None where the money waits; `why` says why."""

    __tablename__ = "bank_transfer"

    entry_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    line_id: Mapped[UUID] = mapped_column(Id, ForeignKey("statement_line.id"), unique=True)
    reference: Mapped[str | None] = mapped_column(String(64))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    wallet_id: Mapped[UUID | None] = mapped_column(Id)
    why: Mapped[str] = mapped_column(String(120))
    taken_by: Mapped[UUID] = mapped_column(Id)
    taken_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TransferAssignment(Base):
    """That a transfer which waited went into a wallet. It stands until a voucher takes its entry back."""

    __tablename__ = "transfer_assignment"
    __table_args__ = (Index("ix_transfer_assignment_transfer_id", "transfer_id"),)

    entry_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    transfer_id: Mapped[UUID] = mapped_column(Id, ForeignKey("bank_transfer.entry_id"))
    wallet_id: Mapped[UUID] = mapped_column(Id)


class TopUpMandate(Base):
    """What a holder agreed to: `amount_cents` from a purse whenever the balance is below `threshold_cents`, `day_max`
    times a day at most. `consent` is how staff know it; "" where the holder said so signed in.
    """

    __tablename__ = "top_up_mandate"
    __table_args__ = (
        CheckConstraint("threshold_cents > 0 AND amount_cents > 0 AND day_max > 0", name="positive"),
        Index("ix_top_up_mandate_wallet_id", "wallet_id"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(Id)
    source: Mapped[str] = mapped_column(String(32))
    threshold_cents: Mapped[int] = mapped_column(BigInteger)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    day_max: Mapped[int]
    consent: Mapped[str] = mapped_column(String(200))
    given_by: Mapped[UUID] = mapped_column(Id)
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)


class TopUpMandateEnd(Base):
    """That a mandate was taken back, or replaced by the next one."""

    __tablename__ = "top_up_mandate_end"

    mandate_id: Mapped[UUID] = mapped_column(Id, ForeignKey("top_up_mandate.id"), primary_key=True)
    ended_by: Mapped[UUID] = mapped_column(Id)
    ended_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AutoTopUpDone(Base):
    """An automatic top-up and the day it counts for."""

    __tablename__ = "auto_top_up"
    __table_args__ = (Index("ix_auto_top_up_mandate_id", "mandate_id", "day"),)

    entry_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    mandate_id: Mapped[UUID] = mapped_column(Id, ForeignKey("top_up_mandate.id"))
    day: Mapped[date] = mapped_column(Date)


append_only(BankMovement.__table__)
append_only(TopUpMandate.__table__)
append_only(TopUpMandateEnd.__table__)
append_only(AutoTopUpDone.__table__)
append_only(Transfer.__table__)
append_only(TransferAssignment.__table__)
