"""The validator: takes taps at a gate or on a bus, with or without a network."""

from terminals.validator.gate import Validator, forget_settled
from terminals.validator.inspecting import Finding, Inspection, Inspector
from terminals.validator.rules import TapRefused
from terminals.validator.showing import AmountOf, Colour, Icon, Shown, Tone, shown
from terminals.validator.values import DUPLICATE_MS, PASS_BACK_MS, Mode, Outcome, Place, TapResult

__all__ = [
    "DUPLICATE_MS",
    "PASS_BACK_MS",
    "AmountOf",
    "Colour",
    "Finding",
    "Icon",
    "Inspection",
    "Inspector",
    "Mode",
    "Outcome",
    "Place",
    "Shown",
    "TapRefused",
    "TapResult",
    "Tone",
    "Validator",
    "forget_settled",
    "shown",
]
