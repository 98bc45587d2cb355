"""The ledger's tables, a module for each of its duties."""

from cardsvc.ledger.models.chart import ChartDocument, ChartVersion
from cardsvc.ledger.models.core import ZERO_SUM_DDL, Account, Balance, Entry, Posting
from cardsvc.ledger.models.functions import FUNCTIONS_DDL
from cardsvc.ledger.models.holds import Hold
from cardsvc.ledger.models.periods import AssertionWithdrawal, BalanceAssertion, PeriodEvent
from cardsvc.ledger.models.snapshots import BalanceSnapshot, LedgerImport, RunningBalance, SnapshotMark

__all__ = [
    "FUNCTIONS_DDL",
    "ZERO_SUM_DDL",
    "Account",
    "AssertionWithdrawal",
    "Balance",
    "BalanceAssertion",
    "BalanceSnapshot",
    "ChartDocument",
    "ChartVersion",
    "Entry",
    "Hold",
    "LedgerImport",
    "PeriodEvent",
    "Posting",
    "RunningBalance",
    "SnapshotMark",
]
