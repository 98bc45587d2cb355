"""The printed information object of a PIV card (SP 800-73-5 Part 1, 3.3.4 and Table 17): what stands on its face."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PrintedInformation:
    """What is printed. A text that is too long for its element is refused, never cut."""

    name: str
    affiliation: str
    expires_on: date
    serial: str
    issuer: str


def printed_information(printed: PrintedInformation) -> bytes:
    """The content of 5FC109 (inside its tag 53). Raises: MalformedMessage for a text that does not fit."""
    raise NotImplementedError


def read_printed_information(data: bytes) -> PrintedInformation:
    """Take it apart; a foreign card's too. Raises: MalformedMessage."""
    raise NotImplementedError
