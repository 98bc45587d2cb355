"""Who was shown a resident's data, and the photo that is shown. Looks are never changed: they are the resident's."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, append_only


class ResidentLookRow(Base):
    """Name and role as they were at that moment: people change posts, and the resident asks years later."""

    __tablename__ = "resident_look"
    __table_args__ = (Index("ix_resident_look_resident", "resident_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"))
    at: Mapped[datetime]
    actor: Mapped[UUID] = mapped_column(Id)
    actor_name: Mapped[str] = mapped_column(String(100))
    role: Mapped[str] = mapped_column(String(100))
    device_id: Mapped[UUID | None] = mapped_column(Id)
    purpose: Mapped[str] = mapped_column(String(200))
    fields: Mapped[str] = mapped_column(String(200))


class ResidentPhotoRow(Base):
    """Every photo that was ever kept of somebody, by its number: who put it there, when, and its SHA-256.

    Only the newest has its content: an older face is nobody's business, but that there was one is.
    """

    __tablename__ = "resident_photo"
    __table_args__ = (CheckConstraint("media_type IN ('image/jpeg', 'image/png')", name="media_type_known"),)

    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    media_type: Mapped[str] = mapped_column(String(20))
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    stored_at: Mapped[datetime]
    stored_by: Mapped[UUID] = mapped_column(Id)


append_only(ResidentLookRow.__table__)
append_only(ResidentPhotoRow.__table__, erasable=["content"])
