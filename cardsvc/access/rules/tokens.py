"""A card's sign-in token, read and checked in Web eID's order: length, JSON, format, certificate, its purpose, policy,
validity and trust, then the algorithm and the signature.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography import x509

from cardsvc.access.rules.errors import CardNotAccepted, MalformedToken
from crypto import keys, pki
from crypto.errors import CryptoError, InvalidSignature
from crypto.keys import PublicKey
from crypto.pki import CertificatePurpose
from crypto.wire.login import FORMAT, Login, verify_login

TOKEN_LETTERS_MAX = 10_000
# What else a token says is signed by nobody, and not looked at.
_FIELDS = ("format", "algorithm", "unverifiedCertificate", "signature")
_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class CardToken:
    """A token taken apart; nothing in it is verified."""

    certificate: x509.Certificate
    algorithm: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class VerifiedCard:
    """A card that signed just now, at this origin, for this nonce."""

    card_id: UUID
    key_id: bytes
    public_key: PublicKey


def read_token(text: str) -> CardToken:
    """Take a token apart. Raises: MalformedToken."""
    if not text or len(text) > TOKEN_LETTERS_MAX:
        raise MalformedToken("it is empty or longer than 10,000 characters")
    try:
        found = json.loads(text, object_pairs_hook=_each_once)
    except (ValueError, RecursionError) as error:
        raise MalformedToken("it is not JSON") from error
    if not isinstance(found, dict) or not all(isinstance(found.get(name, ""), str) for name in _FIELDS):
        raise MalformedToken("it is not an object of texts")
    if found.get("format") != FORMAT:
        raise MalformedToken(f"its format is not {FORMAT}")
    certificate = _certificate(_base64(found.get("unverifiedCertificate", ""), "certificate"))
    return CardToken(certificate, found.get("algorithm", ""), _base64(found.get("signature", ""), "signature"))


def verify_token(
    token: CardToken, *, origin: str, nonce: bytes, authorities: Sequence[x509.Certificate], at: datetime
) -> VerifiedCard:
    """Which card signed in at this origin for this nonce. Raises: CardNotAccepted."""
    try:
        verified = pki.verify_chain(token.certificate, authorities, at, CertificatePurpose.CARD_AUTHENTICATION)
        if token.algorithm != _ALGORITHM:
            raise CardNotAccepted("The card did not sign with ES256.")
        verify_login(Login.of(origin, nonce), token.signature, verified.public_key)
    except InvalidSignature as error:
        raise CardNotAccepted("The card signed for another page or another sign-in.") from error
    except CryptoError as error:
        raise CardNotAccepted(str(error)) from error
    assert verified.bearer_id is not None  # the profile of this purpose names its card
    return VerifiedCard(verified.bearer_id, keys.key_id(verified.public_key), verified.public_key)


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name twice")
    return found


def _base64(text: str, what: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedToken(f"its {what} is not base64") from error
    if not found:
        raise MalformedToken(f"it has no {what}")
    return found


def _certificate(data: bytes) -> x509.Certificate:
    try:
        return pki.load_certificate(data)
    except CryptoError as error:
        raise MalformedToken("its certificate cannot be read") from error
