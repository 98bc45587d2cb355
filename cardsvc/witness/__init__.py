"""A witness of transparency logs (C2SP tlog-witness), for a partner to run: it signs what only grew."""

from cardsvc.witness.actions import Witness
from cardsvc.witness.rules import WitnessKey, WitnessKeyUnreadable, WitnessStateBroken

__all__ = ["Witness", "WitnessKey", "WitnessKeyUnreadable", "WitnessStateBroken"]
