"""Tables of riders' claims: what was claimed, what two people signed about it, how it ended. All of it only grows."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, append_only


class RideClaim(Base):
    """A rider says that a ride was charged wrongly. `ride_id` is its first tap; `stop_id` where they say they were."""

    __tablename__ = "ride_claim"
    __table_args__ = (
        CheckConstraint("reason IN ('not_me', 'wrong_stop', 'missing_exit')", name="reason"),
        CheckConstraint("(reason = 'not_me') = (stop_id IS NULL)", name="stop"),
        Index("ix_ride_claim_opened", "opened_at", "id"),
        Index("ix_ride_claim_wallet", "wallet_id", "opened_at"),
        Index("ix_ride_claim_ride", "ride_id"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column(Id)
    ride_id: Mapped[UUID] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(12))
    stop_id: Mapped[str | None] = mapped_column(String(64))
    said: Mapped[str] = mapped_column(String(400))
    fare_cents: Mapped[int]  # what the ride had cost when the claim was opened
    opened_at: Mapped[datetime]


class ClaimApproval(Base):
    """That two people signed an action of two to give `fare_cents` back."""

    __tablename__ = "claim_approval"
    __table_args__ = (CheckConstraint("fare_cents > 0", name="fare_cents"),)

    claim_id: Mapped[UUID] = mapped_column(Id, ForeignKey("ride_claim.id"), primary_key=True)
    action_id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    fare_cents: Mapped[int]
    approved_at: Mapped[datetime]


class ClaimDecision(Base):
    """How a claim ended; it ends once. A refund names the record that moved the money and what it moved."""

    __tablename__ = "claim_decision"
    __table_args__ = (
        CheckConstraint("outcome IN ('refunded', 'refused')", name="outcome"),
        CheckConstraint("(outcome = 'refunded') = (record_id IS NOT NULL)", name="record"),
        CheckConstraint("(outcome = 'refunded') = (fare_cents > 0)", name="fare_cents"),
        CheckConstraint("subsidy_cents >= 0", name="subsidy_cents"),
    )

    claim_id: Mapped[UUID] = mapped_column(Id, ForeignKey("ride_claim.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(8))
    why: Mapped[str] = mapped_column(String(200))
    decided_by: Mapped[UUID] = mapped_column(Id)
    decided_at: Mapped[datetime]
    record_id: Mapped[UUID | None] = mapped_column(Id, unique=True)
    action_id: Mapped[UUID | None] = mapped_column(Id)
    fare_cents: Mapped[int]
    subsidy_cents: Mapped[int]
    fare_day: Mapped[date]  # of the ride, with its network, operator, payer and product: what settlements are made of
    network: Mapped[str] = mapped_column(String(64))
    agency: Mapped[str] = mapped_column(String(64))
    paid_by: Mapped[str] = mapped_column(String(64))
    product: Mapped[str] = mapped_column(String(64))


for table in (RideClaim, ClaimApproval, ClaimDecision):
    append_only(table.__table__)
