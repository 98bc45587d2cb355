"""The people of the register. Rows of `resident_event` are never changed: they are the register's history."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, UtcDateTime, append_only


class ResidentRow(Base):
    """A person of the city. `registered_by` is whoever signed in; no foreign key, for the service registers too."""

    __tablename__ = "resident"
    __table_args__ = (
        CheckConstraint("sex IN ('F', 'M')", name="sex_known"),
        CheckConstraint("status IN ('active', 'moved', 'deceased')", name="status_known"),
        Index("ix_resident_person_key", "person_key"),
        Index("ix_resident_search", "search_text", "number"),
    )

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    family_name: Mapped[str] = mapped_column(String(100))
    given_name: Mapped[str] = mapped_column(String(100))
    middle_name: Mapped[str | None] = mapped_column(String(100))
    birth_date: Mapped[date] = mapped_column(Date)
    sex: Mapped[str] = mapped_column(String(1))
    barangay_code: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(200))
    mobile: Mapped[str | None] = mapped_column(String(20))
    status: Mapped[str] = mapped_column(String(10))
    person_key: Mapped[str] = mapped_column(String(350))
    search_text: Mapped[str] = mapped_column(String(350))
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)
    registered_by: Mapped[UUID] = mapped_column(Id)


class ResidentEventRow(Base):
    __tablename__ = "resident_event"
    __table_args__ = (CheckConstraint("kind IN ('registered', 'status')", name="kind_known"),)

    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12))
    status: Mapped[str] = mapped_column(String(10))
    actor: Mapped[UUID] = mapped_column(Id)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    reason: Mapped[str | None] = mapped_column(String(200))


class ResidentCounterRow(Base):
    """One row: the last serial given out. Drawn in the registering transaction, so numbers have no gaps."""

    __tablename__ = "resident_counter"
    __table_args__ = (CheckConstraint("id = 1", name="single_row"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last_serial: Mapped[int] = mapped_column(Integer)


append_only(ResidentEventRow.__table__)
