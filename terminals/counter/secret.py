"""The secrets of a card that is being made: none is stored, none is sent, all are wiped."""

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from terminals.card import ManagementAlgorithm

# What blank PIV cards leave the factory with (github Yubico/yubikey-manager, yubikit/piv.py; many vendors follow it).
FACTORY_PUK: Final = b"12345678"
_FACTORY_PATTERN: Final = bytes(range(1, 9)) * 4
FACTORY_ALGORITHMS: Final = (
    ManagementAlgorithm.AES192,
    ManagementAlgorithm.TDES,
    ManagementAlgorithm.AES128,
    ManagementAlgorithm.AES256,
)
_DIGITS: Final = 8
_DERIVED_BYTES: Final = 16  # so many more than the digits need that no digit is likelier than another


def factory_management_key(algorithm: ManagementAlgorithm) -> bytes:
    """The key a blank card answers to; accepted only to replace it."""
    return _FACTORY_PATTERN[: algorithm.key_length]


def derived_puk(management_key: bytes) -> bytearray:
    """The card's PUK: eight digits that follow from its management key, so that nobody has to keep them (RFC 5869)."""
    derived = HKDF(hashes.SHA256(), _DERIVED_BYTES, salt=None, info=b"puk").derive(management_key)
    return _digits(derived)


def transport_pin(random_bytes: Callable[[int], bytes]) -> bytearray:
    """A PIN for the time until the holder sets another one."""
    return _digits(random_bytes(_DERIVED_BYTES))


def _digits(source: bytes) -> bytearray:
    return bytearray(f"{int.from_bytes(source) % 10**_DIGITS:0{_DIGITS}d}".encode())
