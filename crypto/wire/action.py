"""The action: something that two people of the staff do together, each with a signature over the same bytes.

It has a domain and external data of its own, so that a signed action is never a record, a query or a sign-in, and none
of those an action. Evolution: version 1 is fixed for ever; another meaning of a payload is another kind.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.cbor import Key, Value
from crypto.errors import MalformedMessage
from crypto.keys import PublicKey, Signer
from crypto.wire import body, header

DOMAIN = "city.action"
AAD = b"city.action.v1"
BYTES_MAX = 16 * 1024  # a list too long for this is kept elsewhere, and its hash stands here
KIND_LETTERS_MAX = 64
SUMMARY_LETTERS_MAX = 400
PAYLOAD_DEPTH_MAX = 4

_KIND = body.text(KIND_LETTERS_MAX)
_SUMMARY = body.text(SUMMARY_LETTERS_MAX)


@dataclass(frozen=True, slots=True)
class Action:
    """What is to be done: `kind` names it, `payload` holds its details under text keys, `summary` says it to people.

    `proposed_by` is the staff member who signs first; nobody else can. After `expires_at_ms` it is void.
    """

    action_id: UUID
    kind: str
    payload: Mapping[Key, Value] = field(hash=False)
    summary: str
    proposed_by: UUID
    proposed_at_ms: int
    expires_at_ms: int

    def __post_init__(self) -> None:
        header.check_record_id(self.action_id)
        _KIND.check(self.kind)
        _SUMMARY.check(self.summary)
        body.IDENTIFIER.check(self.proposed_by)
        body.TIME_MS.check(self.proposed_at_ms)
        body.TIME_MS.check(self.expires_at_ms)
        if self.expires_at_ms <= self.proposed_at_ms:
            raise MalformedMessage("An action expires after it was proposed.")
        if not all(isinstance(name, str) for name in self.payload):
            raise MalformedMessage("An action's payload has text keys.")

    def encode(self) -> bytes:
        """The bytes that both sign."""
        parts: list[Value] = [DOMAIN, header.VERSION, self.action_id.bytes, self.kind, dict(self.payload), self.summary]
        encoded = cbor.encode([*parts, self.proposed_by.bytes, self.proposed_at_ms, self.expires_at_ms])
        _check_size(encoded)
        return encoded

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: MalformedMessage, UnknownVersion."""
        _check_size(data)
        match header.read(data, DOMAIN, 7, depth_max=PAYLOAD_DEPTH_MAX + 1):
            case [
                bytes(action_id),
                str(kind),
                dict(payload),
                str(summary),
                bytes(proposed_by),
                int(proposed_at),
                int(expires_at),
            ]:
                ids = body.read_uuid(action_id), body.read_uuid(proposed_by)
                return cls(ids[0], kind, payload, summary, ids[1], proposed_at, expires_at)
        raise MalformedMessage("A part of the action is of the wrong kind.")


def sign_action(action_bytes: bytes, signer: Signer) -> bytes:
    """A signature of the encoded action: a detached COSE_Sign1 with the key's id."""
    return cose.detached1(action_bytes, signer, kid=keys.key_id(signer.public_key), external_aad=AAD)


def card_digest(action_bytes: bytes) -> bytes:
    """The 32 bytes that a card's 9C signs. Raises: MalformedMessage, so that a card never signs what is no action."""
    Action.decode(action_bytes)
    return hashlib.sha256(cose.to_be_signed(action_bytes, external_aad=AAD)).digest()


def signature_from_card(action_bytes: bytes, public_key: PublicKey, raw_signature: bytes) -> bytes:
    """The signature made of a card's normalised answer to `card_digest`, verified before it is returned.

    Raises: InvalidSignature when this card did not sign this action.
    """
    message = cose.assemble(None, raw_signature, kid=keys.key_id(public_key))
    verify_action(action_bytes, message, public_key)
    return message


def verify_action(action_bytes: bytes, signature: bytes, public_key: PublicKey) -> Action:
    """Return the action that the key signed. Raises: MalformedMessage, UnknownVersion, InvalidSignature."""
    return Action.decode(cose.verify1(signature, public_key, external_aad=AAD, detached=action_bytes))


def _check_size(data: bytes) -> None:
    if len(data) > BYTES_MAX:
        raise MalformedMessage(f"An action has at most {BYTES_MAX} bytes.")
