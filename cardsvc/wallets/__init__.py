"""Residents' wallets: a resident, two accounts of the ledger, and the pages that show them."""

from cardsvc.wallets.actions import open_wallets
from cardsvc.wallets.queries import Purse, Summary, Wallet, by_residents, of_resident, purses, statement, summary
from cardsvc.wallets.rules import WalletNotFound, main_account, owed_account

__all__ = [
    "Purse",
    "Summary",
    "Wallet",
    "WalletNotFound",
    "by_residents",
    "main_account",
    "of_resident",
    "open_wallets",
    "owed_account",
    "purses",
    "statement",
    "summary",
]
