"""One person entered twice: where to look for them, the pairs somebody must look at, what was merged and parted."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id, append_only


class ResidentBlockRow(Base):
    """People who share a key are compared with each other, nobody else is (`rules.blocking`)."""

    __tablename__ = "resident_block"

    key: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), primary_key=True, index=True)


class ResidentAliasRow(Base):
    """A resident who is another one, until somebody parts them again. Their own row stays as it was."""

    __tablename__ = "resident_alias"
    __table_args__ = (CheckConstraint("resident_id <> into_id", name="two_people"),)

    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), primary_key=True)
    into_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), index=True)


class ResidentMergeRow(Base):
    """The history of aliases. `why` and `score` are those of the comparison, where one was made."""

    __tablename__ = "resident_merge"
    __table_args__ = (
        CheckConstraint("kind IN ('merged', 'parted')", name="kind_known"),
        Index("ix_resident_merge_resident", "resident_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"))
    into_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[UUID] = mapped_column(Id)
    reason: Mapped[str] = mapped_column(String(200))
    score: Mapped[int | None] = mapped_column(Integer)
    why: Mapped[str | None] = mapped_column(Text)


class ResidentPairRow(Base):
    """Two residents who may be one. The smaller id is the first, so that a pair stands here once."""

    __tablename__ = "resident_pair"
    __table_args__ = (
        CheckConstraint("first_id < second_id", name="ordered"),
        CheckConstraint("state IN ('open', 'merged', 'distinct')", name="state_known"),
        CheckConstraint(
            "(state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL)", name="decided"
        ),
        UniqueConstraint("first_id", "second_id"),
        Index("ix_resident_pair_open", "state", "score", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    first_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"))
    second_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), index=True)
    score: Mapped[int] = mapped_column(Integer)
    why: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(8))
    found_at: Mapped[datetime]
    import_id: Mapped[UUID | None] = mapped_column(Id, ForeignKey("resident_import.id"))
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None] = mapped_column(Id)
    reason: Mapped[str | None] = mapped_column(String(200))


append_only(ResidentMergeRow.__table__)
