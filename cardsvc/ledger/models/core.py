"""The ledger's tables. `entry` and `posting` only grow; `balance` is the one that moves.

`posting` has no foreign keys and is keyed by its account first: on the batch path they cost a third more, and a ledger
spread over several machines cannot have them. `check_books` finds what they would have refused.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, append_only
from cardsvc.ledger.rules import AccountKind, AccountPolicy, Fund

_INT64_MIN_REFUSED = "-9223372036854775807"  # symmetric, so that every amount can be reversed


def _one_of(column: str, values: type[AccountKind | AccountPolicy | Fund]) -> str:
    return f"{column} IN ({', '.join(repr(value.value) for value in values)})"


def _index(name: str, column: str, where: str) -> sa.Index:
    return sa.Index(name, column, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (
        sa.CheckConstraint(_one_of("kind", AccountKind), "kind"),
        sa.CheckConstraint(_one_of("policy", AccountPolicy), "policy"),
        sa.CheckConstraint(_one_of("fund", Fund), "fund"),
        sa.CheckConstraint("policy = 'checked' OR floor_cents IS NULL", "derived_without_floor"),
        # only purses are in these: opening any other account writes to neither
        _index("ix_account_owner", "owner", "owner IS NOT NULL"),
        _index("ix_account_expires_at", "expires_at", "expires_at IS NOT NULL"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    policy: Mapped[str]
    fund: Mapped[str]
    currency: Mapped[str]
    floor_cents: Mapped[int | None]
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    purpose: Mapped[str | None]  # "" on a purse for any purpose; None: no purse
    expires_at: Mapped[datetime | None]
    priority: Mapped[int | None]
    returns_to: Mapped[str | None]
    owner: Mapped[str | None]  # whose purse it is: its code up to ":purse:"


class Balance(Base):
    """The live natural balance of a checked account. The floor is repeated here so that the database can guard it."""

    __tablename__ = "balance"
    __table_args__ = (
        sa.CheckConstraint("floor_cents IS NULL OR balance_cents >= floor_cents", "floor"),
        sa.CheckConstraint(f"balance_cents >= {_INT64_MIN_REFUSED}", "range"),
    )

    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"), primary_key=True, autoincrement=False)
    balance_cents: Mapped[int]
    floor_cents: Mapped[int | None]


class Entry(Base):
    """`seq` is the entry's place in the transparency log; rejected records take places too, so it has gaps."""

    __tablename__ = "entry"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(unique=True)
    kind: Mapped[int]
    currency: Mapped[str]
    happened_at: Mapped[datetime]
    recorded_at: Mapped[datetime] = mapped_column(index=True)
    rule: Mapped[str]
    reverses: Mapped[UUID | None] = mapped_column(unique=True)
    booked_on: Mapped[date | None]  # the accounting date where it is not the day of recording
    notes: Mapped[str | None]  # the metadata, a JSON list of pairs; None: there is none


class Posting(Base):
    __tablename__ = "posting"
    __table_args__ = (
        sa.CheckConstraint("amount_cents <> 0", "amount_not_zero"),
        sa.CheckConstraint(f"amount_cents >= {_INT64_MIN_REFUSED}", "range"),
        {"sqlite_with_rowid": False},  # the primary key is the table: a statement reads one run of pages
    )

    account_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    amount_cents: Mapped[int]


append_only(Entry.__table__)
append_only(Posting.__table__)

# What a statement adds to an entry sums to zero, so every entry does, old ones too: nothing is taken away again.
# SQLite has no triggers on statements; there `check_books` finds what this refuses.
ZERO_SUM_DDL = (
    """
CREATE OR REPLACE FUNCTION ledger_zero_sum() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM added GROUP BY entry_seq HAVING sum(amount_cents) <> 0) THEN
    RAISE EXCEPTION USING MESSAGE = 'posting: every entry sums to zero', ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$
""",
    """
CREATE TRIGGER posting_zero_sum AFTER INSERT ON posting REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION ledger_zero_sum()
""",
)


@event.listens_for(Posting.__table__, "after_create")
def _guard_zero_sum(_table: sa.Table, connection: sa.Connection, **_: object) -> None:
    if connection.dialect.name == "postgresql":
        for statement in ZERO_SUM_DDL:
            connection.exec_driver_sql(statement)
