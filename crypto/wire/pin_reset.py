"""What the service and a counter share about a forgotten PIN: what the card signs, and which PUK opens it.

Version 1 is fixed for ever.
"""

import hashlib
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto import cbor
from crypto.wire.personalisation import SecretRequest

_VERSION: Final = 1
_DIGITS: Final = 8
_DERIVED_BYTES: Final = 16  # so many more than the digits need that no digit is likelier than another


def statement(request: SecretRequest) -> bytes:
    """Signed by 9E: the card is here while this counter makes this request for its PUK.

    The request names one counter, one answer (`step`) and one key to seal it for; it is good for no other.
    """
    digest = hashlib.sha256(request.encode()).digest()
    return cbor.encode(["city.pin-reset", _VERSION, request.card_id.bytes, digest])


def derived_puk(management_key: bytes) -> bytearray:
    """The card's PUK: eight digits that follow from its management key, so that nobody has to keep them (RFC 5869).

    Whoever uses it wipes it.
    """
    return digits(HKDF(hashes.SHA256(), _DERIVED_BYTES, salt=None, info=b"puk").derive(management_key))


def digits(source: bytes) -> bytearray:
    """Eight decimal digits of these random bytes."""
    return bytearray(f"{int.from_bytes(source) % 10**_DIGITS:0{_DIGITS}d}".encode())
