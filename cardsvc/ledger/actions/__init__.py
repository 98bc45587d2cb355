"""What changes the ledger: accounts opened and closed, batches of drafts posted."""

from cardsvc.ledger.actions.accounts import close_account, lock, open_accounts
from cardsvc.ledger.actions.chart import CHART, adopt_packaged
from cardsvc.ledger.actions.posting import post
from cardsvc.ledger.actions.snapshots import forget_snapshots, take_all_snapshots, take_snapshots

__all__ = [
    "CHART",
    "adopt_packaged",
    "close_account",
    "forget_snapshots",
    "lock",
    "open_accounts",
    "post",
    "take_all_snapshots",
    "take_snapshots",
]
