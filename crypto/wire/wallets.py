"""Wallets: cash paid in at a counter, and the question for the balance. The card that signs says whose wallet."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import CURRENCY, IDENTIFIER, POSITIVE_CENTS, Body, Tag
from crypto.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class CashTopUp(Body):
    """A cashier took cash within the shift `shift_id` for the wallet of the card that signed."""

    KIND: ClassVar[int] = Kind.CASH_TOP_UP
    amount_cents: Annotated[int, Tag(1, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(2, CURRENCY)]
    shift_id: Annotated[UUID, Tag(3, IDENTIFIER)]


@dataclass(frozen=True, slots=True)
class BalanceQuery(Body):
    """How much is in the wallet of the card that signed, and its last movements?"""

    KIND: ClassVar[int] = Kind.BALANCE_QUERY
