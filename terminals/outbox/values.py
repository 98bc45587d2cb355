"""What goes into the outbox and what comes out of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from crypto.wire.transaction import Record

BATCH_ITEMS_MAX = 512
OUTBOX_FILE = "outbox.sqlite"  # in a terminal's home


class State(StrEnum):
    """`WAITING`: stored, and the service has not answered for it. It stays so until an answer names it."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record of this terminal and what became of it.

    `intent` names what was wanted ("claim:<entitlement>"), None where wanting twice is fine (two taps). `subject` is
    the id of the card that signed, None where no card did. `reason` is the service's code for a rejection, `detail` its
    sentence; both None unless rejected. `receipt` is the service's signed answer, None until it came.
    """

    record: Record
    state: State
    intent: str | None
    subject: UUID | None
    reason: str | None
    detail: str | None
    receipt: bytes | None

    @property
    def record_id(self) -> UUID:
        return self.record.record_id

    @property
    def sequence(self) -> int:
        return self.record.sequence


@dataclass(frozen=True, slots=True)
class SignedBatch:
    """A batch as it is sent, and which records are in it."""

    content: bytes
    record_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class Balance:
    """What the holder of a card had left for rides, and when, by the service's clock."""

    cents: int
    at_ms: int


class Result(Protocol):
    """The service's answer for one record."""

    @property
    def record_id(self) -> UUID: ...

    @property
    def outcome(self) -> str: ...

    @property
    def reason(self) -> str | None: ...

    @property
    def detail(self) -> str | None: ...

    @property
    def receipt(self) -> bytes | None: ...

    @property
    def balance(self) -> "Balance | None": ...


@dataclass(frozen=True, slots=True)
class Refusal:
    """The service would not take a whole batch: this terminal is revoked, or its signature is not known."""

    at_ms: int
    code: str
    detail: str
