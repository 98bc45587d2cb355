"""Reads across cards: how long orders wait, and who did what when."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.cards.models import CardEventRow, CardRow
from cardsvc.cards.queries.cards import Card, find
from cardsvc.cards.rules import STAGES, Ageing, CardState, ageing


@dataclass(frozen=True, slots=True)
class Backlog:
    """Every stage of the orders, in the order of a card's way."""

    at: datetime
    stages: tuple[Ageing, ...]


@dataclass(frozen=True, slots=True)
class Queue:
    """Some cards, the longest in their state first; `next` names the place after them, None at the end."""

    cards: tuple[Card, ...]
    next: tuple[datetime, UUID] | None


@dataclass(frozen=True, slots=True)
class CardDeed:
    """One move of some card. `from_state` is None for the request itself."""

    card_id: UUID
    from_state: CardState | None
    to_state: CardState
    actor: UUID
    at: datetime
    reason: str | None


def backlog(session: Session, now: datetime) -> Backlog:
    """How many orders wait at each stage, and for how long."""
    waiting: dict[str, list[datetime]] = {stage.value: [] for stage in STAGES}
    query = select(CardRow.state, CardRow.state_since).where(CardRow.state.in_(list(waiting)))
    for state, since in session.execute(query):
        waiting[state].append(since)
    return Backlog(now, tuple(ageing(stage, waiting[stage.value], now) for stage in STAGES))


def waiting(
    session: Session,
    states: Collection[CardState] = STAGES,
    *,
    since_before: datetime | None = None,
    after: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> Queue:
    """Cards in these states; `after` is the `next` of the page before, `since_before` leaves the younger ones out."""
    place = (CardRow.state_since, CardRow.id)
    query = select(*place).where(CardRow.state.in_([state.value for state in states])).order_by(*place).limit(limit + 1)
    if since_before is not None:
        query = query.where(CardRow.state_since < since_before)
    if after is not None:
        since, card_id = after
        same_time = (CardRow.state_since == since) & (CardRow.id > card_id)
        query = query.where((CardRow.state_since > since) | same_time)
    rows = session.execute(query).all()
    shown = rows[:limit]
    last = (shown[-1][0], shown[-1][1]) if len(rows) > limit else None
    return Queue(tuple(find(session, card_id) for _since, card_id in shown), last)


def deeds(
    session: Session,
    *,
    actor: UUID | None = None,
    to_state: CardState | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 200,
) -> tuple[CardDeed, ...]:
    """What was done to cards, newest first: by whom, to which state, between which times (`until` excluded)."""
    query = select(CardEventRow)
    if actor is not None:
        query = query.where(CardEventRow.actor == actor)
    if to_state is not None:
        query = query.where(CardEventRow.to_state == to_state.value)
    if since is not None:
        query = query.where(CardEventRow.at >= since)
    if until is not None:
        query = query.where(CardEventRow.at < until)
    newest = query.order_by(CardEventRow.at.desc(), CardEventRow.card_id, CardEventRow.number.desc()).limit(limit)
    return tuple(
        CardDeed(
            event.card_id,
            CardState(event.from_state) if event.from_state else None,
            CardState(event.to_state),
            event.actor,
            event.at,
            event.reason,
        )
        for event in session.scalars(newest)
    )
