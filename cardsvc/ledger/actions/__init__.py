"""What changes the ledger: accounts opened and closed, batches of drafts posted."""

from cardsvc.ledger.actions.accounts import close_account, lock, open_accounts
from cardsvc.ledger.actions.chart import CHART, adopt_packaged
from cardsvc.ledger.actions.periods import Surroundings
from cardsvc.ledger.actions.periods import handlers as closing_handlers
from cardsvc.ledger.actions.posting import post
from cardsvc.ledger.actions.snapshots import forget_snapshots, take_all_snapshots, take_snapshots

__all__ = [
    "CHART",
    "Surroundings",
    "adopt_packaged",
    "close_account",
    "closing_handlers",
    "forget_snapshots",
    "lock",
    "open_accounts",
    "post",
    "take_all_snapshots",
    "take_snapshots",
]
