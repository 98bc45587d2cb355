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
    RecordIdConflict,
    StoredTransaction,
    UnknownReceipt,
    check_authorisations,
    receipt,
    stored,
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
    "perform",
    "receipt",
    "stored",
]
