"""The receipt: the service's signed answer to one record, which anyone can check offline with the city's public keys.

Evolution: append only (see `crypto.wire.body`); what an old reader must not overlook is version 2.
"""

import hashlib
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from crypto import cbor, cose, keys, tlog
from crypto.errors import MalformedMessage
from crypto.keys import Signer
from crypto.wire import header
from crypto.wire.body import (
    CENTS,
    CURRENCY,
    HASH,
    IDENTIFIER,
    TIME_MS,
    Tag,
    Tagged,
    choice,
    document,
    integer,
    many,
    text,
)
from crypto.wire.citykeys import CityKeys

__all__ = [
    "ACCEPTED",
    "REJECTED",
    "CityKeys",
    "Receipt",
    "commitment",
    "leaf_data",
    "peek_receipt",
    "sign_receipt",
    "verify_receipt",
]

DOMAIN = "city.receipt"
LEAF_DOMAIN = "city.leaf"
AAD = b"city.receipt.v1"
ACCEPTED = "accepted"
REJECTED = "rejected"
BYTES_MAX = 16 * 1024
_PROOF_MAX = 64
_NULL = cbor.encode(None)
_CHECKPOINT_MAX = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt(Tagged):
    """What became of a record and where the log says so.

    `reason` is there exactly where the outcome is "rejected"; `entry_hash`, the hash of the ledger entry, where it
    moved money. `amount_cents` and `currency` are there together or not at all. `official_number` is that of an
    official receipt. `recorded_at_ms` is the service's clock. `salt` opens the log's commitment.
    """

    record_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    record_hash: Annotated[bytes, Tag(2, HASH)]
    outcome: Annotated[str, Tag(3, choice(ACCEPTED, REJECTED))]
    reason: Annotated[str | None, Tag(4, text(64))] = None
    kind: Annotated[int, Tag(5, integer(0, 2**16 - 1))]
    amount_cents: Annotated[int | None, Tag(6, CENTS)] = None
    currency: Annotated[str | None, Tag(7, CURRENCY)] = None
    entry_hash: Annotated[bytes | None, Tag(8, HASH)] = None
    recorded_at_ms: Annotated[int, Tag(9, TIME_MS)]
    official_number: Annotated[str | None, Tag(10, text(64))] = None
    salt: Annotated[bytes, Tag(11, HASH)]
    leaf_index: Annotated[int, Tag(12, integer())]
    tree_size: Annotated[int, Tag(13, integer(1))]
    inclusion_proof: Annotated[tuple[bytes, ...], Tag(14, many(HASH, _PROOF_MAX))]
    checkpoint: Annotated[str, Tag(15, document(_CHECKPOINT_MAX))]

    def __post_init__(self) -> None:
        # the zero-argument form of super() does not survive the new class that slots=True makes
        super(Receipt, self).__post_init__()
        if (self.outcome == REJECTED) != (self.reason is not None):
            raise MalformedMessage("A receipt states a reason exactly where the record was rejected.")
        if (self.amount_cents is None) != (self.currency is None):
            raise MalformedMessage("A receipt states an amount and its currency together.")
        if self.outcome == REJECTED and self.entry_hash is not None:
            raise MalformedMessage("A rejected record has no entry.")

    def leaf(self) -> bytes:
        """The leaf of the log that stands for this outcome, made from the salt and the contents."""
        opened = commitment(self.salt, self.record_id, self.record_hash, self.outcome, self.reason, self.entry_hash)
        return leaf_data(opened)


def commitment(
    salt: bytes, record_id: UUID, record_hash: bytes, outcome: str, reason: str | None, entry_hash: bytes | None
) -> bytes:
    """What the log keeps of an outcome: SHA-256 of 32 random bytes and the contents.

    Without the salt it says nothing about the record, so erasing the salt erases the person from the log.
    """
    HASH.check(salt)
    # the encoding of an array of five (RFC 8949 3.1), part by part: a batch has a thousand of them
    contents = (
        b"\x85"
        + cbor.byte_string(record_id.bytes)
        + cbor.byte_string(record_hash)
        + cbor.text_string(outcome)
        + (cbor.text_string(str(reason)) if reason else cbor.encode(reason))
        + (_NULL if entry_hash is None else cbor.byte_string(entry_hash))
    )
    return hashlib.sha256(salt + contents).digest()


def leaf_data(opened: bytes) -> bytes:
    """The data of the log's leaf for a commitment."""
    HASH.check(opened)
    return cbor.encode([LEAF_DOMAIN, header.VERSION, opened])


def sign_receipt(receipt: Receipt, signer: Signer) -> bytes:
    """The receipt as it is handed out."""
    payload = cbor.encode([DOMAIN, header.VERSION, receipt.encode()])
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=AAD)


def peek_receipt(data: bytes) -> Receipt:
    """What a receipt says, unverified: for showing and sorting one's own, never for believing another's."""
    payload = cose.parse(_checked_size(data)).payload
    if payload is None:
        raise MalformedMessage("The receipt does not enclose its content.")
    return _read(payload)


def verify_receipt(data: bytes, city_keys: CityKeys) -> Receipt:
    """Return the receipt when the city signed it, and its log contains exactly this outcome.

    Raises: MalformedMessage, UnknownVersion, InvalidSignature (receipt or checkpoint), InvalidProof.
    """
    key = city_keys.receipt_key(cose.parse(_checked_size(data)).kid)
    receipt = _read(cose.verify1(data, key, external_aad=AAD))
    head = tlog.open_checkpoint(receipt.checkpoint, city_keys.logs)
    if head.size != receipt.tree_size:
        raise MalformedMessage("The receipt's checkpoint is of another size than its proof.")
    leaf = tlog.leaf_hash(receipt.leaf())
    tlog.verify_inclusion(leaf, receipt.leaf_index, head.size, receipt.inclusion_proof, head.root)
    return receipt


def _read(payload: bytes) -> Receipt:
    (content,) = header.read(payload, DOMAIN, 1, depth_max=3)
    return Receipt.from_map(content)


def _checked_size(data: bytes) -> bytes:
    if len(data) > BYTES_MAX:
        raise MalformedMessage(f"A receipt has at most {BYTES_MAX} bytes.")
    return data
