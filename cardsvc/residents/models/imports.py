"""Files of residents that were taken in, and what became of each line."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, append_only


class ResidentImportRow(Base):
    """One file, known by its SHA-256. `line_done` is the last line whose residents are in the register."""

    __tablename__ = "resident_import"
    __table_args__ = (CheckConstraint("state IN ('running', 'done')", name="state_known"),)

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    file_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    file_name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(8))
    line_done: Mapped[int] = mapped_column(Integer)
    registered: Mapped[int] = mapped_column(Integer)
    known: Mapped[int] = mapped_column(Integer)
    merged: Mapped[int] = mapped_column(Integer)
    review: Mapped[int] = mapped_column(Integer)
    refused: Mapped[int] = mapped_column(Integer)
    began_at: Mapped[datetime]
    began_by: Mapped[UUID] = mapped_column(Id)
    ended_at: Mapped[datetime | None]


class ResidentImportedRow(Base):
    """What became of one line; `resident_id` is who it made, or who was there already (`known`)."""

    __tablename__ = "resident_imported"
    __table_args__ = (CheckConstraint("outcome IN ('registered', 'known', 'merged', 'review')", name="outcome_known"),)

    import_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident_import.id"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    outcome: Mapped[str] = mapped_column(String(10))
    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), index=True)


append_only(ResidentImportedRow.__table__)
