"""Reads of tariffs."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.transit.models import FlatFareRow, NetworkRow, StopRow, TariffRow
from cardsvc.transit.rules import Fare, Stop, Tariff


def tariffs(session: Session, versions: Iterable[int]) -> dict[int, Tariff]:
    """Those of the versions that exist."""
    wanted = set(versions)
    rows = session.scalars(sa.select(TariffRow).where(TariffRow.version.in_(wanted))).all()
    agencies: dict[int, dict[str, str]] = {row.version: {} for row in rows}
    for network in session.scalars(sa.select(NetworkRow).where(NetworkRow.version.in_(wanted))):
        agencies[network.version][network.network_id] = network.agency_id
    fares: dict[int, list[Fare]] = {row.version: [] for row in rows}
    query = sa.select(FlatFareRow).where(FlatFareRow.version.in_(wanted)).order_by(FlatFareRow.position)
    for fare in session.scalars(query):
        found = Fare(fare.network_id, fare.rider_category, fare.product_id, fare.amount_cents, fare.currency)
        fares[fare.version].append(found)
    return {
        row.version: Tariff(
            row.version, row.valid_from, row.default_category, agencies[row.version], tuple(fares[row.version])
        )
        for row in rows
    }


def tariff_at(session: Session, at: datetime) -> Tariff | None:
    """The tariff in force at that moment: the newest version whose time has come."""
    version = version_at(session, at)
    return None if version is None else tariffs(session, [version])[version]


def version_at(session: Session, at: datetime) -> int | None:
    """The number of the tariff in force at that moment."""
    query = sa.select(TariffRow.version).where(TariffRow.valid_from <= at)
    return session.scalar(query.order_by(TariffRow.valid_from.desc(), TariffRow.version.desc()).limit(1))


def stops(session: Session, version: int) -> list[Stop]:
    query = sa.select(StopRow.stop_id, StopRow.name).where(StopRow.version == version).order_by(StopRow.stop_id)
    return [Stop(*row) for row in session.execute(query)]


def stop_names(session: Session, stop_ids: Iterable[str]) -> dict[str, str]:
    """What stops are called by riders, of those that any version of the tariff knows; the newest name counts."""
    query = sa.select(StopRow.stop_id, StopRow.name).where(StopRow.stop_id.in_(set(stop_ids)))
    return {row.stop_id: row.name for row in session.execute(query.order_by(StopRow.version))}


def network_names(session: Session) -> dict[str, str]:
    """What networks are called, in any version of the tariff; the newest name counts."""
    query = sa.select(NetworkRow.network_id, NetworkRow.name).order_by(NetworkRow.version)
    return {row.network_id: row.name for row in session.execute(query)}


def version_of(session: Session, feed_hash: bytes) -> int | None:
    return session.scalar(sa.select(TariffRow.version).where(TariffRow.feed_hash == feed_hash))


def last_version(session: Session) -> int:
    return session.scalar(sa.select(sa.func.max(TariffRow.version))) or 0
