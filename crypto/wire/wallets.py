"""Wallets: cash paid in at a counter, the question for the balance, money set aside and money for a purpose.

Where a card signs, it says whose wallet.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar
from uuid import UUID

from crypto.errors import MalformedMessage
from crypto.wire.body import CURRENCY, IDENTIFIER, POSITIVE_CENTS, TIME_MS, Body, Tag, Type, choice, integer, text
from crypto.wire.kinds import Kind

ANY = "any"
TRANSIT = "transit"
TAX = "tax"
PURPOSES = (ANY, TRANSIT, TAX)
"""What money can be for; `any` is for everything. Evolution: append only, a word keeps its meaning."""
_PURSE_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}", re.ASCII)
_PRIORITY_MAX = 1000


def _check_name(value: object) -> None:
    if not isinstance(value, str) or not _PURSE_NAME.fullmatch(value):
        raise MalformedMessage("must be a name of 1 to 32 small letters, digits and hyphens.")


def _check_flag(value: object) -> None:
    if not isinstance(value, bool):
        raise MalformedMessage("must be true or false.")


def _same(value: Any) -> Any:
    return value


NAME: Type[str] = Type(to_wire=_same, from_wire=_same, check=_check_name)
FLAG: Type[bool] = Type(to_wire=_same, from_wire=_same, check=_check_flag)


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


@dataclass(frozen=True, slots=True)
class HoldPlaced(Body):
    """`amount_cents` are set aside in a wallet for `beneficiary`, the ledger account that captures will credit.

    `purpose` says which purses may pay. Captures may take `limit_cents` together; 0: what is held and no more. The hold
    ends by itself at `expires_at_ms`; 0: when somebody ends it. `staff_id` is there where no card signed. The record's
    id is the hold's.
    """

    KIND: ClassVar[int] = Kind.HOLD_PLACED
    wallet_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]
    beneficiary: Annotated[str, Tag(4, text(64))]
    purpose: Annotated[str, Tag(5, choice(*PURPOSES))]
    reason: Annotated[str, Tag(6, text(200))]
    expires_at_ms: Annotated[int, Tag(7, TIME_MS)] = 0
    limit_cents: Annotated[int, Tag(8, POSITIVE_CENTS)] = 0
    staff_id: Annotated[UUID | None, Tag(9, IDENTIFIER)] = None


@dataclass(frozen=True, slots=True)
class HoldCaptured(Body):
    """The beneficiary takes `amount_cents` of a hold; `final` gives the rest back."""

    KIND: ClassVar[int] = Kind.HOLD_CAPTURED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    hold_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(3, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(4, CURRENCY)]
    final: Annotated[bool, Tag(5, FLAG)] = False


@dataclass(frozen=True, slots=True)
class HoldReleased(Body):
    """All that is left of a hold, `amount_cents`, goes back. Without `staff_id` the service says so: it expired."""

    KIND: ClassVar[int] = Kind.HOLD_RELEASED
    hold_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    amount_cents: Annotated[int, Tag(2, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(3, CURRENCY)]
    staff_id: Annotated[UUID | None, Tag(4, IDENTIFIER)] = None


@dataclass(frozen=True, slots=True)
class PurseFunded(Body):
    """Money for a purpose, from the ledger account `source` into a purse of a wallet, opened when first funded.

    It may be spent until `expires_at_ms`, excluded; then the rest returns to `source`. 0: it does not expire. Of purses
    that expire together, the one of least `priority` pays first.
    """

    KIND: ClassVar[int] = Kind.PURSE_FUNDED
    staff_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    wallet_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    name: Annotated[str, Tag(3, NAME)]
    purpose: Annotated[str, Tag(4, choice(*PURPOSES))]
    amount_cents: Annotated[int, Tag(5, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(6, CURRENCY)]
    source: Annotated[str, Tag(7, text(64))]
    expires_at_ms: Annotated[int, Tag(8, TIME_MS)] = 0
    priority: Annotated[int, Tag(9, integer(0, _PRIORITY_MAX))] = 0


@dataclass(frozen=True, slots=True)
class PurseExpired(Body):
    """The time of a purse is over: what is left of it, `amount_cents`, returns to where it came from."""

    KIND: ClassVar[int] = Kind.PURSE_EXPIRED
    wallet_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    name: Annotated[str, Tag(2, NAME)]
    amount_cents: Annotated[int, Tag(3, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(4, CURRENCY)]


@dataclass(frozen=True, slots=True)
class AutoTopUp(Body):
    """The balance of a wallet was below what its holder's mandate says: money goes there from the purse `source`."""

    KIND: ClassVar[int] = Kind.AUTO_TOP_UP
    wallet_id: Annotated[UUID, Tag(1, IDENTIFIER)]
    mandate_id: Annotated[UUID, Tag(2, IDENTIFIER)]
    source: Annotated[str, Tag(3, NAME)]
    amount_cents: Annotated[int, Tag(4, POSITIVE_CENTS)]
    currency: Annotated[str, Tag(5, CURRENCY)]
