"""Card products. No standard command replaces the management key, so each product brings its own."""

from dataclasses import dataclass
from typing import Final, Protocol

from terminals.card.apdu import (
    CLA_PLAIN,
    INS_SET_MANAGEMENT_KEY,
    KEY_MANAGEMENT,
    P1_SET_KEY,
    P2_SET_KEY,
    CommandApdu,
    Octets,
)
from terminals.card.errors import ProductUnsupported
from terminals.card.keys import ManagementAlgorithm


class CardProduct(Protocol):
    """A driver for what the standard leaves to the product."""

    @property
    def name(self) -> str: ...

    def set_management_key(self, algorithm: ManagementAlgorithm, key: Octets) -> CommandApdu:
        """The command that replaces 9B, once 9B is authenticated. Raises: ProductUnsupported."""
        ...


@dataclass(frozen=True, slots=True)
class YubicoStyle:
    """Products that know Yubico's INS FF. The demo card is one of them."""

    name: str = "Yubico-style PIV card"

    def set_management_key(self, algorithm: ManagementAlgorithm, key: Octets) -> CommandApdu:
        data = bytearray((algorithm.identifier, KEY_MANAGEMENT, len(key)))
        data += key
        return CommandApdu(CLA_PLAIN, INS_SET_MANAGEMENT_KEY, P1_SET_KEY, P2_SET_KEY, data)


@dataclass(frozen=True, slots=True)
class UnknownProduct:
    """A PIV card whose vendor's command nobody has taught us. It can be used once issued, but not be issued by us."""

    name: str = "this card product"

    def set_management_key(self, algorithm: ManagementAlgorithm, key: Octets) -> CommandApdu:  # noqa: ARG002
        raise ProductUnsupported(self.name)


ATR_DEMO_CARD: Final = bytes.fromhex("3B8580018073C821100E")
_YUBICO_HISTORICAL: Final = b"Yubi"


def product_of(atr: bytes) -> CardProduct:
    """The driver for the card with this answer to reset."""
    if atr == ATR_DEMO_CARD:
        return YubicoStyle("virtual city card")
    if _YUBICO_HISTORICAL in atr:
        return YubicoStyle("YubiKey")
    return UnknownProduct()
