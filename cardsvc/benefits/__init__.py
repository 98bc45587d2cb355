"""Benefits: programmes pay residents in cycles that two officers make; a card and its PIN are all a resident needs."""

from cardsvc.benefits.actions import approval_of, create_programme, draft_cycle
from cardsvc.benefits.handler import Approval, Claiming
from cardsvc.benefits.queries import Cycle, Due, Programme, cycles, due, programme, programmes
from cardsvc.benefits.rules import (
    CycleExists,
    CycleLine,
    InvalidCycle,
    ProgrammeExists,
    UnknownCycle,
    UnknownProgramme,
    fund_account,
    list_hash,
    reserve_account,
)

__all__ = [
    "Approval",
    "Claiming",
    "Cycle",
    "CycleExists",
    "CycleLine",
    "Due",
    "InvalidCycle",
    "Programme",
    "ProgrammeExists",
    "UnknownCycle",
    "UnknownProgramme",
    "approval_of",
    "create_programme",
    "cycles",
    "draft_cycle",
    "due",
    "fund_account",
    "list_hash",
    "programme",
    "programmes",
    "reserve_account",
]
