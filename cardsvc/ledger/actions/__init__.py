"""What changes the ledger: accounts opened and closed, batches of drafts posted."""

from cardsvc.ledger.actions.accounts import close_account, lock, open_accounts
from cardsvc.ledger.actions.posting import post

__all__ = ["close_account", "lock", "open_accounts", "post"]
