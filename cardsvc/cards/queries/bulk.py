"""Reads about many cards: who is meant, what was decided, what was done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from cardsvc.cards.models import BlankBatchRow, BlankRow, CardBulkItemRow, CardBulkRow, CardEventRow, CardRow
from cardsvc.cards.queries.cards import Card, CardPage, find, listed
from cardsvc.cards.rules import (
    HELD,
    ORDERED,
    BlankState,
    BulkKind,
    BulkNotFound,
    BulkOrder,
    CardState,
    Criteria,
    RevocationReason,
    bulk_move,
    cards_hash,
)

_CHUNK = 5000
SAMPLE = 20


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many of the cards meant are in this state; `moves` tells whether the decision can take them along."""

    state: CardState
    count: int
    moves: bool


@dataclass(frozen=True, slots=True)
class BulkPlan:
    """What a decision would do now: how many cards, some of them, and the hash of the whole list."""

    order: BulkOrder
    count: int
    sample: tuple[Card, ...]
    states: tuple[StateCount, ...]
    list_hash: bytes


@dataclass(frozen=True, slots=True)
class Bulk:
    """A decision about many cards. `executed_at`, `approved_by` and `changed` are None until the second signature.

    `changed` may be less than `card_count`: what meanwhile became of a card stands.
    """

    id: UUID
    kind: BulkKind
    reason: str
    revoked_reason: RevocationReason | None
    criteria: str
    card_count: int
    list_hash: bytes
    proposed_by: UUID
    proposed_at: datetime
    approved_by: UUID | None
    executed_at: datetime | None
    changed: int | None


def plan(session: Session, order: BulkOrder) -> BulkPlan:
    """Who is meant now; nothing is written."""
    from_, _to = bulk_move(order.kind)
    counts: dict[CardState, int] = {}
    for query in _meant(order.criteria):
        for _card_id, state in session.execute(query):
            counts[CardState(state)] = counts.get(CardState(state), 0) + 1
    meant = cards_meant(session, order)
    return BulkPlan(
        order,
        len(meant),
        tuple(find(session, card_id) for card_id in meant[:SAMPLE]),
        tuple(StateCount(state, counts[state], state in from_) for state in CardState if state in counts),
        cards_hash(meant),
    )


def cards_meant(session: Session, order: BulkOrder) -> list[UUID]:
    """The cards that the decision would change now, sorted."""
    from_, _to = bulk_move(order.kind)
    takes: list[ColumnElement[bool]] = [CardRow.state.in_([state.value for state in from_])]
    if order.kind is BulkKind.RESUME:
        takes.append(stopped_by_many(order.criteria.bulk_id))
    found = [card_id for query in _meant(order.criteria) for card_id, _state in session.execute(query.where(*takes))]
    return sorted(found)


def stopped_by_many(bulk_id: UUID | None = None, *, until: datetime | None = None) -> ColumnElement[bool]:
    """Cards about which nothing was said since a decision about many, this one or any, suspended them.

    What a holder or a counter reported meanwhile is a line in the card's history, and such a card is resumed by hand.
    `until` leaves out what was suspended after that time.
    """
    later = aliased(CardEventRow)
    said_since = exists().where(later.card_id == CardEventRow.card_id, later.number > CardEventRow.number)
    suspension = (
        select(CardEventRow.card_id)
        .join(CardBulkItemRow, CardBulkItemRow.card_id == CardEventRow.card_id)
        .join(CardBulkRow, CardBulkRow.id == CardBulkItemRow.bulk_id)
        .where(
            CardBulkRow.kind == BulkKind.SUSPEND.value,
            CardEventRow.card_id == CardRow.id,
            CardEventRow.at == CardBulkRow.executed_at,
            CardEventRow.actor == CardBulkRow.approved_by,
            CardEventRow.from_state == CardState.ACTIVE.value,
            CardEventRow.to_state == CardState.SUSPENDED.value,
            CardEventRow.reason.startswith("bulk "),
            ~said_since,
        )
    )
    if bulk_id is not None:
        suspension = suspension.where(CardBulkRow.id == bulk_id)
    if until is not None:
        suspension = suspension.where(CardEventRow.at <= until)
    return suspension.correlate(CardRow).exists()


