"""Finance: cashiers' shifts and money that comes from or goes to the bank."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import CENTS, CURRENCY, IDENTIFIER, POSITIVE_CENTS, Body, Tag, text
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
