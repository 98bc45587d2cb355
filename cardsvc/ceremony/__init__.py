"""How a city's keys are made and changed with witnesses: two custodians hold the root key, a signed transcript tells
what was done.
"""

from cardsvc.ceremony.actions import Tools
from cardsvc.ceremony.rules import Transcript

__all__ = ["Tools", "Transcript"]
