"""The passkey authorisation: a WebAuthn assertion (Level 2) whose challenge is the hash of the record.

What an authenticator signs is its own data and the hash of the browser's, so neither can be wrapped in a COSE message:
both travel beside the signature and are read here, strictly. Only ES256. Evolution: version 1 is fixed for ever.
"""

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from crypto import cbor, keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import PublicKey
from crypto.wire import body, header

DOMAIN = "city.passkey"
TYPE = "webauthn.get"

# WebAuthn 6.1: authenticator data begins with the hash of the relying party's id, flags and a counter
_RP_ID_HASH_BYTES = 32
_FLAGS = 32
_COUNTER = slice(33, 37)
_PLAIN_BYTES = 37
USER_PRESENT = 0x01
USER_VERIFIED = 0x04
_BACKUP_ELIGIBLE = 0x08
_BACKED_UP = 0x10
_ATTESTED = 0x40  # a new credential's data, never part of an assertion
_EXTENSIONS = 0x80
_RESERVED = 0x02 | 0x20

_KEY_ID = body.octets(keys.KEY_ID_BYTES)
_AUTHENTICATOR_DATA = body.octets(_PLAIN_BYTES, 1024)
_CLIENT_DATA = body.octets(2, 4096)
_SIGNATURE = body.octets(keys.SIGNATURE_BYTES)


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a passkey answered. `kid` names its key as everywhere and is not signed; `client_data` is the browser's
    JSON, `signature` is r || s with low s.
    """

    kid: bytes
    authenticator_data: bytes
    client_data: bytes
    signature: bytes

    def __post_init__(self) -> None:
        _KEY_ID.check(self.kid)
        _AUTHENTICATOR_DATA.check(self.authenticator_data)
        _CLIENT_DATA.check(self.client_data)
        _SIGNATURE.check(self.signature)

    def encode(self) -> bytes:
        """The bytes that an authorisation of purpose PASSKEY carries."""
        return cbor.encode(
            [DOMAIN, header.VERSION, self.kid, self.authenticator_data, self.client_data, self.signature]
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: MalformedMessage, UnknownVersion."""
        match header.read(data, DOMAIN, 4, depth_max=1):
            case [bytes(kid), bytes(authenticator_data), bytes(client_data), bytes(signature)]:
                return cls(kid, authenticator_data, client_data, signature)
        raise MalformedMessage("A part of the passkey's answer is of the wrong kind.")

    @property
    def counter(self) -> int:
        """How often the authenticator signed, by its own count; 0 where it does not count (WebAuthn 6.1.1)."""
        return int.from_bytes(self.authenticator_data[_COUNTER], "big")

    def to_be_verified(self, record_bytes: bytes, *, origin: str) -> bytes:
        """The bytes that the signature is over, when all that they say is right: the challenge is this record's hash,
        the origin and its host are `origin`'s, and the user was there and was verified (WebAuthn 7.2, steps 11 to 20).

        Raises: MalformedMessage for what is no assertion; InvalidSignature for one about something else.
        """
        _check_client_data(self.client_data, hashlib.sha256(record_bytes).digest(), origin)
        _check_authenticator_data(self.authenticator_data, urlsplit(origin).hostname or "")
        return self.authenticator_data + hashlib.sha256(self.client_data).digest()


def assertion_from_browser(
    public_key: PublicKey, *, authenticator_data: bytes, client_data: bytes, der_signature: bytes
) -> Assertion:
    """The answer of `navigator.credentials.get` in the form that is kept: an authenticator gives DER with either s.

    Raises: MalformedMessage, InvalidSignature.
    """
    signature = keys.normalise(keys.der_to_raw(der_signature))
    return Assertion(keys.key_id(public_key), authenticator_data, client_data, signature)


def verify_assertion(record_bytes: bytes, data: bytes, public_key: PublicKey, *, origin: str) -> bytes:
    """Return the encoded record that the passkey signed at this origin.

    Raises: MalformedMessage, UnknownVersion, InvalidSignature.
    """
    if keys.algorithm_of(public_key) is not keys.Algorithm.ES256:
        raise InvalidSignature("A passkey signs with a key on P-256.")
    assertion = Assertion.decode(data)
    keys.verify(public_key, assertion.to_be_verified(record_bytes, origin=origin), assertion.signature)
    return record_bytes


def challenge_of(record_bytes: bytes) -> bytes:
    """The challenge that the browser hands to the authenticator: the record's hash."""
    return hashlib.sha256(record_bytes).digest()


def _check_client_data(data: bytes, challenge: bytes, origin: str) -> None:
    """WebAuthn 5.8.1: browsers may add members, so unknown ones are let be; each stands once."""
    try:
        said = json.loads(data.decode(), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise MalformedMessage(
            "The browser's part of the passkey's answer is not JSON, or says a thing twice."
        ) from error
    if not isinstance(said, dict):
        raise MalformedMessage("The browser's part of the passkey's answer is no object.")
    if said.get("type") != TYPE:
        raise InvalidSignature("The passkey was asked for something else than an assertion.")
    if said.get("challenge") != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode():
        raise InvalidSignature("The passkey signed another record.")
    if said.get("origin") != origin:
        raise InvalidSignature("The passkey signed at another address.")
    if said.get("crossOrigin", False) is not False or "topOrigin" in said:
        raise InvalidSignature("The passkey was used inside a page of another site.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A member stands twice.")
    return found


def _check_authenticator_data(data: bytes, rp_id: str) -> None:
    flags = data[_FLAGS]
    if flags & (_RESERVED | _ATTESTED) or (flags & _BACKED_UP and not flags & _BACKUP_ELIGIBLE):
        raise MalformedMessage("The authenticator's flags are not those of an assertion.")
    if flags & _EXTENSIONS:
        if not isinstance(cbor.decode(data[_PLAIN_BYTES:], depth_max=4), dict):
            raise MalformedMessage("The authenticator's extensions are no map.")
    elif len(data) != _PLAIN_BYTES:
        raise MalformedMessage("Something stands after the authenticator's data.")
    if data[:_RP_ID_HASH_BYTES] != hashlib.sha256(rp_id.encode()).digest():
        raise InvalidSignature("The passkey is one of another site.")
    if not flags & USER_PRESENT or not flags & USER_VERIFIED:
        raise InvalidSignature("The passkey did not verify its user.")
