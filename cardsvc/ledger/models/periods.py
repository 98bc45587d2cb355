"""What was done to the periods of the books, and which balances somebody signed off: all of it only grows.

The last row of `period_event` says how far the books are closed.
"""

from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from cardsvc.db import Base, append_only
from cardsvc.ledger.rules.periods import PeriodVerb

_VERBS = ", ".join(repr(verb.value) for verb in PeriodVerb)


class PeriodEvent(Base):
    """A month soft closed, closed or reopened. `closed_to` and `soft_closed_to`: how far the books are closed after it.

    `after_seq` orders it among the entries, whatever the clocks said: it came behind that place of the log and before
    the next; -1: before all. A close keeps the trial balance of the month's end (`balance`, JSON) with its hash, and
    the size of the log that a published checkpoint covered.
    """

    __tablename__ = "period_event"
    __table_args__ = (
        sa.CheckConstraint(f"verb IN ({_VERBS})", "verb"),
        sa.CheckConstraint("verb = 'soft_close' OR action_id IS NOT NULL", "by_two"),
        sa.CheckConstraint("verb <> 'reopen' OR reason IS NOT NULL", "reopened_for_a_reason"),
        sa.CheckConstraint(
            "(verb = 'close') = (balance IS NOT NULL AND balance_hash IS NOT NULL AND log_size IS NOT NULL)", "sealed"
        ),
    )

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    month: Mapped[str]
    verb: Mapped[str]
    closed_to: Mapped[date | None]
    soft_closed_to: Mapped[date | None]
    done_at: Mapped[datetime]
    done_by: Mapped[UUID]  # who signed second, where two did
    action_id: Mapped[UUID | None]
    reason: Mapped[str | None]
    log_size: Mapped[int | None]
    after_seq: Mapped[int | None] = mapped_column(sa.BigInteger)  # the last entry's place then; NULL before 0013
    request_id: Mapped[UUID | None]  # the key of a soft close, so that it can be asked again
    balance: Mapped[str | None]
    balance_hash: Mapped[bytes | None]


class BalanceAssertion(Base):
    """What somebody says an account held at the end of a day, and what the books said then. Both are natural."""

    __tablename__ = "balance_assertion"
    __table_args__ = (
        sa.CheckConstraint("held = (asserted_cents = found_cents)", "held"),
        sa.Index("ix_balance_assertion_account_day", "account_code", "day"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_code: Mapped[str] = mapped_column(sa.ForeignKey("account.code"))
    day: Mapped[date]
    asserted_cents: Mapped[int]
    found_cents: Mapped[int]
    held: Mapped[bool]
    document: Mapped[str]  # what it was read from: a bank statement's number, a cash count
    asserted_by: Mapped[UUID]
    asserted_at: Mapped[datetime]


class AssertionWithdrawal(Base):
    __tablename__ = "assertion_withdrawal"

    assertion_id: Mapped[UUID] = mapped_column(sa.ForeignKey("balance_assertion.id"), primary_key=True)
    reason: Mapped[str]
    withdrawn_by: Mapped[UUID]
    withdrawn_at: Mapped[datetime]
    request_id: Mapped[UUID | None]  # the key that it was asked under


append_only(PeriodEvent.__table__)
append_only(BalanceAssertion.__table__)
append_only(AssertionWithdrawal.__table__)
