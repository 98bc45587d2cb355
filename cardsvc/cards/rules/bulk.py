"""Decisions about many cards at once: which cards, what with them, what the second person reads."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from cardsvc.cards.rules.errors import CriteriaMissing, InvalidBulk
from cardsvc.cards.rules.states import MOVES, CardState, Move, RevocationReason

CARD_IDS_MAX = 20_000


class BulkKind(StrEnum):
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


_MOVE = {BulkKind.SUSPEND: Move.SUSPEND, BulkKind.RESUME: Move.RESUME, BulkKind.REVOKE: Move.REVOKE}


@dataclass(frozen=True, slots=True)
class Criteria:
    """Which cards: all that are so in every respect that is named. None, or nothing, names no respect.

    `authority` is the key identifier of the authority that certified them (RFC 5280 4.2.1.1), `batch` the delivery of
    their blanks, `bulk_id` an earlier decision about many. `personalised_until` is excluded.
    """

    product: str | None = None
    personalised_from: datetime | None = None
    personalised_until: datetime | None = None
    authority: bytes | None = None
    batch: str | None = None
    bulk_id: UUID | None = None
    card_ids: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        if not self.named():
            raise CriteriaMissing

    def named(self) -> dict[str, object]:
        """The respects that are named."""
        return {one.name: value for one in fields(self) if (value := getattr(self, one.name)) not in {None, ()}}

    def said(self) -> str:
        """In words, for whoever approves."""
        parts = []
        for name, value in self.named().items():
            word = name.replace("_", " ")
            if isinstance(value, tuple):
                parts.append(f"{len(value)} cards by id")
            elif isinstance(value, bytes):
                parts.append(f"{word} {value.hex()}")
            elif isinstance(value, datetime):
                parts.append(f"{word} {value.isoformat(timespec='minutes')}")
            else:
                parts.append(f"{word} {value}")
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """What is to be done with many cards, and why. `revoked_reason` stands with a revocation and nowhere else."""

    kind: BulkKind
    criteria: Criteria
    reason: str
    revoked_reason: RevocationReason | None = None

    def __post_init__(self) -> None:
        if (self.kind is BulkKind.REVOKE) != (self.revoked_reason is not None):
            raise InvalidBulk("Name the reason of the revocation with a revocation, and only there.")
        if self.revoked_reason is RevocationReason.SUPERSEDED:
            raise InvalidBulk("Only a hand-over supersedes a card. Choose another reason.")

    def summary(self, count: int) -> str:
        """What both people read before they sign."""
        as_ = f" as {self.revoked_reason}" if self.revoked_reason else ""
        return f"{self.kind.capitalize()} {count:,} cards{as_}: {self.reason} ({self.criteria.said()})"[:400]


def bulk_move(kind: BulkKind) -> tuple[frozenset[CardState], CardState]:
    """From which states cards are taken, and where to: by the one table of moves."""
    step = MOVES[_MOVE[kind]]
    return step.from_, step.to


def cards_hash(card_ids: Iterable[UUID]) -> bytes:
    """What two people sign of a list that is too long to sign: SHA-256 over its ids, sorted, 16 bytes each."""
    return hashlib.sha256(b"".join(sorted(card_id.bytes for card_id in card_ids))).digest()
