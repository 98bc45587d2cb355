"""Signed transactions: a terminal's batch comes in, entries and receipts come out, all in one database transaction."""

from cardsvc.transactions.actions import (
    BatchAnswer,
    Desk,
    ItemResult,
    TerminalRevoked,
    UnknownTerminal,
    accept,
    act,
    act_as_service,
)
from cardsvc.transactions.api import perform
from cardsvc.transactions.handler import Handler, Registry, Section, Sections, Wiring
from cardsvc.transactions.queries import (
    ReceiptNotReady,
    RecordIdConflict,
    StoredTransaction,
    TransactionsChecked,
    UnknownReceipt,
    UnprovedEntry,
    check_transactions,
    contents,
    receipt,
    receipts,
    stored,
    stored_many,
)
from cardsvc.transactions.rules import CardRef, DeviceRef, Item, Plan, Reason, Rejected, StaffRef
from cardsvc.transactions.schemas import ActedSchema, PasswordSchema

__all__ = [
    "ActedSchema",
    "BatchAnswer",
    "CardRef",
    "Desk",
    "DeviceRef",
    "Handler",
    "Item",
    "ItemResult",
    "PasswordSchema",
    "Plan",
    "Reason",
    "ReceiptNotReady",
    "RecordIdConflict",
    "Registry",
    "Rejected",
    "Section",
    "Sections",
    "StaffRef",
    "StoredTransaction",
    "TerminalRevoked",
    "TransactionsChecked",
    "UnknownReceipt",
    "UnknownTerminal",
    "UnprovedEntry",
    "Wiring",
    "accept",
    "act",
    "act_as_service",
    "check_transactions",
    "contents",
    "perform",
    "receipt",
    "receipts",
    "stored",
    "stored_many",
]
