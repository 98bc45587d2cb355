"""A challenge to a card's key, whichever of the standard's algorithms it has (SP 800-78-5, Table 9). Pure.

The city's own cards have P-256 only. Strangers' cards are checked too, and theirs are RSA and P-384 as well.
"""

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from terminals.card.apdu import (
    ALGORITHM_P256,
    ALGORITHM_P384,
    ALGORITHM_RSA_1024,
    ALGORITHM_RSA_2048,
    ALGORITHM_RSA_3072,
    ALGORITHM_RSA_4096,
)
from terminals.card.errors import CardError

_RSA: Final = {
    1024: ALGORITHM_RSA_1024,
    2048: ALGORITHM_RSA_2048,
    3072: ALGORITHM_RSA_3072,
    4096: ALGORITHM_RSA_4096,
}
_DIGEST_INFO_SHA256: Final = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 9.2, note 1


class UnknownKeyKind(CardError):
    code = "card_key_kind"

    def __init__(self) -> None:
        super().__init__("The certificate's key is of a kind that no PIV card has; the card cannot be checked.")


@dataclass(frozen=True, slots=True)
class KeyKind:
    """How a card is asked to sign with this key: the algorithm's identifier, the digest's length, a name."""

    identifier: int
    digest_length: int
    title: str


def kind_of(public_key: PublicKeyTypes) -> KeyKind:
    """Raises: UnknownKeyKind."""
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        if isinstance(public_key.curve, ec.SECP256R1):
            return KeyKind(ALGORITHM_P256, hashes.SHA256.digest_size, "EC P-256")
        if isinstance(public_key.curve, ec.SECP384R1):
            return KeyKind(ALGORITHM_P384, hashes.SHA384.digest_size, "EC P-384")
    if isinstance(public_key, rsa.RSAPublicKey) and public_key.key_size in _RSA:
        return KeyKind(_RSA[public_key.key_size], hashes.SHA256.digest_size, f"RSA-{public_key.key_size}")
    raise UnknownKeyKind


def block_for(public_key: PublicKeyTypes, digest: bytes) -> bytes:
    """What the card is sent: an EC key signs the digest, an RSA key a padded block (RFC 8017 9.2)."""
    if not isinstance(public_key, rsa.RSAPublicKey):
        return digest
    content = _DIGEST_INFO_SHA256 + digest
    filling = public_key.key_size // 8 - len(content) - 3
    return b"\x00\x01" + b"\xff" * filling + b"\x00" + content


def signed(public_key: PublicKeyTypes, digest: bytes, answer: bytes) -> bool:
    """Whether the card's answer is the signature of that block by the private half of this key."""
    try:
        if isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(answer, digest, padding.PKCS1v15(), utils.Prehashed(hashes.SHA256()))
        elif isinstance(public_key, ec.EllipticCurvePublicKey):
            hash_ = hashes.SHA256() if len(digest) == hashes.SHA256.digest_size else hashes.SHA384()
            public_key.verify(answer, digest, ec.ECDSA(utils.Prehashed(hash_)))
        else:
            return False
    except InvalidSignature:
        return False
    return True
