"""Verifying many signatures at once: by `cryptography` everywhere, eight at a time where the processor can."""

from crypto.verifying.choosing import Choice, Threaded, chosen
from crypto.verifying.lanes import Lanes, LaneVerifier
from crypto.verifying.multibuffer import AcceleratorAbsent, MultiBuffer, open_accelerator
from crypto.verifying.portable import Portable, Verifier

__all__ = [
    "AcceleratorAbsent",
    "Choice",
    "LaneVerifier",
    "Lanes",
    "MultiBuffer",
    "Portable",
    "Threaded",
    "Verifier",
    "chosen",
    "open_accelerator",
]
