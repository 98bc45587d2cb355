"""What a holder may agree to: from which purse, how much, how often."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from cardsvc import ledger, wallets
from cardsvc.errors import CityError, ErrorKind
from cardsvc.money import show

CENTS_MAX: Final = 10_000_00
"""The largest threshold, and the most that goes at once."""
DAY_MAX: Final = 5
"""How often a day at most."""


class UnfitMandate(CityError):
    """A mandate that could not be followed; the sentence says why."""

    code: ClassVar[str] = "unfit_mandate"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


class NoMandate(CityError):
    code: ClassVar[str] = "no_mandate"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("This wallet is not topped up by itself: there is no mandate. Give one first.")


@dataclass(frozen=True, slots=True)
class Mandate:
    """`amount_cents` go from the purse `source` to the balance when it is below `threshold_cents`."""

    mandate_id: UUID
    wallet_id: UUID
    source: str
    threshold_cents: int
    amount_cents: int
    day_max: int
    given_at: datetime


def may_give(purse: ledger.PurseAccount) -> bool:
    """Whether money of this purse may become balance: only what is for anything and for ever. What is for rides or
    taxes would lose its purpose, and what ends would never go back.
    """
    return purse.purse.purpose == wallets.ANY and purse.purse.expires_at is None


def fault(mandate: Mandate, purse: ledger.PurseAccount | None) -> str | None:
    """What is wrong with a mandate in a sentence."""
    if purse is None:
        return f"The wallet has no purse {mandate.source}."
    if not may_give(purse):
        return f"The purse {mandate.source} is for a purpose or a time: its money cannot become balance."
    if not 0 < mandate.threshold_cents <= CENTS_MAX or not 0 < mandate.amount_cents <= CENTS_MAX:
        return f"Choose amounts up to {show(CENTS_MAX)}."
    if not 0 < mandate.day_max <= DAY_MAX:
        return f"Choose how often a day: 1 to {DAY_MAX} times."
    return None
