"""How finance's signed records become entries: a module a duty."""

from cardsvc.finance.handler.bank import Depositing, Funds, Withdrawing
from cardsvc.finance.handler.card_fees import TakingCardFee
from cardsvc.finance.handler.holds import HoldCapturing, HoldPlacing, HoldReleasing
from cardsvc.finance.handler.journal import Journal
from cardsvc.finance.handler.mandates import AutoToppingUp
from cardsvc.finance.handler.purses import PurseExpiring, PurseFunding
from cardsvc.finance.handler.reversing import Reversing
from cardsvc.finance.handler.shifts import ShiftClosing, ShiftOpening
from cardsvc.finance.handler.topping_up import ToppingUp
from cardsvc.finance.handler.transfers import Assigning, TakingTransfer

__all__ = [
    "Assigning",
    "AutoToppingUp",
    "Depositing",
    "Funds",
    "HoldCapturing",
    "HoldPlacing",
    "HoldReleasing",
    "Journal",
    "PurseExpiring",
    "PurseFunding",
    "Reversing",
    "ShiftClosing",
    "ShiftOpening",
    "TakingCardFee",
    "TakingTransfer",
    "ToppingUp",
    "Withdrawing",
]
