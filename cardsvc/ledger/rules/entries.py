"""What goes into the ledger and what comes back. Amounts are whole centavos, debit positive."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID

from cardsvc.money import CURRENCY
from crypto import cbor

ENTRY_DOMAIN = "city.entry"
ENTRY_VERSION = 1


class EntryKind(IntEnum):
    """Why money moved. The number is that of the signed record's kind; append only."""

    CASH_TOP_UP = 1
    SHIFT_OPENED = 2
    SHIFT_CLOSED = 3
    TAP = 10
    CYCLE_APPROVED = 20
    CLAIM = 21
    TAX_PAYMENT = 30
    BANK_DEPOSIT = 40
    FUNDING = 41
    CASH_WITHDRAWAL = 43
    REVERSAL = 90
    ADJUSTMENT = 1000  # above every record number


class Reason(StrEnum):
    """Why a draft was refused. Where several apply, the first in this order is the answer."""

    UNBALANCED = "unbalanced"  # fewer than two lines, or they do not sum to zero
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"  # zero or beyond 64 bits; last of all: a balance would be
    DUPLICATE_ENTRY = "duplicate_entry"  # the id is in the ledger, or earlier in this batch
    UNKNOWN_ENTRY = "unknown_entry"  # what it reverses is not in the ledger
    ALREADY_REVERSED = "already_reversed"
    UNKNOWN_ACCOUNT = "unknown_account"
    ACCOUNT_CLOSED = "account_closed"
    WRONG_CURRENCY = "wrong_currency"
    INSUFFICIENT_FUNDS = "insufficient_funds"


@dataclass(frozen=True, slots=True)
class Line:
    """One side of a draft: `amount_cents` on `account`, debit positive. When a checked account's floor would be passed,
    the rest is drawn from the accounts in `then`, in order: a wallet's next purse, a receivable.
    """

    account: str
    amount_cents: int
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that somebody wants. `entry_id` is the signed record's id, `rule` names what computed it, `reverses` the
    entry that this one takes back.
    """

    entry_id: UUID
    kind: EntryKind
    lines: tuple[Line, ...]
    happened_at: datetime
    rule: str
    currency: str = CURRENCY
    reverses: UUID | None = None


@dataclass(frozen=True, slots=True)
class PostedLine:
    account: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Posted:
    """The draft is an entry now. `lines` say where the money landed after every draw; `entry_hash` goes to the log."""

    entry_id: UUID
    seq: int
    lines: tuple[PostedLine, ...]
    entry_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as the ledger keeps it. `entry_hash` is computed from what is stored, not remembered."""

    entry_id: UUID
    seq: int
    kind: EntryKind
    currency: str
    happened_at: datetime
    recorded_at: datetime
    rule: str
    reverses: UUID | None
    lines: tuple[PostedLine, ...]
    entry_hash: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of the draft was posted. `detail` is a sentence for a person."""

    entry_id: UUID
    reason: Reason
    detail: str


def entry_hash(
    *,
    entry_id: UUID,
    kind: int,
    currency: str,
    happened_at_ms: int,
    recorded_at_ms: int,
    rule: str,
    reverses: UUID | None,
    lines: Sequence[PostedLine],
) -> bytes:
    """SHA-256 over everything the ledger keeps of an entry but its place, which the log's own order proves."""
    reversed_id = reverses.bytes if reverses else None
    named: cbor.Value = [[line.account, line.amount_cents] for line in lines]
    facts: list[cbor.Value] = [entry_id.bytes, kind, currency, happened_at_ms, recorded_at_ms, rule, reversed_id]
    return hashlib.sha256(cbor.encode([ENTRY_DOMAIN, ENTRY_VERSION, *facts, named])).digest()


def reversing(entry: StoredEntry, *, entry_id: UUID, happened_at: datetime, rule: str) -> Draft:
    """The draft that takes `entry` back: the same lines with the opposite sign. A later entry may have spent what it
    gave, so posting it can be refused for want of funds.
    """
    return Draft(
        entry_id=entry_id,
        kind=EntryKind.REVERSAL,
        lines=tuple(Line(line.account, -line.amount_cents) for line in entry.lines),
        happened_at=happened_at,
        rule=rule,
        currency=entry.currency,
        reverses=entry.entry_id,
    )
