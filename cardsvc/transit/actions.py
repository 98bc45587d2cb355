"""Verbs of transit: take a feed as a new version of the tariff."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.transit import queries, rules
from cardsvc.transit.models import FeedFile, FlatFareRow, NetworkRow, StopRow, TariffRow


def import_feed(
    session: Session, files: Mapping[str, bytes], *, valid_from: datetime, by: UUID, now: datetime
) -> rules.Tariff:
    """Take a GTFS feed as the next version of the tariff; the same feed again changes nothing.

    Raises: InvalidFeed naming every wrong row; nothing is stored then.
    """
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
    known = queries.version_of(session, digest.digest())
    if known is not None:
        return queries.tariffs(session, [known])[known]
    feed = rules.read(files)
    version = queries.last_version(session) + 1
    tariff = {
        "version": version,
        "feed_hash": digest.digest(),
        "valid_from": valid_from,
        "default_category": feed.default_category,
        "imported_by": by,
        "imported_at": now,
    }
    session.execute(sa.insert(TariffRow), tariff)
    _insert(session, FeedFile, [{"name": name, "content": content} for name, content in files.items()], version)
    networks = [{"network_id": n.network_id, "name": n.name, "agency_id": n.agency_id} for n in feed.networks]
    _insert(session, NetworkRow, networks, version)
    _insert(session, StopRow, [{"stop_id": stop.stop_id, "name": stop.name} for stop in feed.stops], version)
    fares = [
        {
            "position": position,
            "network_id": fare.network_id,
            "rider_category": fare.rider_category,
            "product_id": fare.product_id,
            "amount_cents": fare.amount_cents,
            "currency": fare.currency,
        }
        for position, fare in enumerate(feed.fares)
    ]
    _insert(session, FlatFareRow, fares, version)
    _open_accounts(session, feed, now)
    return queries.tariffs(session, [version])[version]


def _insert(session: Session, model: type[object], rows: Sequence[Mapping[str, object]], version: int) -> None:
    if rows:
        session.execute(sa.insert(model), [{**row, "version": version} for row in rows])


def _open_accounts(session: Session, feed: rules.Feed, now: datetime) -> None:
    """Each operator's revenue, what each programme pays for concessions, and what waits to be divided of each pass of
    several operators: every tap or sale moves them, so they are derived and no row of them is hot.
    """
    agencies = sorted({network.agency_id for network in feed.networks})
    codes = [(rules.revenue_account(agency), ledger.AccountKind.REVENUE) for agency in agencies]
    codes += [(rules.concession_account(payer), ledger.AccountKind.EXPENSE) for payer in feed.payers]
    codes += [(rules.pool_account(pass_id), ledger.AccountKind.LIABILITY) for pass_id in feed.pools]
    policy, fund = ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL
    ledger.open_accounts(session, [ledger.AccountSpec(code, kind, policy, fund) for code, kind in codes], now)
