"""The table of the wallets. Money is not here: it is in the ledger, in accounts named after the wallet."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, Id


class WalletRow(Base):
    __tablename__ = "wallet"
    __table_args__ = (CheckConstraint("status IN ('open', 'closed')", name="status_known"),)

    id: Mapped[UUID] = mapped_column(Id, primary_key=True)
    resident_id: Mapped[UUID] = mapped_column(Id, ForeignKey("resident.id"), unique=True)
    opened_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(String(10))
