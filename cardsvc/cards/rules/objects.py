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

AFFILIATION = "RESIDENT"
_SERIAL_LENGTH_MAX = 20
_ISSUER_LENGTH_MAX = 15


@dataclass(frozen=True, slots=True)
class Printed:
    """The text of the card's face, as the printed information object repeats it (part 1, table 17)."""

    name: str
    affiliation: str
    expires_on: date
    serial: str
    issuer: str


def printed(card_id: UUID, *, name: str, expires_on: date, blank_serial: str | None, city_name: str) -> Printed:
    """What the city prints. The serial is the blank's; where none is known or it is too long, the card id's start."""
    short = blank_serial is not None and len(blank_serial.encode()) <= _SERIAL_LENGTH_MAX
    serial = blank_serial if short and blank_serial is not None else card_id.hex[:_SERIAL_LENGTH_MAX].upper()
    return Printed(name, AFFILIATION, expires_on, serial, city_name[:_ISSUER_LENGTH_MAX].strip())
