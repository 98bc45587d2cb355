"""What a card's keys sign while it is made, and when it shows that it is there; and how the service tells a counter a
card's secret. The service and the counter build the same bytes here.

Each statement is deterministic CBOR under a domain of its own, so that none is ever a record, a sign-in or another of
these. The card signs the SHA-256; the signature travels as 64 bytes r || s with low s.

A secret (its 9B key, its PUK) is asked for by an enrolled counter in a signed request, and comes back sealed for the
one-time key that the request names. Evolution: version 1 is fixed for ever.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from crypto import cbor, cose, keys
from crypto.errors import InvalidSeal, MalformedMessage
from crypto.keys import PublicKey, Signer
from crypto.wire import body, header

REQUEST_DOMAIN = "city.card-secret"
REQUEST_AAD = b"city.card-secret.v1"
REQUEST_BYTES_MAX = 1024
SEALED_BYTES_MAX = 65 + 64 + 16  # the one-time point, a secret, the tag
_SEAL_INFO = b"city.sealed-secret.v1"
_SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_STEP = body.integer(0, body.INTEGER_MAX)


def possession(card_id: UUID, slot: int, challenge: bytes, point: bytes) -> bytes:
    """Signed by the key in `slot` (its key reference, SP 800-73-5 part 1, table 4b), to show that the card holds it."""
    return cbor.encode(["city.possession", header.VERSION, card_id.bytes, int(slot), challenge, point])


def readback(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9E after everything on the card was read back and compared."""
    return cbor.encode(["city.readback", header.VERSION, card_id.bytes, challenge])


def handover(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9C with the PIN that the holder has just set."""
    return cbor.encode(["city.handover", header.VERSION, card_id.bytes, challenge])


def presence(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9E to show that the card is in the reader now; the challenge is fresh."""
    return cbor.encode(["city.presence-check", header.VERSION, card_id.bytes, challenge])


class CardSecret(StrEnum):
    """Which secret of a card is asked for."""

    MANAGEMENT_KEY = "management-key"
    PUK = "puk"


@dataclass(frozen=True, slots=True)
class SecretRequest:
    """A counter asks for a secret of a card. `point` is a P-256 key of its own that is used for this request only.

    `step` is how long the card's history is now: answering makes it longer, so a request is answered once.
    """

    secret: CardSecret
    terminal_id: UUID
    card_id: UUID
    step: int
    point: bytes

    def __post_init__(self) -> None:
        body.IDENTIFIER.check(self.terminal_id)
        body.IDENTIFIER.check(self.card_id)
        _STEP.check(self.step)
        keys.load_point(self.point)

    def encode(self) -> bytes:
        parts: list[cbor.Value] = [self.secret.value, self.terminal_id.bytes, self.card_id.bytes, self.step, self.point]
        return cbor.encode([REQUEST_DOMAIN, header.VERSION, *parts])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: MalformedMessage, UnknownVersion."""
        match header.read(data, REQUEST_DOMAIN, 5, depth_max=1):
            case [str(secret), bytes(terminal_id), bytes(card_id), int(step), bytes(point)] if secret in _SECRETS:
                ids = body.read_uuid(terminal_id), body.read_uuid(card_id)
                return cls(CardSecret(secret), *ids, step, point)
        raise MalformedMessage("A part of the request is of the wrong kind.")


_SECRETS = frozenset(CardSecret)


def sign_request(request: SecretRequest, signer: Signer) -> bytes:
    """The request as the counter sends it, under the terminal's own signature."""
    return cose.sign1(request.encode(), signer, kid=keys.key_id(signer.public_key), external_aad=REQUEST_AAD)


def peek_request(message: bytes) -> SecretRequest:
    """What the request says, unverified: for finding the key to verify it with, nothing else."""
    if len(message) > REQUEST_BYTES_MAX:
        raise MalformedMessage(f"A request has at most {REQUEST_BYTES_MAX} bytes.")
    payload = cose.parse(message).payload
    if payload is None:
        raise MalformedMessage("The request does not enclose its content.")
    return SecretRequest.decode(payload)


def open_request(message: bytes, public_key: PublicKey) -> SecretRequest:
    """The request that the terminal's key signed. Raises: MalformedMessage, UnknownVersion, InvalidSignature."""
    peek_request(message)
    return SecretRequest.decode(cose.verify1(message, public_key, external_aad=REQUEST_AAD))


def seal(secret: bytes, request: SecretRequest) -> bytes:
    """The secret for whoever made this request, and for this request only: HPKE (RFC 9180), base mode, one shot."""
    return _SUITE.encrypt(secret, keys.load_point(request.point), info=_info(request))


class OneTimeKey:
    """The private half of a request's `point`. It never leaves the program that made it, and opens one answer."""

    def __init__(self, private_key: ec.EllipticCurvePrivateKey) -> None:
        self._private_key = private_key

    @classmethod
    def generate(cls) -> Self:
        """A new key from the operating system's randomness."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @property
    def point(self) -> bytes:
        return keys.point(self._private_key.public_key())

    def unseal(self, sealed: bytes, request: SecretRequest) -> bytes:
        """The secret that was sealed for this request. Raises: InvalidSeal."""
        if len(sealed) <= SEALED_BYTES_MAX:
            try:
                return _SUITE.decrypt(sealed, self._private_key, info=_info(request))
            except (InvalidTag, ValueError):
                pass
        raise InvalidSeal("The answer was not sealed for this request, or was changed on its way: ask again.")


def _info(request: SecretRequest) -> bytes:
    return _SEAL_INFO + hashlib.sha256(request.encode()).digest()
