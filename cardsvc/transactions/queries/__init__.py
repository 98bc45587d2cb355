"""Reads of transactions: one by one, as receipts, and all of them to be proved again."""

from cardsvc.transactions.queries.checking import TransactionsChecked, UnprovedEntry, check_transactions, contents
from cardsvc.transactions.queries.clocks import clock, clocks
from cardsvc.transactions.queries.reading import (
    Known,
    ReceiptNotReady,
    RecordIdConflict,
    StoredTransaction,
    UnknownReceipt,
    charged_moments,
    known,
    stored,
    stored_many,
    walk,
)
from cardsvc.transactions.queries.receipts import receipt, receipts

__all__ = [
    "Known",
    "ReceiptNotReady",
    "RecordIdConflict",
    "StoredTransaction",
    "TransactionsChecked",
    "UnknownReceipt",
    "UnprovedEntry",
    "charged_moments",
    "check_transactions",
    "clock",
    "clocks",
    "contents",
    "known",
    "receipt",
    "receipts",
    "stored",
    "stored_many",
    "walk",
]
