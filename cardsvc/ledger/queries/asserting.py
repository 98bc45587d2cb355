"""Balances that somebody signed off, and whether they still are what was signed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from cardsvc.ledger.models import Account, AssertionWithdrawal, BalanceAssertion, Entry, Posting
from cardsvc.ledger.queries.periods import booked_by
from cardsvc.ledger.rules import AccountKind, BooksDoNotBalance, UnknownAccount

_CODES_MAX = 10_000  # parameters of one statement


@dataclass(frozen=True, slots=True)
class AssertionView:
    """A balance as asserted and as the books had it then, both natural. Withdrawn: who, when and why; else None."""

    id: UUID
    account_code: str
    day: date
    asserted_cents: int
    found_cents: int
    held: bool
    document: str
    asserted_by: UUID
    asserted_at: datetime
    withdrawn_by: UUID | None
    withdrawn_at: datetime | None
    withdrawn_why: str | None

    @property
    def difference_cents(self) -> int:
        """Asserted less found."""
        return self.asserted_cents - self.found_cents

    @property
    def stands(self) -> bool:
        return self.held and self.withdrawn_at is None


def last_asserted(session: Session, codes: Iterable[str]) -> dict[str, date]:
    """The last day for which the balance stands asserted, of those of the accounts that have one."""
    wanted = list(dict.fromkeys(codes))
    found: dict[str, date] = {}
    for start in range(0, len(wanted), _CODES_MAX):
        query = (
            sa.select(BalanceAssertion.account_code, sa.func.max(BalanceAssertion.day))
            .join(AssertionWithdrawal, isouter=True)
            .where(
                BalanceAssertion.held,
                AssertionWithdrawal.assertion_id.is_(None),
                BalanceAssertion.account_code.in_(wanted[start : start + _CODES_MAX]),
            )
            .group_by(BalanceAssertion.account_code)
        )
        found.update((row[0], row[1]) for row in session.execute(query))
    return found


def balance_on(session: Session, code: str, day: date) -> int:
    """The account's natural balance of everything booked up to the end of the day. Raises: UnknownAccount."""
    found = session.execute(sa.select(Account.id, Account.kind).where(Account.code == code)).one_or_none()
    if found is None:
        raise UnknownAccount(code)
    query = sa.select(sa.func.sum(Posting.amount_cents)).join(Entry, Entry.seq == Posting.entry_seq)
    total = session.scalar(query.where(Posting.account_id == found.id, booked_by(day)))
    return int(total or 0) * AccountKind(found.kind).sign


_COLUMNS = (
    BalanceAssertion.id,
    BalanceAssertion.account_code,
    BalanceAssertion.day,
    BalanceAssertion.asserted_cents,
    BalanceAssertion.found_cents,
    BalanceAssertion.held,
    BalanceAssertion.document,
    BalanceAssertion.asserted_by,
    BalanceAssertion.asserted_at,
    AssertionWithdrawal.withdrawn_by,
    AssertionWithdrawal.withdrawn_at,
    AssertionWithdrawal.reason,
)
_VIEWS: Any = sa.select(*_COLUMNS).join_from(BalanceAssertion, AssertionWithdrawal, isouter=True)


def assertion(session: Session, assertion_id: UUID) -> AssertionView | None:
    row = session.execute(_VIEWS.where(BalanceAssertion.id == assertion_id)).one_or_none()
    return None if row is None else AssertionView(*row)


def assertions(session: Session, *, account: str | None = None, limit: int = 200) -> list[AssertionView]:
    """The newest first."""
    query = _VIEWS.order_by(BalanceAssertion.asserted_at.desc(), BalanceAssertion.id.desc()).limit(limit)
    if account is not None:
        query = query.where(BalanceAssertion.account_code == account)
    return [AssertionView(*row) for row in session.execute(query)]


def open_failures(session: Session, *, until: date = date.max) -> list[AssertionView]:
    """Assertions that failed and were neither withdrawn nor followed by one of the same account and day that held."""
    later = aliased(BalanceAssertion)
    mended = (
        sa.select(later.id)
        .where(
            later.account_code == BalanceAssertion.account_code,
            later.day == BalanceAssertion.day,
            later.held,
            later.asserted_at > BalanceAssertion.asserted_at,
        )
        .exists()
    )
    query = _VIEWS.where(
        sa.not_(BalanceAssertion.held),
        AssertionWithdrawal.assertion_id.is_(None),
        BalanceAssertion.day <= until,
        sa.not_(mended),
    )
    return [AssertionView(*row) for row in session.execute(query.order_by(BalanceAssertion.day))]


@dataclass(frozen=True, slots=True)
class AssertionsChecked:
    """How many balances stand asserted; all of them are what was signed."""

    assertions: int


def check_assertions(session: Session) -> AssertionsChecked:
    """Recompute every balance that stands asserted. Raises: BooksDoNotBalance."""
    held = [found for found in assertions(session, limit=1_000_000) if found.stands]
    for found in held:
        now_cents = balance_on(session, found.account_code, found.day)
        if now_cents != found.asserted_cents:
            raise BooksDoNotBalance(
                f"account {found.account_code} was asserted at {found.asserted_cents} cents on {found.day}"
                f" and has {now_cents}"
            )
    return AssertionsChecked(len(held))
