"""What goes into the ledger and what comes back. Amounts are whole centavos, debit positive."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple
from uuid import UUID

from cardsvc.ledger.rules import encoding
from cardsvc.money import CURRENCY
from crypto import cbor

_EPOCH = date(1970, 1, 1)
ENTRY_DOMAIN = "city.entry"
ENTRY_VERSION = 1
ENTRY_VERSION_WITH_NOTES = 2  # an entry with an accounting date of its own, or metadata
METADATA_MAX = 16  # pairs of an entry
METADATA_TEXT_MAX = 200  # characters of a key or a value


class EntryKind(IntEnum):
    """Why money moved. The number is that of the signed record's kind; append only."""

    CASH_TOP_UP = 1
    SHIFT_OPENED = 2
    SHIFT_CLOSED = 3
    TAP = 10
    FARE_REFUNDED = 11
    PASS_BOUGHT = 12
    CARD_PAID = 13
    CYCLE_APPROVED = 20
    CLAIM = 21
    TAX_PAYMENT = 30
    BANK_DEPOSIT = 40
    FUNDING = 41
    CASH_WITHDRAWAL = 43
    JOURNAL_ENTRY = 44
    BANK_TRANSFER = 45
    TRANSFER_ASSIGNED = 46
    AUTO_TOP_UP = 47
    HOLD_PLACED = 50
    HOLD_CAPTURED = 51
    HOLD_RELEASED = 52
    PURSE_FUNDED = 53
    PURSE_EXPIRED = 54
    REVERSAL = 90
    DISPUTE_SETTLED = 91
    ADJUSTMENT = 1000  # above every record number


class Reason(StrEnum):
    """Why a draft was refused. Where several apply, the first in this order is the answer."""

    UNBALANCED = "unbalanced"  # fewer than two lines, or they do not sum to zero
    INVALID_METADATA = "invalid_metadata"  # too many pairs, an empty or long text, a key twice
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range"  # zero or beyond 64 bits; last of all: a balance would be
    DUPLICATE_ENTRY = "duplicate_entry"  # the id is in the ledger, or earlier in this batch
    UNKNOWN_ENTRY = "unknown_entry"  # what it reverses is not in the ledger
    ALREADY_REVERSED = "already_reversed"
    UNKNOWN_ACCOUNT = "unknown_account"
    ACCOUNT_CLOSED = "account_closed"
    WRONG_CURRENCY = "wrong_currency"
    PERIOD_CLOSED = "period_closed"  # the month that it would be booked in
    BALANCE_ASSERTED = "balance_asserted"  # an account's balance was signed off for that day or a later one
    UNKNOWN_HOLD = "unknown_hold"
    HOLD_ENDED = "hold_ended"  # captured whole, released or expired
    HOLD_EXCEEDED = "hold_exceeded"  # more than is left of it
    PURSE_EXPIRED = "purse_expired"
    INSUFFICIENT_FUNDS = "insufficient_funds"


class Line(NamedTuple):
    """One side of a draft: `amount_cents` on `account`, debit positive. When a checked account's floor would be passed,
    the rest is drawn from the accounts in `then`, in order: a wallet's next purse, a receivable.
    """

    account: str
    amount_cents: int
    then: tuple[str, ...] = ()


class HoldVerb(StrEnum):
    PLACE = "place"
    CAPTURE = "capture"
    RELEASE = "release"
    RESTORE = "restore"  # a capture is taken back: what it took is held again


@dataclass(frozen=True, slots=True)
class HoldStep:
    """What an entry does to a hold: `amount_cents` is placed, taken for the beneficiary, or given back, above zero.

    `expires_at` is there where one is placed that ends by itself; `final` where a capture ends it. The last three say
    of a placed one how much captures may take together, for which account, and which purses may pay.
    """

    hold_id: UUID
    verb: HoldVerb
    amount_cents: int
    expires_at: datetime | None = None
    final: bool = False
    limit_cents: int = 0
    beneficiary: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry that somebody wants. `entry_id` is the signed record's id, `rule` names what computed it, `reverses` the
    entry that this one takes back. `booked_on` is its accounting date where that is not the day of its recording.
    `metadata` are texts by key, in the keys' order.
    """

    entry_id: UUID
    kind: EntryKind
    lines: tuple[Line, ...]
    happened_at: datetime
    rule: str
    currency: str = CURRENCY
    reverses: UUID | None = None
    booked_on: date | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    hold: HoldStep | None = None


class PostedLine(NamedTuple):
    """Where a draft's money landed. A tuple, because a batch makes thousands of them."""

    account: str
    amount_cents: int


class Posted(NamedTuple):
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
    booked_on: date | None = None
    metadata: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing of the draft was posted. `detail` is a sentence for a person."""

    entry_id: UUID
    reason: Reason
    detail: str


# How both versions begin: an array of so many, the domain, the version.
_PLAIN = encoding.array(10) + encoding.text(ENTRY_DOMAIN) + encoding.integer(ENTRY_VERSION)
_PAIR = encoding.array(2)
_WITH_NOTES = encoding.array(12) + encoding.text(ENTRY_DOMAIN) + encoding.integer(ENTRY_VERSION_WITH_NOTES)


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
    booked_on: date | None = None,
    metadata: Sequence[tuple[str, str]] = (),
) -> bytes:
    """SHA-256 over everything the ledger keeps of an entry but its place, which the log's own order proves.

    Version 2 has the accounting date (days since 1970, or null) and the metadata behind the lines; it is used only
    where one of them is there, so that entries without them hash as they always did.
    """
    parts = [
        _PLAIN,
        encoding.identifier(entry_id.bytes),
        encoding.integer(kind),
        encoding.text(currency),
        encoding.moments(happened_at_ms, recorded_at_ms),
        encoding.text(rule),
        encoding.NULL if reverses is None else encoding.identifier(reverses.bytes),
        encoding.array(len(lines)),
    ]
    for account, amount_cents in lines:
        parts += (_PAIR, encoding.text(account), encoding.integer(amount_cents))
    if booked_on is not None or metadata:
        parts[0] = _WITH_NOTES
        days = None if booked_on is None else (booked_on - _EPOCH).days
        parts += (cbor.encode(days), cbor.encode([[key, value] for key, value in metadata]))
    return hashlib.sha256(b"".join(parts)).digest()


def reversing(entry: StoredEntry, *, entry_id: UUID, happened_at: datetime, rule: str) -> Draft:
    """The draft that takes `entry` back: the same lines with the opposite sign. A later entry may have spent what it
    gave, so posting it can be refused for want of funds. What a capture took of a hold is held again.
    """
    captured = entry.kind is EntryKind.HOLD_CAPTURED
    notes = dict(entry.metadata)
    return Draft(
        entry_id=entry_id,
        kind=EntryKind.REVERSAL,
        lines=tuple(Line(line.account, -line.amount_cents) for line in entry.lines),
        happened_at=happened_at,
        rule=rule,
        currency=entry.currency,
        reverses=entry.entry_id,
        metadata=entry.metadata if captured else (),
        hold=HoldStep(UUID(notes["hold"]), HoldVerb.RESTORE, int(notes["captured_cents"])) if captured else None,
    )
