"""Finance: cashiers' shifts and money that comes from or goes to the bank."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import (
    CENTS,
    CENTS_MAX,
    CURRENCY,
    DATE,
    HASH,
    IDENTIFIER,
    POSITIVE_CENTS,
    Body,
    Tag,
    Tagged,
    choice,
    integer,
    many,
    nested,
    text,
)
from crypto.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class ShiftOpened(Body):
    """A cashier starts with `float_cents` in the drawer. The record's id is the shift's id."""

    KIND: ClassVar[int] = Kind.SHIFT_OPENED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    float_cents: Annotated[int, Tag(2, CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]


@dataclass(frozen=True, slots=True)
class ShiftClosed(Body):
    """A cashier ends the shift `shift_id` and counted `counted_cents` in the drawer."""

    KIND: ClassVar[int] = Kind.SHIFT_CLOSED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    shift_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    counted_cents: Annotated[int, Tag(3, CENTS)]
    currency: Annotated[str, Tag(4, CURRENCY)]


@dataclass(frozen=True, slots=True)
class CardPaid(Body):
    """A cashier took the price of the card `card_id`, which is on order, in cash within the shift `shift_id`.

    `amount_cents` is the price that was shown. It is no money of a wallet: a load is a CashTopUp of its own.
    """

    KIND: ClassVar[int] = Kind.CARD_PAID
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    shift_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    card_id: Annotated[UUID, Tag(3, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(4, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(5, CURRENCY)]


@dataclass(frozen=True, slots=True)
class BankDeposit(Body):
    """Cash was taken to the bank; `reference` is what the bank statement will show."""

    KIND: ClassVar[int] = Kind.BANK_DEPOSIT
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]
    reference: Annotated[str, Tag(4, text(64))]


@dataclass(frozen=True, slots=True)
class Funding(Body):
    """Money arrived at the bank; `account_code` is the ledger account of its source (the credit side)."""

    KIND: ClassVar[int] = Kind.FUNDING
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]
    account_code: Annotated[str, Tag(4, text(64))]
    reference: Annotated[str, Tag(5, text(64))]


@dataclass(frozen=True, slots=True)
class CashWithdrawal(Body):
    """Cash was fetched from the bank into the vault; `reference` is what the bank statement will show."""

    KIND: ClassVar[int] = Kind.CASH_WITHDRAWAL
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]
    reference: Annotated[str, Tag(4, text(64))]


JOURNAL_LINES_MAX = 50
ACCOUNT_LETTERS_MAX = 128


@dataclass(frozen=True, slots=True)
class JournalLine(Tagged):
    """One line of a voucher: `amount_cents` on the account, debit positive."""

    account_code: Annotated[str, Tag(1, text(ACCOUNT_LETTERS_MAX))]
    amount_cents: Annotated[int, Tag(2, integer(-CENTS_MAX, CENTS_MAX))]


@dataclass(frozen=True, slots=True)
class JournalEntry(Body):
    """A journal entry voucher of two people. The record's id is that of the action that both signed.

    `fund` is whose series its number is of; `booked_on` the accounting date; `document` what supports it. One that
    takes an earlier record back names it in `reverses`.
    """

    KIND: ClassVar[int] = Kind.JOURNAL_ENTRY
    prepared_by: Annotated[UUID, Tag(1, IDENTIFIER)]
    approved_by: Annotated[UUID, Tag(2, IDENTIFIER)]
    fund: Annotated[str, Tag(3, choice("general", "sef", "trust"))]
    booked_on: Annotated[date, Tag(4, DATE)]
    currency: Annotated[str, Tag(5, CURRENCY)]
    particulars: Annotated[str, Tag(6, text())]
    document: Annotated[str, Tag(7, text(64))]
    lines: Annotated[tuple[JournalLine, ...], Tag(8, many(nested(JournalLine), JOURNAL_LINES_MAX))]
    reverses: Annotated[UUID | None, Tag(9, IDENTIFIER)] = None


@dataclass(frozen=True, slots=True)
class BankTransfer(Body):
    """Money that somebody sent to the city's account: the statement line `line_hash` says so.

    `reference` is the one that the line carries, `wallet_id` the wallet that it names. Without a wallet the money waits
    until staff find out whose it is.
    """

    KIND: ClassVar[int] = Kind.BANK_TRANSFER
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    line_hash: Annotated[bytes, Tag(2, HASH)]
    amount_cents: Annotated[int, Tag(3, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(4, CURRENCY)]
    reference: Annotated[str | None, Tag(5, text(64))] = None
    wallet_id: Annotated[UUID | None, Tag(6, IDENTIFIER)] = None


@dataclass(frozen=True, slots=True)
class TransferAssigned(Body):
    """Staff found out whose wallet the transfer `transfer_id`, which waited, is for; `reason` says how."""

    KIND: ClassVar[int] = Kind.TRANSFER_ASSIGNED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    transfer_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    wallet_id: Annotated[UUID, Tag(3, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(4, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(5, CURRENCY)]
    reason: Annotated[str, Tag(6, text())]
