"""Verbs: accept a batch, answer a query, act for a staff member, act for the service."""

from cardsvc.transactions.actions.accepting import (
    BatchAnswer,
    Desk,
    ItemResult,
    TerminalRevoked,
    UnknownTerminal,
    accept,
)
from cardsvc.transactions.actions.acting import act, act_as_service
from cardsvc.transactions.actions.answering import QueryRefused, answer, forget_queries
from cardsvc.transactions.actions.disputes import DECIDING, REFUSE, SETTLE, refuse, settlement
from cardsvc.transactions.actions.settling import Settling

__all__ = [
    "DECIDING",
    "REFUSE",
    "SETTLE",
    "BatchAnswer",
    "Desk",
    "ItemResult",
    "QueryRefused",
    "Settling",
    "TerminalRevoked",
    "UnknownTerminal",
    "accept",
    "act",
    "act_as_service",
    "answer",
    "forget_queries",
    "refuse",
    "settlement",
]
