"""Tables of transit: tariffs by version, with the feed each came from; a tap is a transaction and has no table here."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, LargeBinary, String
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


for table in (TariffRow, FeedFile, NetworkRow, StopRow, FlatFareRow):
    append_only(table.__table__)
