"""Which flat fare a tap costs, by the tariff in force when it was made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cardsvc.transactions import Reason, Rejected
from cardsvc.transit.rules.feed import Fare
from crypto.wire.transit import Tap


@dataclass(frozen=True, slots=True)
class Tariff:
    """A version of the fares. `agency_of`: which agency earns a network's fares."""

    version: int
    valid_from: datetime
    default_category: str
    agency_of: Mapping[str, str]
    fares: Sequence[Fare]


def flat_fare(tariff: Tariff, network_id: str, rider_category: str) -> Fare | None:
    """The fare of one ride; None where the tariff does not know it: never a guess, never zero.

    A product for everybody (no rider category) counts where none is for this category; of several the cheapest.
    """
    on_network = [fare for fare in tariff.fares if fare.network_id == network_id]
    own = [fare for fare in on_network if fare.rider_category == rider_category]
    candidates = own or [fare for fare in on_network if not fare.rider_category]
    return min(candidates, key=lambda fare: (fare.amount_cents, fare.product_id), default=None)


def check_tap(tap: Tap, tariff: Tariff | None) -> Fare | Rejected:
    """The fare of a signed tap, when it is what the tariff says."""
    if tariff is None:
        return Rejected(Reason.UNKNOWN_REFERENCE, f"There is no tariff {tap.tariff_version}. Update the validator.")
    fare = flat_fare(tariff, tap.network_id, tariff.default_category)
    if fare is None:
        return Rejected(Reason.UNKNOWN_REFERENCE, f"The tariff has no fare for the network {tap.network_id}.")
    if (tap.fare_cents, tap.currency) != (fare.amount_cents, fare.currency):
        return Rejected(Reason.WRONG_AMOUNT, "The fare of the tap is not that of the tariff. Update the validator.")
    return fare


def revenue_account(agency_id: str) -> str:
    return f"revenue:transit:{agency_id}"


def concession_account(payer: str) -> str:
    """What a programme pays to operators for the discounts that it grants."""
    return f"expense:concession:{payer}"


def pool_account(pass_id: str) -> str:
    """What was paid for a pass that is good at several operators, until finance divides it among them."""
    return f"liability:transit:pass:{pass_id}"
