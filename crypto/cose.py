"""COSE_Sign1 (RFC 9052 4.2) in one narrow profile.

Tag 18 on the wire; the protected header holds the algorithm (ES256 or EdDSA) and nothing else; the unprotected header
holds `kid` or nothing. `kid` is unprotected because a terminal may learn which card it was only after the signature: it
selects a key, and verifying under that key is what proves it.
"""

from dataclasses import dataclass

from crypto import cbor, keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import Algorithm, PublicKey, Signer

_TAG_SIGN1 = b"\xd2"  # RFC 9052 4.2: tag 18, in its shortest form
_HEADER_ALGORITHM = 1  # RFC 9052 3.1
_HEADER_KID = 4  # RFC 9052 3.1
_CONTEXT = "Signature1"  # RFC 9052 4.4
KID_BYTES_MAX = 64
OTHER_ALGORITHM = "The message names another algorithm than this key is used with."
_ITEMS_MAX = 5  # the four parts and a key id

_PROTECTED = {algorithm: cbor.encode({_HEADER_ALGORITHM: int(algorithm)}) for algorithm in Algorithm}
# an array of four whose first two parts never change (RFC 8949 3.1)
_BEGINNING = {
    algorithm: b"\x84" + cbor.encode(_CONTEXT) + cbor.encode(protected) for algorithm, protected in _PROTECTED.items()
}
_ALGORITHM = {protected: algorithm for algorithm, protected in _PROTECTED.items()}


@dataclass(frozen=True, slots=True)
class Sign1:
    """A message taken apart, nothing verified. `kid` is b"" where there is none; `payload` is None where detached."""

    algorithm: Algorithm
    kid: bytes
    payload: bytes | None
    signature: bytes


def sign1(payload: bytes, signer: Signer, *, kid: bytes, external_aad: bytes = b"") -> bytes:
    """Sign and enclose the payload."""
    return assemble(payload, _signature(payload, signer, external_aad), kid=kid, algorithm=signer.algorithm)


def detached1(payload: bytes, signer: Signer, *, kid: bytes, external_aad: bytes = b"") -> bytes:
    """Sign the payload and leave it out of the message (RFC 9052 2): the reader has it already."""
    return assemble(None, _signature(payload, signer, external_aad), kid=kid, algorithm=signer.algorithm)


def _signature(payload: bytes, signer: Signer, external_aad: bytes) -> bytes:
    return signer.sign(to_be_signed(payload, external_aad=external_aad, algorithm=signer.algorithm))


def to_be_signed(payload: bytes, *, external_aad: bytes = b"", algorithm: Algorithm = Algorithm.ES256) -> bytes:
    """The Sig_structure (RFC 9052 4.4). A card signs its SHA-256."""
    return _BEGINNING[algorithm] + cbor.byte_string(external_aad) + cbor.byte_string(payload)


def assemble(payload: bytes | None, signature: bytes, *, kid: bytes, algorithm: Algorithm = Algorithm.ES256) -> bytes:
    """Put a message together from a signature made elsewhere: by a card, or by a hardware module."""
    _check_sizes(kid, signature)
    unprotected: dict[cbor.Key, cbor.Value] = {_HEADER_KID: kid} if kid else {}
    return _TAG_SIGN1 + cbor.encode([_PROTECTED[algorithm], unprotected, payload, signature])


def parse(message: bytes) -> Sign1:
    """Take a message apart without verifying it. Raises: MalformedMessage."""
    if message[:1] != _TAG_SIGN1:
        raise MalformedMessage("The message is not a COSE_Sign1 with its tag 18.")
    match cbor.decode(message[1:], depth_max=2, items_max=_ITEMS_MAX):
        case [bytes(protected), dict(unprotected), (bytes() | None) as payload, bytes(signature)]:
            pass
        case _:
            raise MalformedMessage("The COSE_Sign1 does not have its four parts.")
    algorithm = _ALGORITHM.get(protected)
    if algorithm is None:
        raise MalformedMessage("The protected header is not the algorithm ES256 or EdDSA alone.")
    kid = _kid(unprotected)
    _check_sizes(kid, signature)
    return Sign1(algorithm, kid, payload, signature)


def verify1(
    message: bytes, public_key: PublicKey, *, external_aad: bytes = b"", detached: bytes | None = None
) -> bytes:
    """Return the payload that the key signed. `detached` is the payload of a message that does not enclose it.

    Raises: MalformedMessage; InvalidSignature, also when the key is of another kind than the message says.
    """
    parts = parse(message)
    if (parts.payload is None) == (detached is None):
        raise MalformedMessage("A payload must be given exactly where the message does not enclose one.")
    payload = parts.payload if parts.payload is not None else detached
    assert payload is not None
    return verify_parts(parts, public_key, payload, external_aad=external_aad)


def verify_parts(parts: Sign1, public_key: PublicKey, payload: bytes, *, external_aad: bytes = b"") -> bytes:
    """`verify1` for a message that was parsed before. Raises: InvalidSignature."""
    if parts.algorithm is not keys.algorithm_of(public_key):
        raise InvalidSignature(OTHER_ALGORITHM)
    keys.verify(
        public_key, to_be_signed(payload, external_aad=external_aad, algorithm=parts.algorithm), parts.signature
    )
    return payload


def _kid(unprotected: dict[cbor.Key, cbor.Value]) -> bytes:
    if not unprotected:
        return b""
    kid = unprotected.get(_HEADER_KID)
    if len(unprotected) != 1 or not isinstance(kid, bytes) or not kid:
        raise MalformedMessage("The unprotected header holds something else than a key id.")
    return kid


def _check_sizes(kid: bytes, signature: bytes) -> None:
    if len(kid) > KID_BYTES_MAX:
        raise MalformedMessage(f"The key id is longer than {KID_BYTES_MAX} bytes.")
    if len(signature) != keys.SIGNATURE_BYTES:
        raise MalformedMessage(f"A signature has {keys.SIGNATURE_BYTES} bytes, this one has {len(signature)}.")
