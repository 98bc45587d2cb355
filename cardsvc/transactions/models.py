"""Tables: what was sent, who authorised it, and what became of it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, UtcDateTime, append_only


class Batch(Base):
    """A signed upload that brought something new. Its bytes are kept: they hold the terminal's signature."""

    __tablename__ = "batch"
    __table_args__ = (
        CheckConstraint("item_count >= 1", name="item_count"),
        Index("ix_batch_device_received", "device_id", "received_at"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    device_id: Mapped[UUID] = mapped_column(Id)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    item_count: Mapped[int]
    bytes_: Mapped[bytes] = mapped_column("bytes", LargeBinary)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by the terminal's clock; NULL before 0010


class Transaction(Base):
    """A record with its authorisations, accepted or rejected: written once, never changed."""

    __tablename__ = "transaction"
    __table_args__ = (
        CheckConstraint("outcome IN ('accepted', 'rejected')", name="outcome"),
        CheckConstraint("(outcome = 'accepted') = (reason IS NULL)", name="reason"),
        CheckConstraint("(outcome = 'accepted') = (entry_hash IS NOT NULL)", name="entry"),
        Index("ix_transaction_device_sequence", "device_id", "sequence"),
        Index("ix_transaction_card_happened", "card_id", "happened_at"),
        Index("ix_transaction_recorded", "recorded_at"),
    )

    record_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    kind: Mapped[int]
    device_id: Mapped[UUID] = mapped_column(Id)
    sequence: Mapped[int] = mapped_column(BigInteger)
    record_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    record_bytes: Mapped[bytes] = mapped_column(LargeBinary)
    authorisations: Mapped[bytes] = mapped_column(LargeBinary)
    batch_id: Mapped[UUID] = mapped_column(Id, ForeignKey("batch.id"))
    outcome: Mapped[str] = mapped_column(String(8))
    reason: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[str | None] = mapped_column(String(400))
    entry_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    leaf_index: Mapped[int] = mapped_column(BigInteger, unique=True)
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    card_id: Mapped[UUID | None] = mapped_column(Id)
    resident_id: Mapped[UUID | None] = mapped_column(Id)
    staff_id: Mapped[UUID | None] = mapped_column(Id)
    official_number: Mapped[str | None] = mapped_column(String(40), unique=True)


class RefusedItem(Base):
    """An item nobody can be held to: what came, from which terminal, and why it was refused. Kept for the auditor."""

    __tablename__ = "refused_item"
    __table_args__ = (Index("ix_refused_item_received", "received_at"),)

    item_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    device_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(Id)
    record_id: Mapped[UUID | None] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(40))
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Dispute(Base):
    """A rejected record whose time finance decides about. `offset_ms` is how far its terminal's clock was thought to
    run ahead when it came, NULL where nothing was known; the amount is what the record says.
    """

    __tablename__ = "dispute"
    __table_args__ = (Index("ix_dispute_received", "received_at", "record_id"),)

    record_id: Mapped[UUID] = mapped_column(Id, ForeignKey("transaction.record_id"), primary_key=True)
    device_id: Mapped[UUID] = mapped_column(Id)
    kind: Mapped[int]
    reason: Mapped[str] = mapped_column(String(40))
    happened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    offset_ms: Mapped[int | None] = mapped_column(BigInteger)
    amount_cents: Mapped[int | None] = mapped_column(BigInteger)
    currency: Mapped[str | None] = mapped_column(String(3))
    card_id: Mapped[UUID | None] = mapped_column(Id)
    resident_id: Mapped[UUID | None] = mapped_column(Id)


class DisputeApproval(Base):
    """That two people signed an action of two about a dispute; `action_id` names it."""

    __tablename__ = "dispute_approval"
    __table_args__ = (CheckConstraint("decision IN ('settle', 'refuse')", name="decision"),)

    record_id: Mapped[UUID] = mapped_column(Id, ForeignKey("dispute.record_id"), primary_key=True)
    action_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    decision: Mapped[str] = mapped_column(String(8))
    approved_at: Mapped[datetime] = mapped_column(UtcDateTime)


class DisputeDecision(Base):
    """How a dispute ended; it ends once. `settled_by` is the record under whose id it was posted."""

    __tablename__ = "dispute_decision"
    __table_args__ = (
        CheckConstraint("outcome IN ('settled', 'refused')", name="outcome"),
        CheckConstraint("(outcome = 'settled') = (settled_by IS NOT NULL)", name="settled_by"),
    )

    record_id: Mapped[UUID] = mapped_column(Id, ForeignKey("dispute.record_id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(String(400))
    decided_by: Mapped[UUID] = mapped_column(Id)
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    settled_by: Mapped[UUID | None] = mapped_column(Id, unique=True)
    action_id: Mapped[UUID | None] = mapped_column(Id)


class ReceiptSeries(Base):
    """The next number of each series of official receipts: gapless, because it moves with the receipt it numbers."""

    __tablename__ = "receipt_series"
    __table_args__ = (CheckConstraint("next_number >= 1", name="next_number"),)

    series: Mapped[str] = mapped_column(String(30), primary_key=True)
    next_number: Mapped[int] = mapped_column(BigInteger)


class SeenQuery(Base):
    """A signed query that was answered. Each is answered once; rows older than its life may go."""

    __tablename__ = "seen_query"
    __table_args__ = (Index("ix_seen_query_seen_at", "seen_at"),)

    query_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)


append_only(Batch.__table__)
append_only(Transaction.__table__)
append_only(RefusedItem.__table__)
append_only(Dispute.__table__)
append_only(DisputeApproval.__table__)
append_only(DisputeDecision.__table__)
