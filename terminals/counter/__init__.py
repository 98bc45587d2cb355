"""The counter: issues cards, verifies them, takes cash."""

from terminals.counter.errors import (
    CardNotInForce,
    CounterError,
    LastPukTry,
    NoOpenShift,
    NothingDue,
    NotMade,
    PinsDiffer,
    ReadbackDiffers,
    ShiftStillOpen,
    WrongAmount,
    WrongCertificate,
)
from terminals.counter.holder import HolderCard, HolderDesk
from terminals.counter.personalise import MadeCard, Personalisation, Step
from terminals.counter.pinning import PukState
from terminals.counter.secret import Intake
from terminals.counter.till import CURRENCY, Shift, Taken, Till, TopUp, read_pesos
from terminals.counter.unlock import KeyState
from terminals.counter.verify import VerifiedCard, verify_card

__all__ = [
    "CURRENCY",
    "CardNotInForce",
    "CounterError",
    "HolderCard",
    "HolderDesk",
    "Intake",
    "KeyState",
    "LastPukTry",
    "MadeCard",
    "NoOpenShift",
    "NotMade",
    "NothingDue",
    "Personalisation",
    "PinsDiffer",
    "PukState",
    "ReadbackDiffers",
    "Shift",
    "ShiftStillOpen",
    "Step",
    "Taken",
    "Till",
    "TopUp",
    "VerifiedCard",
    "WrongAmount",
    "WrongCertificate",
    "read_pesos",
    "verify_card",
]
