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
from cardsvc.transactions.handler import Handler, Registry, Section, Sections, Wiring
from cardsvc.transactions.queries import (
    RecordIdConflict,
    StoredTransaction,
    UnknownReceipt,
    check_authorisations,
    receipt,
    stored,
)
from cardsvc.transactions.rules import CardRef, DeviceRef, Item, Plan, Reason, Rejected, StaffRef

__all__ = [
    "BatchAnswer",
    "CardRef",
    "Desk",
    "DeviceRef",
    "Handler",
    "Item",
    "ItemResult",
    "Plan",
    "Reason",
    "RecordIdConflict",
    "Registry",
    "Rejected",
    "Section",
    "Sections",
    "StaffRef",
    "StoredTransaction",
    "TerminalRevoked",
    "UnknownReceipt",
    "UnknownTerminal",
    "Wiring",
    "accept",
    "act",
    "act_as_service",
    "check_authorisations",
    "receipt",
    "stored",
]
