"""Which passes are on sale, whether one may be bought as somebody asks for it, and who earns what it costs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from cardsvc.money import CURRENCY
from cardsvc.transactions import Reason, Rejected
from cardsvc.transit.rules.charging import SLACK
from cardsvc.transit.rules.fares import pool_account, revenue_account
from cardsvc.transit.rules.pricing import HeldPass
from cardsvc.transit.rules.terms import PassProduct, Terms
from crypto.wire.transit import PassBought

AHEAD_DAYS_MAX: Final = 30
"""How many fare days ahead a pass may begin."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A pass on sale at `amount_cents`. No `networks`: it is good on every one. `agency` is the operator of all its
    networks; empty where there are several, and finance divides what was paid.
    """

    pass_id: str
    name: str
    networks: tuple[str, ...]
    amount_cents: int
    days: int | None
    rides: int | None
    agency: str

    @property
    def account(self) -> str:
        """The account that is paid."""
        return revenue_account(self.agency) if self.agency else pool_account(self.pass_id)


def offers(products: Iterable[PassProduct], agency_of: Mapping[str, str]) -> tuple[Offer, ...]:
    """What is on sale, in the feed's order: each pass that has a price. `agency_of` says who runs each network."""
    return tuple(_offer(product, product.amount_cents, agency_of) for product in products if product.amount_cents)


def _offer(product: PassProduct, amount_cents: int, agency_of: Mapping[str, str]) -> Offer:
    networks = () if "" in product.networks else tuple(sorted(product.networks))
    agencies = {agency_of[network] for network in networks or agency_of if network in agency_of}
    agency = next(iter(agencies)) if len(agencies) == 1 else ""
    return Offer(product.pass_id, product.name, networks, amount_cents, product.days, product.rides, agency)


def last_beginning(today: date) -> date:
    """The last fare day on which a pass that is bought on the fare day `today` may begin."""
    return today + timedelta(days=AHEAD_DAYS_MAX)


def check_beginning(begins: date, today: date) -> Rejected | None:
    """May a pass begin on that fare day, when it is asked for on the fare day `today`?"""
    if today <= begins <= last_beginning(today):
        return None
    return Rejected(
        Reason.NOT_PERMITTED, f"A pass begins today or at most {AHEAD_DAYS_MAX} days from now. Choose another day."
    )


def check_window(good: tuple[datetime, datetime]) -> Rejected | None:
    """A record that came late may ask for days that are over."""
    starts, ends = good
    if starts < ends:
        return None
    return Rejected(Reason.NOT_PERMITTED, "The days of this pass are over. Nothing was taken; buy another one.")


def check_sale(asked: PassBought, offer: Offer | None, version: int) -> Rejected | None:
    """May it be sold at that price? `offer` is the pass in the tariff `version`, which is in force."""
    if asked.tariff_version != version:
        return Rejected(
            Reason.UNKNOWN_REFERENCE, "The tariff changed since you were shown this pass. Look at the passes again."
        )
    if offer is None:
        return Rejected(Reason.UNKNOWN_REFERENCE, "There is no such pass on sale. Look at the passes again.")
    if (asked.amount_cents, asked.currency) != (offer.amount_cents, CURRENCY):
        return Rejected(Reason.WRONG_AMOUNT, "This is not the price of the pass. Look at the passes again.")
    return None


def window(terms: Terms, pass_id: str, begins: date, sold_at: datetime) -> tuple[datetime, datetime]:
    """From when until when the pass is good. One that begins today begins when it is sold: what was ridden before
    stays as it was charged.
    """
    starts, ends = terms.pass_window(pass_id, begins)
    return max(starts, sold_at), ends


def counted_since(passes: Iterable[HeldPass], since: datetime) -> datetime:
    """From when a rider's taps must be known, so that at `since` it is known what is left of passes for a number of
    rides: of those that are still good then, and of those that were good beside them.
    """
    counted = [held for held in passes if held.rides is not None]
    found = since
    while earlier := [held.valid_from for held in counted if held.valid_from < found < held.valid_to]:
        found = min(earlier)
    return found if found == since else found - SLACK  # what a tap means depends on the one before it
