"""The validator: takes taps at a gate or on a bus, with or without a network."""

from terminals.validator.gate import Validator
from terminals.validator.rules import TapRefused
from terminals.validator.values import DUPLICATE_MS, Outcome, Place, TapResult

__all__ = ["DUPLICATE_MS", "Outcome", "Place", "TapRefused", "TapResult", "Validator"]
