"""The chart of accounts: what accounts there can be."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cardsvc.ledger.rules.errors import InvalidAccount
from cardsvc.money import CURRENCY

_IS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class AccountKind(StrEnum):
    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    REVENUE = "revenue"
    EXPENSE = "expense"

    @property
    def sign(self) -> int:
        """1 where a debit raises the natural balance, -1 where a credit does."""
        return 1 if self in (AccountKind.ASSET, AccountKind.EXPENSE) else -1


class AccountPolicy(StrEnum):
    """`CHECKED` keeps a live balance and may have a floor; `DERIVED` is summed when asked, so that no row is hot."""

    CHECKED = "checked"
    DERIVED = "derived"


class Fund(StrEnum):
    """The city's books are kept apart by fund (LGC ss. 308-310)."""

    GENERAL = "general"
    SEF = "sef"  # Special Education Fund
    TRUST = "trust"


@dataclass(frozen=True, slots=True)
class Purse:
    """What makes an account a purse: money for one purpose, or for any (""), spent until `expires_at` (excluded).

    Of several purses that may pay, the one for a purpose goes first, then the one that expires first, then the least
    `priority`. What is left of an expired one returns to the account `returns_to`.
    """

    purpose: str = ""
    expires_at: datetime | None = None
    priority: int = 0
    returns_to: str | None = None


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account to be opened. `floor_cents` is the least natural balance it may have; None: no limit, as always on a
    derived account.

    Raises: InvalidAccount.
    """

    code: str
    kind: AccountKind
    policy: AccountPolicy
    fund: Fund
    floor_cents: int | None = None
    currency: str = CURRENCY
    purse: Purse | None = None

    def __post_init__(self) -> None:
        if not self.code or self.code != self.code.strip() or any(character.isspace() for character in self.code):
            raise InvalidAccount(self.code, "a code has no spaces and is not empty")
        if self.policy is AccountPolicy.DERIVED and self.floor_cents is not None:
            raise InvalidAccount(self.code, "a derived account has no live balance, so it cannot have a floor")
        if self.floor_cents is not None and self.floor_cents > 0:
            raise InvalidAccount(self.code, "it opens empty, so its floor cannot be above zero")
        if self.purse is not None:
            self._check_purse(self.purse)

    def _check_purse(self, purse: Purse) -> None:
        if self.policy is not AccountPolicy.CHECKED or self.floor_cents != 0:
            raise InvalidAccount(self.code, "a purse has a live balance and never falls below zero")
        if (purse.expires_at is None) != (purse.returns_to is None):
            raise InvalidAccount(self.code, "a purse that expires says where the rest goes, and no other does")


def control_code(code: str) -> str:
    """The control account of a code: `wallet:<id>:main` and all its like are `wallet:*:main`."""
    return ":".join("*" if _IS_ID.fullmatch(part) else part for part in code.split(":"))
