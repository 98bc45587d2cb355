"""Ordering a card: one person requests it, another approves it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.cards import queries
from cardsvc.cards.actions.moves import RandomBytes, move, write_event
from cardsvc.cards.models import CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import ORDERED, CardState, Move, ResidentNotEligible, check_approver
from cardsvc.residents import ResidentStatus


def request(session: Session, resident_id: UUID, *, by: UUID, now: datetime, random_bytes: RandomBytes) -> Card:
    """Order a card for a resident. While an order is on its way, asking again gives that order.

    Raises: residents.ResidentNotFound, ResidentNotEligible.
    """
    resident = residents.find(session, resident_id)
    if resident.status != ResidentStatus.ACTIVE:
        raise ResidentNotEligible(resident.number, resident.status)
    present = _open_order(session, resident_id)
    if present is not None:
        return present
    card_id = new_card_id(random_bytes)
    order = {
        "id": card_id,
        "resident_id": resident_id,
        "state": CardState.REQUESTED.value,
        "requested_by": by,
        "requested_at": now,
        "attempt": 0,
        "state_since": now,
    }
    try:
        with session.begin_nested():
            session.execute(insert(CardRow).values(order))
    except IntegrityError:
        # the partial unique index of orders: somebody else ordered a moment ago, and that order is the order
        present = _open_order(session, resident_id)
        if present is None:
            raise
        return present
    write_event(session, card_id, None, CardState.REQUESTED, by=by, now=now)
    return queries.find(session, card_id)


def _open_order(session: Session, resident_id: UUID) -> Card | None:
    states = [state.value for state in ORDERED]
    query = select(CardRow.id).where(CardRow.resident_id == resident_id, CardRow.state.in_(states))
    card_id = session.execute(query).scalar_one_or_none()
    return None if card_id is None else queries.find(session, card_id)


def approve(session: Session, card_id: UUID, *, by: UUID, now: datetime) -> Card:
    """Let an order go to the counter. The approver's second try changes nothing.

    Raises: CardNotFound, SameApprover, InvalidMove.
    """
    card = queries.find(session, card_id)
    if card.state is CardState.APPROVED and card.approved_by == by:
        return card
    check_approver(card.requested_by, by)
    return move(session, card, Move.APPROVE, by=by, now=now, approved_by=by, approved_at=now)


def new_card_id(random_bytes: RandomBytes) -> UUID:
    """A card's id is the GUID on its chip: a UUIDv4 (SP 800-73-5 part 1, 3.4.1 allows versions 1, 4 and 5)."""
    return UUID(bytes=random_bytes(16), version=4)
