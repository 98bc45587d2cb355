"""The record (what is signed), the authorisation (who signed it) and the transaction (both together).

Evolution: version 1 is fixed for ever. Other bodies are new kinds; another header is version 2 beside this one.
"""

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Annotated, ClassVar, Self
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.cbor import Value
from crypto.errors import MalformedMessage
from crypto.keys import PublicKey, Signer
from crypto.wire import body, header, passkey
from crypto.wire.body import DATE, IDENTIFIER, Body, Tag, text
from crypto.wire.kinds import Kind

DOMAIN = "city.record"
NO_PREVIOUS = bytes(body.HASH_BYTES)  # what a terminal's first record names as its previous one
KIND_MAX = 2**16 - 1
BODY_BYTES_MAX = 8 * 1024
RECORD_BYTES_MAX = BODY_BYTES_MAX + 256
AUTHORISATIONS_MAX = 8

_SEQUENCE = body.integer()
_KIND = body.integer(1, KIND_MAX)


class Purpose(IntEnum):
    """Why a key signed. Each purpose has external data of its own, so that a signature for one is none for another."""

    PRESENCE = 1  # the card's 9E: it was here, it meant nothing
    CONSENT = 2  # the card's 9C, with PIN
    STAFF = 3  # a member of staff
    SERVICE = 4  # the service's own key, for what a rule computes
    PASSKEY = 5  # a resident's passkey: an assertion (`crypto.wire.passkey`) instead of a COSE_Sign1
    QUERY = 6  # the card's 9E or 9C over a query; never over a record

    @property
    def aad(self) -> bytes:
        """The external_aad of the COSE_Sign1 (RFC 9052 4.3)."""
        return b"city." + self.name.lower().encode() + b".v1"


RECORD_PURPOSES = frozenset({Purpose.PRESENCE, Purpose.CONSENT, Purpose.STAFF, Purpose.SERVICE, Purpose.PASSKEY})
UNCHAINED = 0  # the sequence of a record outside its terminal's chain: the portal's that a passkey signs


@dataclass(frozen=True, slots=True)
class Record:
    """What moves money, or says why. `record_id` is the sender's UUIDv7 and becomes the ledger entry's id.

    `sequence` counts a terminal's records from 1 without gaps; `previous` is the hash of its record before,
    `NO_PREVIOUS` for the first and for one of sequence `UNCHAINED`. `at_ms` is the sender's clock, ms since 1970 UTC.
    `body` is the encoded map of the kind.
    """

    kind: int
    record_id: UUID
    terminal_id: UUID
    sequence: int
    previous: bytes
    at_ms: int
    body: bytes

    def __post_init__(self) -> None:
        _KIND.check(int(self.kind))
        header.check_record_id(self.record_id)
        body.IDENTIFIER.check(self.terminal_id)
        _SEQUENCE.check(self.sequence)
        body.HASH.check(self.previous)
        body.TIME_MS.check(self.at_ms)
        if len(self.body) > BODY_BYTES_MAX:
            raise MalformedMessage(f"A record's body has at most {BODY_BYTES_MAX} bytes.")

    @classmethod
    def of(
        cls, content: Body, *, record_id: UUID, terminal_id: UUID, sequence: int, previous: bytes, at_ms: int
    ) -> Self:
        """The record that says `content`."""
        return cls(int(content.KIND), record_id, terminal_id, sequence, previous, at_ms, content.to_bytes())

    def encode(self) -> bytes:
        """The bytes that are signed, hashed and kept."""
        content = cbor.decode(self.body, depth_max=8)
        if not isinstance(content, dict):
            raise MalformedMessage("A record's body is a map.")
        parts: list[Value] = [DOMAIN, header.VERSION, int(self.kind), self.record_id.bytes, self.terminal_id.bytes]
        return cbor.encode([*parts, self.sequence, self.previous, self.at_ms, content])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read a record; its body stays unread until the kind is known. Raises: MalformedMessage, UnknownVersion."""
        if len(data) > RECORD_BYTES_MAX:
            raise MalformedMessage(f"A record has at most {RECORD_BYTES_MAX} bytes.")
        match header.read(data, DOMAIN, 7, depth_max=9):
            case [
                int(kind),
                bytes(record_id),
                bytes(terminal_id),
                int(sequence),
                bytes(previous),
                int(at_ms),
                dict(content),
            ]:
                return cls(
                    kind,
                    body.read_uuid(record_id),
                    body.read_uuid(terminal_id),
                    sequence,
                    previous,
                    at_ms,
                    cbor.encode_decoded(content),
                )
        raise MalformedMessage("A part of the record is of the wrong kind.")

    def hash(self) -> bytes:
        """SHA-256 of the encoding: the record's fingerprint, and `previous` of the terminal's next one."""
        return record_hash(self.encode())


def record_hash(record_bytes: bytes) -> bytes:
    """`Record.hash()` for a record that is already encoded."""
    return hashlib.sha256(record_bytes).digest()


@dataclass(frozen=True, slots=True)
class Authorisation:
    """A signature over a record or query that it does not contain: why it was made, and a detached COSE_Sign1; for
    purpose PASSKEY an encoded `crypto.wire.passkey.Assertion` in its place.
    """

    purpose: Purpose
    cose: bytes

    @property
    def kid(self) -> bytes:
        """Which key claims to have signed; nothing until verified. Raises: MalformedMessage."""
        if self.purpose is Purpose.PASSKEY:
            return passkey.Assertion.decode(self.cose).kid
        return cose.parse(self.cose).kid

    def to_wire(self) -> list[Value]:
        return [int(self.purpose), self.cose]


def authorise(record_bytes: bytes, purpose: Purpose, signer: Signer, kid: bytes | None = None) -> Authorisation:
    """Sign the encoded record with a key in hand. `kid` is the key's id unless given."""
    kid = keys.key_id(signer.public_key) if kid is None else kid
    return Authorisation(purpose, cose.detached1(record_bytes, signer, kid=kid, external_aad=purpose.aad))


