"""The usual transaction, read by its places: one record, one COSE signature with a key id of usual length.

Nearly every item of a batch has this one shape, and deterministic encoding leaves a value only one way to be written.
So bytes that fit the pattern need no general decoder: what is read here is exactly what `Transaction.decode`,
`Record.decode` and `cose.parse` would read, at a tenth of the cost (a test holds the two together). Whatever does not
fit, for whatever reason, is not judged here but read the long way.
"""

import functools
import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from crypto import cbor
from crypto.cose import Sign1
from crypto.errors import CryptoError
from crypto.keys import KEY_ID_BYTES, SIGNATURE_BYTES, Algorithm
from crypto.wire import body, ids
from crypto.wire.transaction import (
    BODY_BYTES_MAX,
    DOMAIN,
    KIND_MAX,
    RECORD_BYTES_MAX,
    Authorisation,
    Purpose,
    Record,
    Transaction,
)

# RFC 8949 4.2.1: each integer in its shortest form
_UINT = rb"[\x00-\x17]|\x18[\x18-\xff]|\x19[\x01-\xff].|\x1a(?!\x00\x00).{4}|\x1b(?!\x00\x00\x00\x00).{8}"
# an array of two: the record as bytes (of 24 or more), which is an array of nine that begins with domain and version 1
_HEAD = re.compile(
    rb"\x82(?:\x58([\x18-\xff])|\x59([\x01-\xff].))"
    rb"\x89" + bytes([0x60 + len(DOMAIN)]) + re.escape(DOMAIN.encode()) + rb"\x01"
    rb"(" + _UINT + rb")\x50(.{16})\x50(.{16})(" + _UINT + rb")\x58\x20(.{32})(\x1b(?!\x00\x00\x00\x00).{8})"
    rb"(?=[\xa0-\xb7])",
    re.DOTALL,
)
# one authorisation: its purpose and a COSE_Sign1 with ES256, a key id and a signature, nothing enclosed
_TAIL = re.compile(
    rb"\x81\x82([\x01-\x04])\x58\x5c"
    rb"(\xd2\x84\x43\xa1\x01\x26\xa1\x04" + bytes([0x40 + KEY_ID_BYTES]) + rb"(.{%d})\xf6" % KEY_ID_BYTES
    + rb"\x58" + bytes([SIGNATURE_BYTES]) + rb"(.{%d}))" % SIGNATURE_BYTES,
    re.DOTALL,
)  # fmt: skip
_BODIES = 4096  # a gate's taps differ in little more than who and when
_RECORD = tuple(Record.__dataclass_fields__)
_PURPOSES = {purpose.value: purpose for purpose in Purpose}


@dataclass(frozen=True, slots=True)
class Usual:
    """A transaction, its record, the record's hash, and its one authorisation taken apart."""

    transaction: Transaction
    record: Record
    record_hash: bytes
    signed: Sign1


def read(data: bytes) -> Usual | None:
    """What the bytes say, nothing verified; None where they are not of the usual shape, good or bad."""
    head = _HEAD.match(data)
    if head is None:
        return None
    short, long, kind, record_id, terminal_id, sequence, previous, at_ms = head.groups()
    start = 3 if long is None else 4
    end = start + int.from_bytes(short or long, "big")
    tail = _TAIL.fullmatch(data, end)
    content = data[head.end() : end]
    if tail is None or end - start > RECORD_BYTES_MAX or not _is_body(content):
        return None
    numbers = _number(kind), _number(sequence), _number(at_ms)
    if not _may_stand(*numbers, record_id, content):
        return None  # a number or an id that may not stand there: the long way says which
    purpose, message, kid, signature = tail.groups()
    record_bytes = data[start:end]
    parts = numbers[0], UUID(bytes=record_id), _terminal(terminal_id), numbers[1], previous, numbers[2], content
    record = object.__new__(Record)  # whose checks are those above
    for name, part in zip(_RECORD, parts, strict=True):
        object.__setattr__(record, name, part)
    return Usual(
        Transaction(record_bytes, (Authorisation(_PURPOSES[purpose[0]], message),)),
        record,
        hashlib.sha256(record_bytes).digest(),
        Sign1(Algorithm.ES256, kid, None, signature),
    )


def _may_stand(kind: int, sequence: int, at_ms: int, record_id: bytes, content: bytes) -> bool:
    """What a `Record` checks when it is made, of what the pattern leaves open."""
    return (
        1 <= kind <= KIND_MAX
        and sequence <= body.INTEGER_MAX
        and at_ms <= body.TIME_MS_MAX
        and len(content) <= BODY_BYTES_MAX
        # RFC 9562 4: version 7, variant 0b10
        and record_id[6] >> 4 == ids.VERSION
        and record_id[8] >> 6 == 0b10  # noqa: PLR2004
    )


@functools.lru_cache(maxsize=_BODIES)
def _terminal(terminal_id: bytes) -> UUID:
    return UUID(bytes=terminal_id)


def _number(encoded: bytes) -> int:
    return encoded[0] if len(encoded) == 1 else int.from_bytes(encoded[1:], "big")


@functools.lru_cache(maxsize=_BODIES)
def _is_body(content: bytes) -> bool:
    """Whether these bytes, to their end, are one map as a record may hold it."""
    try:
        return isinstance(cbor.decode(content, depth_max=8), dict)
    except CryptoError:
        return False
