"""What the city signs for whoever audits it: whose keys there are, and what an export of its evidence holds.

Evolution: append only (see `crypto.wire.body`); what an old reader must not overlook is version 2.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.errors import MalformedMessage
from crypto.keys import Signer
from crypto.wire import header
from crypto.wire.body import HASH, IDENTIFIER, TIME_MS, Tag, Tagged, choice, integer, octets, text
from crypto.wire.citykeys import CityKeys

STATEMENT_DOMAIN = "city.key-statement"
STATEMENT_AAD = b"city.key-statement.v1"
SEAL_DOMAIN = "city.evidence"
SEAL_AAD = b"city.evidence.v1"
BYTES_MAX = 16 * 1024
_KEY_MAX = 8 * 1024


class KeyUse(StrEnum):
    """What a stated key signs. Append only."""

    CARD_AUTHORITY = "card-authority"
    TERMINAL_AUTHORITY = "terminal-authority"
    SERVICE = "service"
    TERMINAL = "terminal"
    STAFF = "staff"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatement(Tagged):
    """That a key was somebody's: what it signed from `from_ms` on and before `until_ms` was theirs to sign.

    `key` is the SubjectPublicKeyInfo in DER, of an authority its certificate. `holder_id` is the terminal, the member
    of staff or the resident; the city's own keys have none. `detail` is the terminal's kind, how staff hold the key, or
    where a passkey counts.
    """

    use: Annotated[str, Tag(1, choice(*(use.value for use in KeyUse)))]
    key: Annotated[bytes, Tag(2, octets(1, _KEY_MAX))]
    issued_at_ms: Annotated[int, Tag(3, TIME_MS)]
    from_ms: Annotated[int, Tag(4, TIME_MS)]
    until_ms: Annotated[int | None, Tag(5, TIME_MS)] = None
    holder_id: Annotated[UUID | None, Tag(6, IDENTIFIER)] = None
    detail: Annotated[str | None, Tag(7, text())] = None


def sign_statement(statement: KeyStatement, signer: Signer) -> bytes:
    """The statement as it is handed out, under the city's receipt key."""
    payload = cbor.encode([STATEMENT_DOMAIN, header.VERSION, statement.encode()])
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=STATEMENT_AAD)


def open_statement(data: bytes, city_keys: CityKeys) -> KeyStatement:
    """The statement that the city signed. Raises: MalformedMessage, UnknownVersion, InvalidSignature."""
    key = city_keys.receipt_key(cose.parse(_checked_size(data)).kid)
    payload = cose.verify1(data, key, external_aad=STATEMENT_AAD)
    (content,) = header.read(payload, STATEMENT_DOMAIN, 1, depth_max=2)
    return KeyStatement.from_map(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal(Tagged):
    """That an export is the city's own and whole: `manifest_hash` is SHA-256 of its manifest, which names the hash of
    every other file. `tree_size` is the sealed position of the log that it was taken at, `root` the head there.
    """

    manifest_hash: Annotated[bytes, Tag(1, HASH)]
    tree_size: Annotated[int, Tag(2, integer())]
    root: Annotated[bytes, Tag(3, HASH)]
    taken_at_ms: Annotated[int, Tag(4, TIME_MS)]


def sign_seal(seal: Seal, signer: Signer) -> bytes:
    """The seal of an export, under the city's receipt key."""
    payload = cbor.encode([SEAL_DOMAIN, header.VERSION, seal.encode()])
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=SEAL_AAD)


def open_seal(data: bytes, city_keys: CityKeys) -> Seal:
    """The seal that the city signed. Raises: MalformedMessage, UnknownVersion, InvalidSignature."""
    key = city_keys.receipt_key(cose.parse(_checked_size(data)).kid)
    (content,) = header.read(cose.verify1(data, key, external_aad=SEAL_AAD), SEAL_DOMAIN, 1, depth_max=2)
    return Seal.from_map(content)


def _checked_size(data: bytes) -> bytes:
    if len(data) > BYTES_MAX:
        raise MalformedMessage(f"A statement of the city has at most {BYTES_MAX} bytes.")
    return data
