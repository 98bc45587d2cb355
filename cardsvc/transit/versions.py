"""Versions of the tariff as the fare engine asks them: compiled from the stored feeds once, and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.transit import queries, rules
from cardsvc.transit.models import FeedFile, NetworkRow, TariffRow

_KEPT_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Version:
    """One version: what it was imported as, for quotes, and what prices taps by it (for the transit card)."""

    feed: rules.FareFeed
    tariff: rules.TariffVersion
    agencies: Mapping[str, str]
    """Who runs each network."""


_kept: dict[tuple[int, bytes, datetime], Version] = {}  # by what it was made of: right for any database


def compiled(session: Session, versions: Iterable[int]) -> dict[int, Version]:
    """Those of the versions that exist."""
    wanted = set(versions)
    return {one.version: compile_one(session, one) for one in listed(session) if one.version in wanted}


@dataclass(frozen=True, slots=True)
class Listed:
    """What a version is known by, and what it was made of."""

    version: int
    feed_hash: bytes
    valid_from: datetime


def listed(session: Session) -> list[Listed]:
    """All versions, in order of the moments from which they hold."""
    table = TariffRow.__table__.c
    query = sa.select(table.version, table.feed_hash, table.valid_from).order_by(table.valid_from, table.version)
    return [Listed(*row) for row in session.execute(query)]


def in_force(session: Session, at: datetime) -> Version | None:
    """The version in force at that moment."""
    number = queries.version_at(session, at)
    return None if number is None else compiled(session, [number])[number]


def files_of(session: Session, number: int) -> dict[str, bytes]:
    """The files of a version's feed by name, byte for byte; none: there is no such version."""
    rows = session.execute(sa.select(FeedFile.name, FeedFile.content).where(FeedFile.version == number))
    return {row.name: row.content for row in rows}


def compile_one(session: Session, one: Listed) -> Version:
    """The version, compiled if it was not yet."""
    number = one.version
    key = number, one.feed_hash, one.valid_from
    found = _kept.get(key)
    if found is None:
        feed = rules.read_feed(files_of(session, number))
        engine = rules.FareEngine(feed.tables)
        tariff = rules.TariffVersion(number, one.valid_from, engine, feed.terms, feed.card_medium)
        networks = session.scalars(sa.select(NetworkRow).where(NetworkRow.version == number))
        found = Version(feed, tariff, {network.network_id: network.agency_id for network in networks})
        if len(_kept) >= _KEPT_MAX:
            _kept.clear()
        _kept[key] = found
    return found


def holds(session: Session, at: datetime) -> dict[str, int]:
    """What is held at an entry to each network where an exit ends the ride, in centavos: its maximum fare."""
    version = in_force(session, at)
    if version is None:
        return {}
    return {network: rule.maximum_cents for network, rule in version.tariff.terms.incomplete.items()}
