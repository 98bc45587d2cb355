"""What a card forgets without power: which interface, who is authenticated. And the access rules that follow."""

from dataclasses import dataclass
from typing import Final

from terminals.card.apdu import SW
from terminals.card.connection import Interface
from terminals.card.keys import Slot
from terminals.card.objects import DataObject

# Objects anybody may read without contact (SP 800-73-5 Part 1, Table 2).
_FREE_FOR_ALL: Final = frozenset(
    item.value for item in (DataObject.CERTIFICATE_CARD_AUTHENTICATION, DataObject.CHUID, DataObject.DISCOVERY)
)
# Printed information, fingerprints, face, iris, pairing code: the PIN first, on either interface.
_WANT_PIN: Final = frozenset(bytes.fromhex(tag) for tag in ("5FC109", "5FC103", "5FC108", "5FC121", "5FC123"))


class Refused(Exception):
    """A command that ends with this status word and changes nothing more."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


@dataclass(slots=True)
class Access:
    """The security status. A new one at every power cycle and when another application is selected.

    `pin_fresh` is the one signature that 9C gives for a VERIFY. `challenge` is what 9B waits to see, encrypted or
    decrypted; it lives for one command.
    """

    interface: Interface = Interface.CONTACT
    contactless_pin: bool = False
    pin_verified: bool = False
    pin_fresh: bool = False
    management: bool = False
    challenge: bytes | None = None

    @property
    def contact(self) -> bool:
        return self.interface is Interface.CONTACT

    @property
    def full(self) -> bool:
        """The contact interface, or a card that takes the PIN without contact."""
        return self.contact or self.contactless_pin

    def pin_accepted(self) -> None:
        self.pin_verified = self.pin_fresh = True

    def pin_forgotten(self) -> None:
        self.pin_verified = self.pin_fresh = False

    def require_contact(self) -> None:
        if not self.contact:
            raise Refused(SW.NOT_SUPPORTED)

    def require_pin_interface(self) -> None:
        if not self.full:
            raise Refused(SW.NOT_ALLOWED_NOW)

    def require_management(self) -> None:
        self.require_contact()
        if not self.management:
            raise Refused(SW.NOT_ALLOWED_NOW)

    def require_reading(self, tag: bytes) -> None:
        if tag in _FREE_FOR_ALL:
            return
        if not self.full or (tag in _WANT_PIN and not self.pin_verified):
            raise Refused(SW.NOT_ALLOWED_NOW)

    def require_signing(self, slot: Slot) -> None:
        """9E always; 9A after the PIN; 9C once after each PIN (SP 800-73-5 Part 1, Table 4a)."""
        if slot is Slot.CARD_AUTHENTICATION:
            return
        allowed = self.pin_fresh if slot is Slot.SIGNATURE else self.pin_verified
        if not self.full or not allowed:
            raise Refused(SW.NOT_ALLOWED_NOW)
