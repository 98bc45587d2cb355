"""Balances that somebody signed off."""

from collections.abc import Iterable
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import AssertionWithdrawal, BalanceAssertion

_CODES_MAX = 10_000  # parameters of one statement


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