def card_digest(record_bytes: bytes, purpose: Purpose) -> bytes:
    """The 32 bytes that a card signs for this record and purpose."""
    return hashlib.sha256(cose.to_be_signed(record_bytes, external_aad=purpose.aad)).digest()


def authorisation_from_card(
    record_bytes: bytes, purpose: Purpose, public_key: PublicKey, raw_signature: bytes
) -> Authorisation:
    """The authorisation made of a card's normalised answer to `card_digest`, verified before it is returned.

    Raises: InvalidSignature when this card did not sign this record.
    """
    message = cose.assemble(None, raw_signature, kid=keys.key_id(public_key))
    authorisation = Authorisation(purpose, message)
    verify_authorisation(record_bytes, authorisation, public_key)
    return authorisation


def verify_authorisation(record_bytes: bytes, authorisation: Authorisation, public_key: PublicKey) -> bytes:
    """Return the encoded record that the key signed for the purpose; a passkey's is for
    `passkey.verify_assertion`, which knows the origin. Raises: MalformedMessage, InvalidSignature.
    """
    return cose.verify1(authorisation.cose, public_key, external_aad=authorisation.purpose.aad, detached=record_bytes)


@dataclass(frozen=True, slots=True)
class Transaction:
    """An encoded record with its authorisations, as it travels and is kept. Nothing in it is verified yet."""

    record_bytes: bytes
    authorisations: tuple[Authorisation, ...]

    def encode(self) -> bytes:
        return cbor.encode([self.record_bytes, [item.to_wire() for item in self.authorisations]])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Take a transaction apart; the record inside is read by `Record.decode`. Raises: MalformedMessage."""
        return cls(*read_signed(data, RECORD_PURPOSES))


def read_signed(data: bytes, purposes: frozenset[Purpose]) -> tuple[bytes, tuple[Authorisation, ...]]:
    """A signed thing and its authorisations, each for one of the purposes. Raises: MalformedMessage."""
    match cbor.decode(data, depth_max=3):
        case [bytes(signed), list(items)] if len(items) <= AUTHORISATIONS_MAX:
            return signed, tuple(_read_authorisation(item, purposes) for item in items)
    raise MalformedMessage("It is not a record with at most eight authorisations.")


def _read_authorisation(item: Value, purposes: frozenset[Purpose]) -> Authorisation:
    match item:
        case [int(purpose), bytes(message)] if purpose in purposes and type(purpose) is int:
            return Authorisation(Purpose(purpose), message)
    raise MalformedMessage("An authorisation is not a purpose that may stand here and a signature.")


@dataclass(frozen=True, slots=True)
class Reversal(Body):
    """Takes a whole earlier record back. Only a record that moved money can be reversed, and only once.

    `booked_on` is the accounting date, where it is not the day on which the service takes the record.
    """

    KIND: ClassVar[int] = Kind.REVERSAL
    reversed_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    reason: Annotated[str, Tag(2, text())]
    booked_on: Annotated[date | None, Tag(3, DATE)] = None
