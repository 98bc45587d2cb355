"""Terminals and cards in software, deterministic from the seed: they sign as real ones do."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from crypto.keys import SoftwareSigner
from crypto.wire.batch import Batch, sign_batch
from crypto.wire.body import Body
from crypto.wire.ids import uuid7
from crypto.wire.transaction import NO_PREVIOUS, Authorisation, Purpose, Record, Transaction, authorise

SLOTS: Final = ("9A", "9C", "9E")


def signer(seed: int, *name: object) -> SoftwareSigner:
    """The key of this name in the city of this seed."""
    digest = hashlib.sha512(repr((seed, *name)).encode()).digest()
    return SoftwareSigner.from_secret(int.from_bytes(digest, "big"))


def milliseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1000 + at.microsecond // 1000


class Card(Protocol):
    """A card that signs that it was there."""

    def tapped(self, record_bytes: bytes) -> Authorisation: ...


@dataclass(frozen=True, slots=True)
class SoftCard:
    """A resident's card as three keys; `number` is the resident's place in the seed's list."""

    card_id: UUID
    resident_id: UUID
    seed: int
    number: int

    def key(self, slot: str) -> SoftwareSigner:
        return signer(self.seed, "card", self.number, slot)

    def tapped(self, record_bytes: bytes) -> Authorisation:
        """9E: the card was there."""
        return authorise(record_bytes, Purpose.PRESENCE, self.key("9E"))

    def agreed(self, record_bytes: bytes) -> Authorisation:
        """9C, with PIN: its holder agreed."""
        return authorise(record_bytes, Purpose.CONSENT, self.key("9C"))


@dataclass(slots=True)
class SoftTerminal:
    """An enrolled terminal: it keeps its chain of records and signs batches of them."""

    device_id: UUID
    name: str
    kind: str
    signer: SoftwareSigner
    chance: random.Random
    sequence: int = 0
    previous: bytes = NO_PREVIOUS
    waiting: list[bytes] = field(default_factory=list)

    def record(self, body: Body, at: datetime) -> Record:
        """The next record of the chain."""
        self.sequence += 1
        at_ms = milliseconds(at)
        made = Record.of(
            body,
            record_id=uuid7(at_ms, self.chance.randbytes(10)),
            terminal_id=self.device_id,
            sequence=self.sequence,
            previous=self.previous,
            at_ms=at_ms,
        )
        self.previous = made.hash()
        return made

    def keep(self, record: Record, authorisations: Sequence[Authorisation]) -> UUID:
        """Store the signed record for the next batch."""
        self.waiting.append(Transaction(record.encode(), tuple(authorisations)).encode())
        return record.record_id

    def tap(self, body: Body, card: Card, at: datetime) -> UUID:
        record = self.record(body, at)
        return self.keep(record, [card.tapped(record.encode())])

    def agree(self, body: Body, card: SoftCard, at: datetime) -> UUID:
        record = self.record(body, at)
        return self.keep(record, [card.agreed(record.encode())])

    def batch(self, at: datetime) -> bytes:
        """Everything that waits, signed; nothing waits afterwards."""
        at_ms = milliseconds(at)
        items = tuple(self.waiting)
        self.waiting = []
        return sign_batch(Batch(uuid7(at_ms, self.chance.randbytes(10)), self.device_id, at_ms, 0, items), self.signer)
