"""COSE_Sign1 messages taken apart, and what they sign put together, without the general codec where the shape is the
usual one: a whole city's signatures pass here.
"""

from typing import Final

from crypto import cose
from crypto.errors import MalformedMessage
from crypto.keys import Algorithm

_ES256_WITH_KID: Final = bytes.fromhex("d28443a10126a10450")  # tag 18, four parts, ES256, a key id of 16 bytes
_KID: Final = slice(len(_ES256_WITH_KID), len(_ES256_WITH_KID) + 16)
_DETACHED: Final = b"\xf6\x58\x40"  # no payload, then 64 bytes of signature
_DETACHED_AT: Final = slice(_KID.stop, _KID.stop + len(_DETACHED))
_DETACHED_BYTES: Final = _DETACHED_AT.stop + 64
_BYTE, _SHORT = 0x100, 0x10000

Parts = tuple[bytes, bytes | None, bytes]
"""Key id, payload (None where it stands beside), signature."""


def take_apart(message: bytes) -> Parts:
    """Raises: MalformedMessage for anything but ES256."""
    usual = message.startswith(_ES256_WITH_KID)
    if usual and len(message) == _DETACHED_BYTES and message[_DETACHED_AT] == _DETACHED:
        return message[_KID], None, message[_DETACHED_AT.stop :]
    parts = cose.parse(message)
    if parts.algorithm is not Algorithm.ES256:
        raise MalformedMessage("The signature is not one with ES256.")
    return parts.kid, parts.payload, parts.signature


def head(size: int) -> bytes:
    """The head of a CBOR byte string of this size, in its shortest form."""
    if size < 24:  # noqa: PLR2004 - RFC 8949 3
        return bytes((0x40 + size,))
    if size < _BYTE:
        return bytes((0x58, size))
    return b"\x59" + size.to_bytes(2, "big") if size < _SHORT else b"\x5a" + size.to_bytes(4, "big")


def signing_prefix(aad: bytes) -> bytes:
    """What stands before the payload's byte string in the Sig_structure (RFC 9052 4.4) of ES256."""
    return cose.to_be_signed(b"", external_aad=aad)[:-1]
