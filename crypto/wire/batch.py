"""The batch: a terminal's signature over many transactions at once.

A batch does not read what it carries, so one bad item spoils only itself. Evolution: version 1 is fixed for ever.
"""

from dataclasses import dataclass
from uuid import UUID

from crypto import cbor, cose, keys
from crypto.cbor import Value
from crypto.errors import MalformedMessage
from crypto.keys import PublicKey, Signer
from crypto.wire import body, header
from crypto.wire.transaction import Transaction

DOMAIN = "city.batch"
AAD = b"city.terminal.v1"
ITEMS_MAX = 4096
BYTES_MAX = 4 * 1024 * 1024

_NUMBER = body.integer()


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded transactions in the order of the terminal's sequence; `Transaction.decode` reads each.

    `batch_id` is the sender's UUIDv7; `sent_at_ms` the terminal's clock; `policy_number` the policy it acts under,
    0 for none.
    """

    batch_id: UUID
    terminal_id: UUID
    sent_at_ms: int
    policy_number: int
    items: tuple[bytes, ...]

    def __post_init__(self) -> None:
        header.check_record_id(self.batch_id)
        body.IDENTIFIER.check(self.terminal_id)
        body.TIME_MS.check(self.sent_at_ms)
        _NUMBER.check(self.policy_number)
        if len(self.items) > ITEMS_MAX:
            raise MalformedMessage(f"A batch has at most {ITEMS_MAX} items, this one has {len(self.items)}.")


def sign_batch(batch: Batch, signer: Signer) -> bytes:
    """The batch as it is sent. Raises: MalformedMessage when it is larger than a batch may be."""
    parts: list[Value] = [DOMAIN, header.VERSION, batch.batch_id.bytes, batch.terminal_id.bytes]
    payload = cbor.encode([*parts, batch.sent_at_ms, batch.policy_number, list(batch.items)])
    message = cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=AAD)
    _check_size(message)
    return message


@dataclass(frozen=True, slots=True)
class Sealed:
    """A batch that was read and not verified: only `terminal_id` may be looked at, to find the key for `open`."""

    terminal_id: UUID
    _parts: cose.Sign1
    _payload: bytes
    _batch: Batch

    def open(self, public_key: PublicKey) -> Batch:
        """The batch, when the terminal's key signed it. Raises: InvalidSignature."""
        cose.verify_parts(self._parts, public_key, self._payload, external_aad=AAD)
        return self._batch


def read_sealed(message: bytes) -> Sealed:
    """Read a batch once, before it is known whose key verifies it. Raises: MalformedMessage, UnknownVersion."""
    _check_size(message)
    parts = cose.parse(message)
    if parts.payload is None:
        raise MalformedMessage("The batch does not enclose its content.")
    batch = _read(parts.payload)
    return Sealed(batch.terminal_id, parts, parts.payload, batch)


def peek_terminal(message: bytes) -> UUID:
    """Which terminal the batch says it is from, unverified: for finding the key to verify it with, nothing else."""
    return read_sealed(message).terminal_id


def open_batch(message: bytes, public_key: PublicKey) -> Batch:
    """Return the batch that the terminal's key signed. Raises: MalformedMessage, UnknownVersion, InvalidSignature."""
    return read_sealed(message).open(public_key)


def _read(payload: bytes) -> Batch:
    match header.read(payload, DOMAIN, 5, depth_max=2):
        case [bytes(batch_id), bytes(terminal_id), int(sent_at_ms), int(policy_number), list(items)]:
            read_items = tuple(item for item in items if isinstance(item, bytes))
            if len(read_items) == len(items):
                ids = body.read_uuid(batch_id), body.read_uuid(terminal_id)
                return Batch(*ids, sent_at_ms, policy_number, read_items)
    raise MalformedMessage("A part of the batch is of the wrong kind.")


def _check_size(message: bytes) -> None:
    if len(message) > BYTES_MAX:
        raise MalformedMessage(f"A batch has at most {BYTES_MAX} bytes, this one has {len(message)}.")


def encode_items(transactions: tuple[Transaction, ...]) -> tuple[bytes, ...]:
    """The transactions as a batch carries them."""
    return tuple(transaction.encode() for transaction in transactions)
