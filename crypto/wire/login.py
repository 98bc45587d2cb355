"""The sign-in of a card: what its 9A key signs, the Web eID way.

The card signs the hashes of the service's origin and of a fresh nonce, under a domain of their own. So the signature
counts at one origin, once, and is never a record, an action or a query. The program beside the reader puts in the
origin that it was set up for, whatever a page tells it. Evolution: version 1 is fixed for ever.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import PublicKey, Signer
from crypto.wire import body, header

DOMAIN = "city.login"
AAD = b"city.login.v1"
NONCE_BYTES = 32  # 256 bits; a shorter one could be guessed or met again
FORMAT = "city-login:1"  # what a token calls itself, as Web eID's do ("web-eid:1.0")

BINDING_DOMAIN = "city.staff-card"
BINDING_AAD = b"city.staff-card.v1"

_ORIGIN = re.compile(r"https?://[a-z0-9.\-\[\]:]{1,253}")
_POINT_BYTES = 65
_NONCE = body.octets(NONCE_BYTES)
_POINT = body.octets(_POINT_BYTES)


def check_origin(origin: str) -> str:
    """The origin (RFC 6454 6.2) in its one spelling: scheme, host and port, small letters, no slash at the end.

    Raises: MalformedMessage.
    """
    default = {"http": ":80", "https": ":443"}.get(urlsplit(origin).scheme, "")
    if not _ORIGIN.fullmatch(origin) or origin.endswith(default):
        raise MalformedMessage("An origin is like https://card.example.ph, without a path, slash or default port.")
    return origin


@dataclass(frozen=True, slots=True)
class Login:
    """One sign-in at one origin. Only hashes stand in it: its bytes tell neither the origin nor the nonce."""

    origin_hash: bytes
    nonce_hash: bytes

    def __post_init__(self) -> None:
        body.HASH.check(self.origin_hash)
        body.HASH.check(self.nonce_hash)

    @classmethod
    def of(cls, origin: str, nonce: bytes) -> Self:
        """Raises: MalformedMessage for an origin that is not in its one spelling, or a nonce that is not 32 bytes."""
        _NONCE.check(nonce)
        return cls(hashlib.sha256(check_origin(origin).encode()).digest(), hashlib.sha256(nonce).digest())

    def encode(self) -> bytes:
        return cbor.encode([DOMAIN, header.VERSION, self.origin_hash, self.nonce_hash])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: MalformedMessage, UnknownVersion."""
        match header.read(data, DOMAIN, 2, depth_max=1):
            case [bytes(origin_hash), bytes(nonce_hash)]:
                return cls(origin_hash, nonce_hash)
        raise MalformedMessage("A part of the sign-in is of the wrong kind.")


def sign_login(login: Login, signer: Signer) -> bytes:
    """The 64 bytes of a token's signature, by a key in hand."""
    return signer.sign(cose.to_be_signed(login.encode(), external_aad=AAD))


def card_digest(login: Login) -> bytes:
    """The 32 bytes that the card's 9A signs; its normalised answer is the token's signature."""
    return hashlib.sha256(cose.to_be_signed(login.encode(), external_aad=AAD)).digest()


def verify_login(login: Login, signature: bytes, public_key: PublicKey) -> Login:
    """Return the sign-in that the key signed. Raises: InvalidSignature."""
    if keys.algorithm_of(public_key) is not keys.Algorithm.ES256:
        raise InvalidSignature("A card signs in with a key on P-256.")
    keys.verify(public_key, cose.to_be_signed(login.encode(), external_aad=AAD), signature)
    return login


@dataclass(frozen=True, slots=True)
class CardBinding:
    """What both keys of a card sign when it becomes a staff member's: whose, which two keys, and a fresh nonce."""

    staff_id: UUID
    card_id: UUID
    nonce: bytes
    sign_in_point: bytes  # 9A
    signature_point: bytes  # 9C

    def __post_init__(self) -> None:
        body.IDENTIFIER.check(self.staff_id)
        body.IDENTIFIER.check(self.card_id)
        _NONCE.check(self.nonce)
        _POINT.check(self.sign_in_point)
        _POINT.check(self.signature_point)

    def encode(self) -> bytes:
        ids: list[cbor.Value] = [self.staff_id.bytes, self.card_id.bytes]
        return cbor.encode([BINDING_DOMAIN, header.VERSION, *ids, self.nonce, self.sign_in_point, self.signature_point])

    def to_be_signed(self) -> bytes:
        """What each of the two keys signs."""
        return cose.to_be_signed(self.encode(), external_aad=BINDING_AAD)


def binding_digest(binding: CardBinding) -> bytes:
    """The 32 bytes that each of the card's two keys signs."""
    return hashlib.sha256(binding.to_be_signed()).digest()
