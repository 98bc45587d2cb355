"""Verbs: accept a batch, answer a query, act for a staff member, act for the service."""

from cardsvc.transactions.actions.accepting import BatchAnswer, ItemResult, accept, accept_many, accept_opened
from cardsvc.transactions.actions.acting import act, act_as_service
from cardsvc.transactions.actions.answering import QueryRefused, answer, forget_queries
from cardsvc.transactions.actions.by_passkey import act_by_passkey, draft
from cardsvc.transactions.actions.disputes import DECIDING, REFUSE, SETTLE, refuse, settlement
from cardsvc.transactions.actions.erasing import ERASE
from cardsvc.transactions.actions.opening import Desk, Opened, TerminalRevoked, UnknownTerminal, open_batch
from cardsvc.transactions.actions.serving import serve
from cardsvc.transactions.actions.settling import Settling
from cardsvc.transactions.actions.taking import Taking

__all__ = [
    "DECIDING",
    "ERASE",
    "REFUSE",
    "SETTLE",
    "BatchAnswer",
    "Desk",
    "ItemResult",
    "Opened",
    "QueryRefused",
    "Settling",
    "Taking",
    "TerminalRevoked",
    "UnknownTerminal",
    "accept",
    "accept_many",
    "accept_opened",
    "act",
    "act_as_service",
    "act_by_passkey",
    "answer",
    "draft",
    "forget_queries",
    "open_batch",
    "refuse",
    "serve",
    "settlement",
]
