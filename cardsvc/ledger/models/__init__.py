"""The ledger's tables, a module for each of its duties."""

from cardsvc.ledger.models.chart import ChartDocument, ChartVersion
from cardsvc.ledger.models.core import ZERO_SUM_DDL, Account, Balance, Entry, Posting
from cardsvc.ledger.models.holds import Hold
from cardsvc.ledger.models.periods import AssertionWithdrawal, BalanceAssertion, PeriodEvent

__all__ = [
    "ZERO_SUM_DDL",
    "Account",
    "AssertionWithdrawal",
    "Balance",
    "BalanceAssertion",
    "ChartDocument",
    "ChartVersion",
    "Entry",
    "Hold",
    "PeriodEvent",
    "Posting",
]
