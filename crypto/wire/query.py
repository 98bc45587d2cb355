"""The query: how a terminal reads a resident's data, with a fresh signature of the resident's card.

It has a domain of its own, so a signed query is never a record and a record never a query. The service accepts it for a
short time only and once (nonce). Evolution: version 1 is fixed for ever; other questions are new kinds.
"""

from dataclasses import dataclass
from typing import Self
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.cbor import Value
from crypto.errors import MalformedMessage
from crypto.keys import PublicKey, Signer
from crypto.wire import body, header
from crypto.wire.body import Body
from crypto.wire.transaction import Authorisation, Purpose, read_signed

DOMAIN = "city.query"
AAD = b"city.terminal.query.v1"
NONCE_BYTES = 32
BYTES_MAX = 16 * 1024

_NONCE = body.octets(NONCE_BYTES)
_KIND = body.integer(1, 2**16 - 1)
_PURPOSES = frozenset({Purpose.QUERY})


@dataclass(frozen=True, slots=True)
class Query:
    """A question about the card that signs it. `nonce` is 32 fresh random bytes; `at_ms` the terminal's clock."""

    kind: int
    query_id: UUID
    terminal_id: UUID
    nonce: bytes
    at_ms: int
    body: bytes

    def __post_init__(self) -> None:
        _KIND.check(int(self.kind))
        header.check_record_id(self.query_id)
        body.IDENTIFIER.check(self.terminal_id)
        _NONCE.check(self.nonce)
        body.TIME_MS.check(self.at_ms)

    @classmethod
    def of(cls, content: Body, *, query_id: UUID, terminal_id: UUID, nonce: bytes, at_ms: int) -> Self:
        """The query that asks `content`."""
        return cls(int(content.KIND), query_id, terminal_id, nonce, at_ms, content.to_bytes())

    def encode(self) -> bytes:
        """The bytes that the card signs, with `Purpose.QUERY`."""
        content = cbor.decode(self.body, depth_max=8)
        if not isinstance(content, dict):
            raise MalformedMessage("A query's body is a map.")
        parts: list[Value] = [DOMAIN, header.VERSION, int(self.kind), self.query_id.bytes, self.terminal_id.bytes]
        return cbor.encode([*parts, self.nonce, self.at_ms, content])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: MalformedMessage, UnknownVersion."""
        match header.read(data, DOMAIN, 6, depth_max=9):
            case [int(kind), bytes(query_id), bytes(terminal_id), bytes(nonce), int(at_ms), dict(content)]:
                ids = body.read_uuid(query_id), body.read_uuid(terminal_id)
                return cls(kind, *ids, nonce, at_ms, cbor.encode_decoded(content))
        raise MalformedMessage("A part of the query is of the wrong kind.")


@dataclass(frozen=True, slots=True)
class SignedQuery:
    """An encoded query with the card's authorisation (`authorise` and its kin, with `Purpose.QUERY`)."""

    query_bytes: bytes
    authorisations: tuple[Authorisation, ...]

    def encode(self) -> bytes:
        return cbor.encode([self.query_bytes, [item.to_wire() for item in self.authorisations]])

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Raises: MalformedMessage."""
        return cls(*read_signed(data, _PURPOSES))


def sign_query(query: SignedQuery, signer: Signer) -> bytes:
    """The query as the terminal sends it, under the terminal's own signature."""
    return cose.sign1(query.encode(), signer, kid=keys.key_id(signer.public_key), external_aad=AAD)


def peek_terminal(message: bytes) -> UUID:
    """Which terminal the query says it is from, unverified: for finding the key to verify it with, nothing else."""
    _check_size(message)
    payload = cose.parse(message).payload
    if payload is None:
        raise MalformedMessage("The query does not enclose its content.")
    return Query.decode(SignedQuery.decode(payload).query_bytes).terminal_id


def open_query(message: bytes, public_key: PublicKey) -> SignedQuery:
    """Return the query that the terminal's key signed; the card's authorisation is still to be verified.

    Raises: MalformedMessage, UnknownVersion, InvalidSignature.
    """
    _check_size(message)
    return SignedQuery.decode(cose.verify1(message, public_key, external_aad=AAD))


def _check_size(message: bytes) -> None:
    if len(message) > BYTES_MAX:
        raise MalformedMessage(f"A query has at most {BYTES_MAX} bytes.")
