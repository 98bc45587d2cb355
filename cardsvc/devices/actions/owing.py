"""The part of the deny list that is for gates alone: good cards whose holders owe a fare.

Two people sign for none of it. What a fault can do is bounded by a pace: in an hour as many cards come onto the list
for a debt as may be denied without two people, and those behind them later, by themselves. A card leaves the list with
the first one that is published after its debt was paid.
"""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from cardsvc import cards, db
from cardsvc.devices import queries
from cardsvc.devices.models import DenyOwingRow
from cardsvc.devices.queries import PublishedList
from cardsvc.devices.rules import OWING_KEPT, Breaker
from crypto.wire.denylist import unpack

_CHUNK = 5000


def on_list(session: Session, newest: PublishedList | None) -> frozenset[bytes]:
    """Those on this list."""
    return frozenset(unpack(queries.owing_entries(session, newest.number))) if newest else frozenset()


def wanted(
    session: Session, newest: PublishedList | None, breaker: Breaker, now: datetime, most: int
) -> frozenset[bytes]:
    """Those to be on the next list, at most so many in all. A city's first list is taken as it is."""
    owe, there = queries.owing_now(session, now), on_list(session, newest)
    new = sorted(owe - there)
    if new and newest:
        new = new[: breaker.room(queries.owing_lately(session, now - breaker.window), cards.count_in_use(session))]
    return frozenset([*sorted(owe & there), *new][: max(0, most)])


def write(session: Session, number: int, before: frozenset[bytes], after: frozenset[bytes], now: datetime) -> None:
    """Keep which of them are on the list of that number, and forget what no step can begin at any more."""
    new, gone, row = sorted(after - before), sorted(before - after), DenyOwingRow
    db.insert_columns(session, row.__table__, {"card_id": new, "number": [number] * len(new)})
    for start in range(0, len(gone), _CHUNK):
        those = row.card_id.in_(gone[start : start + _CHUNK]), row.until_number.is_(None)
        session.execute(update(row).where(*those).values(until_number=number))
    session.execute(delete(row).where(row.until_number <= queries.number_at(session, now - OWING_KEPT)))
