"""Balances of the past, kept so that a balance needs few postings. All of it is computed from the entries and may be
thrown away: `check_books` recomputes it, and an answer never depends on how much of it is there.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, append_only, refuse
from cardsvc.ledger.models.core import Entry


class BalanceSnapshot(Base):
    """An account after its entry `entry_seq`: `cents` is the sum of all its postings until then, debit positive.

    A *block* are the postings behind the snapshot before (`after_seq`) up to this one: what they sum to, and between
    which dates they lie. A question about dates skips or takes whole blocks and looks into few.
    """

    __tablename__ = "balance_snapshot"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True, autoincrement=False)
    entry_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    after_seq: Mapped[int]
    postings: Mapped[int]
    cents: Mapped[int]
    block_cents: Mapped[int]
    happened_min: Mapped[datetime]
    happened_max: Mapped[datetime]
    recorded_min: Mapped[datetime]
    recorded_max: Mapped[datetime]
    booked_min: Mapped[date]
    booked_max: Mapped[date]


class RunningBalance(Base):
    """Every account as the mark found it, with the block that it has begun; the dates are NULL while that is empty."""

    __tablename__ = "running_balance"

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True, autoincrement=False)
    after_seq: Mapped[int]
    postings: Mapped[int]
    cents: Mapped[int]
    block_cents: Mapped[int]
    happened_min: Mapped[datetime | None]
    happened_max: Mapped[datetime | None]
    recorded_min: Mapped[datetime | None]
    recorded_max: Mapped[datetime | None]
    booked_min: Mapped[date | None]
    booked_max: Mapped[date | None]


class SnapshotMark(Base):
    """How far the entries were looked at: `running_balance` are the balances after this place of the log. One row."""

    __tablename__ = "snapshot_mark"
    __table_args__ = (sa.CheckConstraint("id = 1", "one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_seq: Mapped[int]


class LedgerImport(Base):
    """Books that were moved here from elsewhere: which text it was, who took it in and signed for it. Its entries have
    places below zero: they are in no log here, and nothing here proves who moved that money.
    """

    __tablename__ = "ledger_import"

    content_hash: Mapped[bytes] = mapped_column(primary_key=True)
    imported_by: Mapped[UUID]
    imported_at: Mapped[datetime]
    statement: Mapped[bytes]  # what was signed
    signature: Mapped[bytes]
    accounts: Mapped[int]
    entries: Mapped[int]


append_only(LedgerImport.__table__)

# Only entries with an accounting date of their own are in it: a tap writes nothing to it.
_DATED = sa.text("booked_on IS NOT NULL")
sa.Index("ix_entry_booked_on", Entry.booked_on, sqlite_where=_DATED, postgresql_where=_DATED)
refuse(
    BalanceSnapshot.__table__,
    "no_update",
    "UPDATE",
    when="TRUE",
    message="balance_snapshot is computed: throw it away and have it made again",
)
