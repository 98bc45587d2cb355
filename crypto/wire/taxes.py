"""Taxes: a bill paid from a wallet."""

from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

from crypto.wire.body import CURRENCY, IDENTIFIER, POSITIVE_CENTS, Body, Tag
from crypto.wire.kinds import Kind


@dataclass(frozen=True, slots=True)
class TaxPayment(Body):
    """The holder of the card that signed, with PIN, pays `amount_cents` of the bill from the wallet."""

    KIND: ClassVar[int] = Kind.TAX_PAYMENT
    bill_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]


@dataclass(frozen=True, slots=True)
class BillsQuery(Body):
    """Which bills does the holder of the card that signed have to pay?"""

    KIND: ClassVar[int] = Kind.BILLS_QUERY
