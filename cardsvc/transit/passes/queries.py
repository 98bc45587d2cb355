"""What is on sale at a moment, and what a wallet holds, with what is left of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, rows
from cardsvc.money import CURRENCY
from cardsvc.transit import riders, versions
from cardsvc.transit.models import RiderPass, RideTap
from cardsvc.transit.rules import resuming, selling
from cardsvc.transit.rules.pricing import Past, Rider
from cardsvc.transit.rules.selling import Offer
from cardsvc.transit.rules.tariffs import TariffVersion

_AFTER: Final = timedelta(milliseconds=1)
_NO_END: Final = 9999
"""The year in which a pass ends that has no end."""


@dataclass(frozen=True, slots=True)
class OnSale:
    """The passes of the tariff in force, by their ids in the feed's order."""

    version: int
    tariff: TariffVersion
    offers: Mapping[str, Offer]

    def today(self, at: datetime) -> date:
        """The fare day of that moment."""
        return self.tariff.terms.fare_day(at)


@dataclass(frozen=True, slots=True)
class Listed:
    """What anybody may know of it: the passes, and between which fare days one may begin. None: there is no tariff."""

    tariff_version: int | None
    currency: str
    begins_first: date | None
    begins_last: date | None
    passes: tuple[Offer, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """A pass that a wallet holds. `valid_to` is excluded, None: it has no end. `rides_left` is None where it is good
    for any number.
    """

    holding_id: UUID
    pass_id: str
    name: str
    networks: tuple[str, ...]
    valid_from: datetime
    valid_to: datetime | None
    rides: int | None
    rides_left: int | None
    amount_cents: int
    tariff_version: int


def on_sale(session: Session, at: datetime) -> OnSale | None:
    """What may be bought at that moment; None where no tariff is in force."""
    version = versions.in_force(session, at)
    if version is None:
        return None
    offers = selling.offers(version.tariff.terms.passes.values(), version.agencies)
    return OnSale(version.tariff.version, version.tariff, {offer.pass_id: offer for offer in offers})


def listed(session: Session, at: datetime) -> Listed:
    """What is on sale at that moment."""
    found = on_sale(session, at)
    if found is None:
        return Listed(None, CURRENCY, None, None, ())
    first = found.today(at)
    return Listed(found.version, CURRENCY, first, selling.last_beginning(first), tuple(found.offers.values()))


def sold_at(session: Session, wallet_ids: Sequence[UUID], now: datetime) -> dict[UUID, datetime]:
    """From when a pass that each of these wallets buys now is good: from now on, but after every ride that was taken
    already. The clock of a gate may run ahead of ours.
    """
    table = RideTap.__table__.c
    query = sa.select(table.wallet_id, sa.func.max(table.at).label("last")).where(table.at >= now)
    ahead = rows.matching(session, query.group_by(table.wallet_id), table.wallet_id, wallet_ids)
    return dict.fromkeys(wallet_ids, now) | {row.wallet_id: row.last + _AFTER for row in ahead}


def held(session: Session, wallet_id: UUID, now: datetime) -> list[Holding]:
    """The passes of a wallet that are not over, first what ends first; what was taken back is none of them."""
    table = RiderPass.__table__
    query = sa.select(table).where(
        table.c.wallet_id == wallet_id, table.c.valid_to > now, ~ledger.is_reversed(table.c.holding_id)
    )
    bought = session.execute(query.order_by(table.c.valid_to, table.c.holding_id)).all()
    if not bought:
        return []
    left = _rides_left(session, wallet_id, now)
    products = {
        number: version.tariff.terms.passes
        for number, version in versions.compiled(session, {row.tariff_version for row in bought}).items()
    }
    return [
        Holding(
            row.holding_id,
            row.pass_id,
            product.name,
            () if "" in product.networks else tuple(sorted(product.networks)),
            row.valid_from,
            None if row.valid_to.year == _NO_END else row.valid_to,
            row.rides,
            left[row.holding_id],
            row.amount_cents,
            row.tariff_version,
        )
        for row in bought
        for product in (products[row.tariff_version][row.pass_id],)
    ]


def _rides_left(session: Session, wallet_id: UUID, now: datetime) -> Mapping[UUID, int | None]:
    """By what the engine says of all taps that count: no number is kept that could be another one."""
    passes = riders.passes(session, [wallet_id]).held.get(wallet_id, ())
    past = Past.of(Rider(passes=tuple(passes)))
    since = selling.counted_since(passes, now)
    if since < now:
        reading = riders.Reading(session)
        taps = [reading.event(row) for row in sorted(reading.tapped([wallet_id], since).taps[wallet_id])]
        tariffs = riders.tariffs(session, since).versions
        resuming.price_on(taps, Rider(passes=tuple(passes)), tariffs, past)
    return past.rides_left
