"""The batches of a stretch: whose they are, and which items their terminal signed."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import cbor2

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.cose import head, signing_prefix, take_apart
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.keybook import KeyBook, NotTheirs, Unknown
from cardsvc.evidence.rules.signatures import Signatures
from crypto.errors import CryptoError, MalformedMessage
from crypto.wire import batch as wire

_PREFIX: Final = signing_prefix(wire.AAD)
_PARTS = 7  # domain, version, id, terminal, sent, policy, items


@dataclass(slots=True)
class Batch:
    """A batch with the items that its terminal signed; ids are hex digits. `used`: a leaf names it."""

    line: int
    terminal_id: bytes
    terminal_kind: str
    received_at: int
    items: frozenset[bytes]
    used: bool = False
    holds: bool = True


def read_batches(
    file: File, book: KeyBook, signatures: Signatures, found: list[Finding]
) -> tuple[dict[bytes, Batch], int]:
    """The batches of a file by their ids, and how many of its lines could not be read."""
    batches: dict[bytes, Batch] = {}
    unread = 0
    for place, fields in file.rows(tables.BATCHES, 0, found):
        if fields is None:
            unread += 1
            continue
        _, batch_id, terminal_id, received_at, items, signed = fields
        subject = f"batch {UUID(batch_id)}"
        try:
            facts = _Facts(place, subject, batch_id.encode(), terminal_id.encode(), int(received_at), int(items))
            batches[facts.batch_id] = _read(bytes.fromhex(signed), facts, book, signatures, file.name)
        except (CryptoError, NotTheirs, ValueError) as error:
            if book.whole or not isinstance(error, Unknown):
                found.append(Finding(file.name, place, subject, "batch", f"it does not hold: {error}"))
            batches[batch_id.encode()] = Batch(place, terminal_id.encode(), "", 0, frozenset(), used=True, holds=False)
    return batches, unread


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a line says of its batch."""

    place: int
    subject: str
    batch_id: bytes
    terminal_id: bytes
    received_at: int
    item_count: int


def _read(signed: bytes, facts: _Facts, book: KeyBook, signatures: Signatures, name: str) -> Batch:
    _kid, payload, signature = take_apart(signed)
    if payload is None:
        raise MalformedMessage("the batch does not enclose its content.")
    terminal, key = book.terminal(facts.terminal_id, facts.received_at)
    message = _PREFIX + head(len(payload)) + payload
    signatures.add(key, message, signature, (name, facts.place, facts.subject, "terminal"))
    parts = cbor2.loads(payload)
    if type(parts) is not list or len(parts) != _PARTS or cbor2.dumps(parts) != payload:
        raise MalformedMessage("its content is not a batch in its one encoding.")
    domain, version, own_id, own_terminal, _sent, _policy, items = parts
    if (domain, version) != (wire.DOMAIN, 1) or not _all_bytes(items):
        raise MalformedMessage("its content is not a batch.")
    if (own_id.hex().encode(), own_terminal.hex().encode()) != (facts.batch_id, facts.terminal_id):
        raise MalformedMessage("it is not kept as what it says it is.")
    if not 1 <= facts.item_count <= len(items):
        raise MalformedMessage("it is kept with another number of items than it has.")
    return Batch(facts.place, facts.terminal_id, terminal.detail, facts.received_at, frozenset(items))


def _all_bytes(items: object) -> bool:
    return type(items) is list and all(type(item) is bytes for item in items)
