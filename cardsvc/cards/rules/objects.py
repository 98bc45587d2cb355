"""What goes onto the chip beside keys, certificates and CHUID, and is the same for every card or plain data."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

# SP 800-73-5 part 1, table 3: the tags of the data objects, in hex
CAPABILITIES_TAG = "5FC107"
DISCOVERY_TAG = "7E"
PRINTED_TAG = "5FC109"
FACE_TAG = "5FC108"
SECURITY_TAG = "5FC106"

# Appendix A, table 9: a card capability container that names the data model of PIV (F5 = 0x10) and nothing else.
CAPABILITIES = bytes.fromhex("F000F100F200F300F400F50110F600F700FA00FB00FC00FD00FE00")
# Section 3.3.2: the PIV application, and a PIN policy of the application PIN alone (0x40, 0x00).
DISCOVERY = bytes.fromhex("7E124F0BA0000003080000100001005F2F024000")

DISCOVERY_HEADER_BYTES = 2  # the tag 7E and the length, which the security object does not cover

AFFILIATION = "RESIDENT"
FACE_CREATOR = "CITY"  # who made the facial image object, in its header (SP 800-76-2, table 14)
# Table 17: what an element of the printed information may hold, in bytes
_NAME_BYTES_MAX, _SERIAL_BYTES_MAX, _ISSUER_BYTES_MAX = 125, 20, 15


@dataclass(frozen=True, slots=True)
class Printed:
    """The text of the card's face, as the printed information object repeats it (part 1, table 17)."""

    name: str
    affiliation: str
    expires_on: date
    serial: str
    issuer: str


def printed(card_id: UUID, *, name: str, expires_on: date, blank_serial: str | None, city_name: str) -> Printed:
    """What the chip repeats, cut to what it holds. The serial is the blank's; where none is known or it is too long,
    the card id's start.
    """
    serial = card_id.hex[:_SERIAL_BYTES_MAX].upper()
    if blank_serial is not None and len(blank_serial) <= _SERIAL_BYTES_MAX:
        serial = blank_serial
    return Printed(cut(name, _NAME_BYTES_MAX), AFFILIATION, expires_on, serial, cut(city_name, _ISSUER_BYTES_MAX))


def cut(text: str, bytes_max: int) -> str:
    """The start of the text that fits, by whole letters (UTF-8)."""
    return text.encode()[:bytes_max].decode(errors="ignore").strip()
