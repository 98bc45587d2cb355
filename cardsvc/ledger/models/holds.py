"""Holds as they stand. Every row follows from the ledger's entries; `check_books` recomputes it."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base


class Hold(Base):
    """`account` is where what is left lies; nothing left: it has ended. `limit_cents` bounds all captures together."""

    __tablename__ = "hold"
    __table_args__ = (
        sa.CheckConstraint("left_cents >= 0 AND left_cents <= placed_cents AND placed_cents > 0", "left"),
        sa.CheckConstraint("captured_cents >= 0 AND captured_cents <= limit_cents", "captured"),
        sa.CheckConstraint("(left_cents = 0) = (ended_at IS NOT NULL)", "ended"),
        sa.Index("ix_hold_account", "account", "placed_at"),
        # what stands: the report of ages, and what is to be given back
        sa.Index(
            "ix_hold_standing",
            "expires_at",
            sqlite_where=sa.text("ended_at IS NULL"),
            postgresql_where=sa.text("ended_at IS NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # of the entry that placed it
    account: Mapped[str]
    beneficiary: Mapped[str]
    purpose: Mapped[str]
    placed_cents: Mapped[int]
    captured_cents: Mapped[int]
    left_cents: Mapped[int]
    limit_cents: Mapped[int]
    expires_at: Mapped[datetime | None]
    placed_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
