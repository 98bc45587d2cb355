"""Tables of transit: tariffs by version with the feed each came from, taps, what rides were charged, riders' rights,
and their claims: what was claimed, what two people signed about it, how it ended.

All of them only grow.
"""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, UtcDateTime, append_only


class TariffRow(Base):
    """A version of the fares, in force from a moment until the next version is."""

    __tablename__ = "tariff"
    __table_args__ = (CheckConstraint("version >= 1", name="version"),)

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    feed_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    valid_from: Mapped[datetime] = mapped_column(UtcDateTime)
    default_category: Mapped[str] = mapped_column(String(64))
    imported_by: Mapped[UUID] = mapped_column(Id)
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)


class FeedFile(Base):
    """A file of the feed, byte for byte."""

    __tablename__ = "feed_file"

    version: Mapped[int] = mapped_column(ForeignKey("tariff.version"), primary_key=True)
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class NetworkRow(Base):
    __tablename__ = "transit_network"

    version: Mapped[int] = mapped_column(ForeignKey("tariff.version"), primary_key=True)
    network_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    agency_id: Mapped[str] = mapped_column(String(64))


class StopRow(Base):
    __tablename__ = "transit_stop"

    version: Mapped[int] = mapped_column(ForeignKey("tariff.version"), primary_key=True)
    stop_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


class FlatFareRow(Base):
    __tablename__ = "flat_fare"

    version: Mapped[int] = mapped_column(ForeignKey("tariff.version"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    network_id: Mapped[str] = mapped_column(String(64))
    rider_category: Mapped[str] = mapped_column(String(64))
    product_id: Mapped[str] = mapped_column(String(64))
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    currency: Mapped[str] = mapped_column(String(3))


class RideTap(Base):
    """An accepted tap. Its record id is that of its entry; of a settled dispute, the settlement's. No foreign keys: on
    the way of batches they cost too much.
    """

    __tablename__ = "ride_tap"
    __table_args__ = (
        CheckConstraint("direction IN ('in', 'out', 'flat')", name="direction"),
        Index("ix_ride_tap_wallet_id_at", "wallet_id", "at"),
    )

    record_id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID]
    device_id: Mapped[UUID]
    seq: Mapped[int]  # of the terminal
    at: Mapped[datetime]
    network: Mapped[str]
    stop_id: Mapped[str]
    direction: Mapped[str]
    tariff_version: Mapped[int]  # what the gate knew; a ride is priced by the version of its time


class RideCharge(Base):
    """What an entry changed about one ride; a ride's charges add up to its fare and subsidy as they stand.

    `ride_id` is the ride's first tap, `explanation` canonical JSON of the ride as it stands after the entry.
    """

    __tablename__ = "ride_charge"
    __table_args__ = (
        Index("ix_ride_charge_entry_id", "entry_id"),
        Index("ix_ride_charge_ride_id", "ride_id"),
        Index("ix_ride_charge_wallet_id_fare_day", "wallet_id", "fare_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    wallet_id: Mapped[UUID]
    ride_id: Mapped[UUID]
    fare_day: Mapped[date]
    network: Mapped[str]
    agency: Mapped[str]
    fare_cents: Mapped[int]  # from the rider to the operator; less than zero: back
    subsidy_cents: Mapped[int]  # from the programme `paid_by` to the operator; less than zero: back
    paid_by: Mapped[str]
    explanation: Mapped[str]


class RiderRight(Base):
    """A category that a resident has over fare days, both in. A later row about the same right says how it stands now;
    `valid_to` before `valid_from` ends it as if it had never been.
    """

    __tablename__ = "rider_right"
    __table_args__ = (Index("ix_rider_right_resident_id", "resident_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    right_id: Mapped[UUID]
    resident_id: Mapped[UUID]
    category: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    reason: Mapped[str]
    given_by: Mapped[UUID]
    given_at: Mapped[datetime]


class RiderPass(Base):
    """A pass that a wallet bought, good from one moment until another, for so many rides or any number (None).

    `holding_id` is the record's that bought it, `agency` the operator that earned `amount_cents`: empty where several
    did. One whose entry was taken back is a pass no more.
    """

    __tablename__ = "rider_pass"
    __table_args__ = (
        CheckConstraint("amount_cents > 0", name="amount_cents"),
        Index("ix_rider_pass_wallet_id", "wallet_id"),
    )

    holding_id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID]
    pass_id: Mapped[str]
    valid_from: Mapped[datetime]
    valid_to: Mapped[datetime]
    rides: Mapped[int | None]
    tariff_version: Mapped[int]  # that it was bought by; its name and networks stand there
    agency: Mapped[str]
    amount_cents: Mapped[int]


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


for table in (
    TariffRow,
    FeedFile,
    NetworkRow,
    StopRow,
    FlatFareRow,
    RideTap,
    RideCharge,
    RiderRight,
    RiderPass,
    RideClaim,
    ClaimApproval,
    ClaimDecision,
):
    append_only(table.__table__)