def _meant(criteria: Criteria) -> Iterator[Select[UUID, str]]:
    query = select(CardRow.id, CardRow.state)
    if criteria.product is not None:
        query = query.where(CardRow.product == criteria.product)
    if criteria.personalised_from is not None:
        query = query.where(CardRow.personalised_at >= criteria.personalised_from)
    if criteria.personalised_until is not None:
        query = query.where(CardRow.personalised_at < criteria.personalised_until)
    if criteria.authority is not None:
        query = query.where(CardRow.authority == criteria.authority)
    if criteria.batch is not None:
        used = select(BlankRow.card_id).join(BlankBatchRow, BlankBatchRow.id == BlankRow.batch_id)
        of_batch = used.where(BlankBatchRow.name == criteria.batch, BlankRow.state == BlankState.USED.value)
        query = query.where(CardRow.id.in_(of_batch))
    if criteria.bulk_id is not None:
        query = query.where(CardRow.id.in_(items(criteria.bulk_id)))
    if not criteria.card_ids:
        yield query
        return
    card_ids = sorted(set(criteria.card_ids))
    for start in range(0, len(card_ids), _CHUNK):
        yield query.where(CardRow.id.in_(card_ids[start : start + _CHUNK]))


def items(bulk_id: UUID) -> Select[UUID]:
    """The cards of a decision, as part of a statement."""
    return select(CardBulkItemRow.card_id).where(CardBulkItemRow.bulk_id == bulk_id)


def bulk_cards(session: Session, bulk_id: UUID, *, after: UUID | None = None, limit: int = 100) -> CardPage:
    """The cards of a decision in pages, as they stand now: what the second person approves. Raises: BulkNotFound."""
    bulk(session, bulk_id)
    return listed(session, of=items(bulk_id), after=after, limit=limit)


def bulk(session: Session, bulk_id: UUID) -> Bulk:
    """Raises: BulkNotFound."""
    row = session.get(CardBulkRow, bulk_id, populate_existing=True)
    if row is None:
        raise BulkNotFound
    return _bulk(row)


def bulks(session: Session, *, limit: int = 100) -> tuple[Bulk, ...]:
    """The decisions about many cards, newest first."""
    newest = select(CardBulkRow).order_by(CardBulkRow.proposed_at.desc(), CardBulkRow.id).limit(limit)
    return tuple(_bulk(row) for row in session.scalars(newest))


def denied_by_two(session: Session) -> frozenset[bytes]:
    """The ids (16 bytes) of cards that two people suspended or revoked together, whatever became of them since."""
    done = select(CardBulkItemRow.card_id).join(CardBulkRow, CardBulkRow.id == CardBulkItemRow.bulk_id)
    stopped = done.where(CardBulkRow.executed_at.is_not(None), CardBulkRow.kind != BulkKind.RESUME.value)
    return frozenset(card_id.bytes for card_id in session.scalars(stopped))


def without_successor(session: Session, bulk_id: UUID, *, after: UUID | None, limit: int) -> tuple[Card, ...]:
    """Cards of a decision that their holders still have and in whose place none is on its way, by id."""
    successor = aliased(CardRow)
    living = [state.value for state in HELD | ORDERED]
    query = (
        select(CardRow.id)
        .where(
            CardRow.id.in_(items(bulk_id)),
            CardRow.state.in_([state.value for state in HELD]),
            ~exists().where(successor.replaces == CardRow.id, successor.state.in_(living)),
        )
        .order_by(CardRow.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(CardRow.id > after)
    return tuple(find(session, card_id) for card_id in session.scalars(query).all())


def count_items(session: Session, bulk_id: UUID) -> int:
    """How many cards the decision names."""
    return session.execute(select(func.count()).select_from(items(bulk_id).subquery())).scalar_one()


def _bulk(row: CardBulkRow) -> Bulk:
    reason = RevocationReason(row.revoked_reason) if row.revoked_reason else None
    return Bulk(
        id=row.id,
        kind=BulkKind(row.kind),
        reason=row.reason,
        revoked_reason=reason,
        criteria=row.criteria,
        card_count=row.card_count,
        list_hash=row.list_hash,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        approved_by=row.approved_by,
        executed_at=row.executed_at,
        changed=row.changed,
    )
