"""What a rider may claim about a ride, and who may give how much back."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from cardsvc import money
from cardsvc.errors import CityError, ErrorKind

REFUND_ALONE_CENTS_MAX: Final = 50_00
"""The most that one member of staff gives back alone."""
CLAIM_WITHIN: Final = timedelta(days=30)
"""After this a ride is claimed at a counter only: gates have brought what they had."""
SAID_MAX: Final = 400
OPEN, REFUNDED, REFUSED, ALL = "open", "refunded", "refused", "all"
STATES: Final = (OPEN, REFUNDED, REFUSED, ALL)


class ClaimReason(StrEnum):
    NOT_ME = "not_me"  # somebody else rode, or nobody did
    WRONG_STOP = "wrong_stop"  # the gate named another stop than the rider's
    MISSING_EXIT = "missing_exit"  # the rider left where no gate noticed


@dataclass(frozen=True, slots=True)
class RideCost:
    """What a ride comes to now: all its charges, less what was taken back or refunded."""

    ride_id: UUID
    wallet_id: UUID
    fare_day: date
    network: str
    agency: str
    fare_cents: int
    subsidy_cents: int
    paid_by: str
    product: str
    began_at: datetime
    from_stop: str

    def subsidy_back(self, fare_cents: int) -> int:
        """What goes back to the programme with so much of the fare: all of it with all, and nothing with a part, for
        then a ride was made that the programme pays for.
        """
        return self.subsidy_cents if fare_cents == self.fare_cents else 0


class UnknownRide(CityError):
    code: ClassVar[str] = "unknown_ride"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such ride among yours. Choose one from your list of rides.")


class UnknownClaim(CityError):
    code: ClassVar[str] = "unknown_claim"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no claim with this id. Look it up in the list of claims.")


class ClaimRefused(CityError):
    """The claim cannot be opened."""

    code: ClassVar[str] = "claim_not_possible"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


class ClaimDecided(CityError):
    code: ClassVar[str] = "claim_decided"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This claim was decided before, and is decided once. The rider may open another one.")


def check_claim(cost: RideCost, reason: ClaimReason, stop_id: str | None, *, already_open: bool, now: datetime) -> None:
    """Raises: ClaimRefused."""
    if already_open:
        raise ClaimRefused("This ride has an open claim. Wait for its answer, or tell more at a counter.")
    if cost.fare_cents <= 0:
        raise ClaimRefused("This ride cost you nothing, or was given back already. There is nothing to claim.")
    if now - cost.began_at > CLAIM_WITHIN:
        raise ClaimRefused(f"This ride is more than {CLAIM_WITHIN.days} days old. Ask at a counter.")
    if (reason is ClaimReason.NOT_ME) != (stop_id is None):
        raise ClaimRefused("Say at which stop you were; only where you did not ride at all there is none.")


def check_refund(cost: RideCost, fare_cents: int) -> str:
    """Why so much cannot go back; empty: it can."""
    if not 0 < fare_cents <= cost.fare_cents:
        return f"This ride comes to {money.show(cost.fare_cents)} now: give back that or less."
    return ""


def needs_two(fare_cents: int) -> bool:
    return fare_cents > REFUND_ALONE_CENTS_MAX
