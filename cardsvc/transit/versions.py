"""Versions of the tariff as the fare engine asks them: compiled from the stored feeds once, and kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.transit import queries, rules
from cardsvc.transit.models import FeedFile, TariffRow

_KEPT_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Version:
    """One version: what it was imported as, for quotes, and what prices taps by it (for the transit card)."""

    feed: rules.FareFeed
    tariff: rules.TariffVersion


_kept: dict[tuple[int, bytes, datetime], Version] = {}  # by what it was made of: right for any database


def compiled(session: Session, versions: Iterable[int]) -> dict[int, Version]:
    """Those of the versions that exist."""
    rows = session.execute(
        sa.select(TariffRow.version, TariffRow.feed_hash, TariffRow.valid_from).where(
            TariffRow.version.in_(set(versions))
        )
    ).all()
    return {row.version: _version(session, row.version, row.feed_hash, row.valid_from) for row in rows}


def in_force(session: Session, at: datetime) -> Version | None:
    """The version in force at that moment."""
    number = queries.version_at(session, at)
    return None if number is None else compiled(session, [number])[number]


def files_of(session: Session, number: int) -> dict[str, bytes]:
    """The files of a version's feed by name, byte for byte; none: there is no such version."""
    rows = session.execute(sa.select(FeedFile.name, FeedFile.content).where(FeedFile.version == number))
    return {row.name: row.content for row in rows}


def _version(session: Session, number: int, feed_hash: bytes, valid_from: datetime) -> Version:
    key = number, feed_hash, valid_from
    found = _kept.get(key)
    if found is None:
        feed = rules.read_feed(files_of(session, number))
        engine = rules.FareEngine(feed.tables)
        found = Version(feed, rules.TariffVersion(number, valid_from, engine, feed.terms, feed.card_medium))
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
