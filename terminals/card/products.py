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
    """A driver for what the standard leaves to the product.

    `can_replace`: whether a command for a new 9B is known; None while only the card's version can tell.
    """

    @property
    def name(self) -> str: ...

    @property
    def can_replace(self) -> bool | None: ...

    def set_management_key(self, algorithm: ManagementAlgorithm, key: Octets) -> CommandApdu:
        """The command that replaces 9B, once 9B is authenticated. Raises: ProductUnsupported."""
        ...


@dataclass(frozen=True, slots=True)
class YubicoStyle:
    """Products that know Yubico's INS FF: YubiKeys, PivApplet, and the demo card.

    A card that only imitates Yubico's version command refuses the key command, before anything is changed.
    """

    name: str = "Yubico-style PIV card"
    can_replace: bool | None = True

    def set_management_key(self, algorithm: ManagementAlgorithm, key: Octets) -> CommandApdu:
        data = bytearray((algorithm.identifier, KEY_MANAGEMENT, len(key)))
        data += key
        return CommandApdu(CLA_PLAIN, INS_SET_MANAGEMENT_KEY, P1_SET_KEY, P2_SET_KEY, data)


@dataclass(frozen=True, slots=True)
class UnknownProduct:
    """A PIV card whose vendor's command nobody has taught us. It can be used once issued, but not be issued by us."""

    name: str = "this card product"
    can_replace: bool | None = None

    def set_management_key(self, algorithm: ManagementAlgorithm, key: Octets) -> CommandApdu:  # noqa: ARG002
        raise ProductUnsupported(self.name)


ATR_DEMO_CARD: Final = bytes.fromhex("3B8580018073C821100E")
_YUBICO_HISTORICAL: Final = b"Yubi"
_PIV_APPLET: Final = "PivApplet"
# It takes a key only through GlobalPlatform's secure channel, with keys that a counter has no business to know.
_OPEN_FIPS: Final = "OpenFIPS201"


def product_of(atr: bytes, label: str = "", version: bytes = b"") -> CardProduct:
    """The driver for a card with this answer to reset, this application label, and this version (Yubico's FD)."""
    if atr == ATR_DEMO_CARD and not label.startswith((_PIV_APPLET, _OPEN_FIPS)):
        return YubicoStyle("virtual city card")
    if _YUBICO_HISTORICAL in atr:
        return YubicoStyle("YubiKey")
    if label.startswith(_OPEN_FIPS):
        return UnknownProduct(_OPEN_FIPS, can_replace=False)
    if label.startswith(_PIV_APPLET):
        return YubicoStyle(label)
    if version:
        return YubicoStyle(f"Yubico-style PIV card {'.'.join(map(str, version))}")
    return UnknownProduct(label or "this card product")
