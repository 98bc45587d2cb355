"""The ledger's tables, a module for each of its duties."""

from cardsvc.ledger.models.core import ZERO_SUM_DDL, Account, Balance, Entry, Posting

__all__ = ["ZERO_SUM_DDL", "Account", "Balance", "Entry", "Posting"]
