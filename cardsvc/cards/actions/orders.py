"""Ordering a card: one person requests it, another approves it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.actions.eligible import check_order, check_resident
from cardsvc.cards.actions.moves import RandomBytes, move, write_event
from cardsvc.cards.models import CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import ORDERED, CardState, Move, OrderKind, check_approver


def request(
    session: Session,
    resident_id: UUID,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    identity_checked: bool = False,
) -> Card:
    """Order a card for a resident. While an order is on its way, asking again gives that order.

    `identity_checked`: the person was identified anew, which some ends of the card before ask for.
    Raises: residents.ResidentNotFound, ResidentNotEligible, IdentityNotChecked.
    """
    return order(session, resident_id, by=by, now=now, random_bytes=random_bytes, identity_checked=identity_checked)


def order(
    session: Session,
    resident_id: UUID,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    kind: OrderKind = OrderKind.FIRST,
    replaces: UUID | None = None,
    identity_checked: bool = False,
) -> Card:
    """The resident's order, a new one or the one that is on its way, in the place of the card that it `replaces`.

    Raises: residents.ResidentNotFound, ResidentNotEligible, IdentityNotChecked.
    """
    ended = check_order(session, resident_id, identity_checked=identity_checked)
    present = open_order(session, resident_id)
    if present is not None:
        return _in_the_place_of(session, present, kind, replaces, by=by, now=now)
    card_id = new_card_id(random_bytes)
    values = {
        "id": card_id,
        "resident_id": resident_id,
        "state": CardState.REQUESTED.value,
        "requested_by": by,
        "requested_at": now,
        "attempt": 0,
        "state_since": now,
        "order_kind": kind.value,
        "replaces": replaces,
    }
    try:
        with session.begin_nested():
            session.execute(insert(CardRow).values(values))
    except IntegrityError:
        # the partial unique index of orders: somebody else ordered a moment ago, and that order is the order
        present = open_order(session, resident_id)
        if present is None:
            raise
        return _in_the_place_of(session, present, kind, replaces, by=by, now=now)
    why = order_reason(kind, replaces) or (f"identified anew after {ended}" if ended else None)
    write_event(session, card_id, None, CardState.REQUESTED, by=by, now=now, reason=why)
    return queries.find(session, card_id)


def _in_the_place_of(
    session: Session, present: Card, kind: OrderKind, replaces: UUID | None, *, by: UUID, now: datetime
) -> Card:
    """An order on its way takes the place of the card too: a resident has one order at a time."""
    if replaces is None or present.replaces == replaces:
        return present
    session.execute(update(CardRow).where(CardRow.id == present.id).values(order_kind=kind.value, replaces=replaces))
    write_event(session, present.id, present.state, present.state, by=by, now=now, reason=order_reason(kind, replaces))
    return queries.find(session, present.id)


def order_reason(kind: OrderKind, replaces: UUID | None) -> str | None:
    """Why a card was ordered, for its history."""
    return None if replaces is None else f"{kind.value} of card {replaces}"


def open_order(session: Session, resident_id: UUID) -> Card | None:
    """The resident's card that is on its way."""
    states = [state.value for state in ORDERED]
    query = select(CardRow.id).where(CardRow.resident_id == resident_id, CardRow.state.in_(states))
    card_id = session.execute(query).scalar_one_or_none()
    return None if card_id is None else queries.find(session, card_id)


def approve(session: Session, card_id: UUID, *, by: UUID, now: datetime) -> Card:
    """Let an order go to the counter. The approver's second try changes nothing.

    Raises: CardNotFound, SameApprover, ResidentNotEligible, InvalidMove.
    """
    card = queries.find(session, card_id)
    if card.state is CardState.APPROVED and card.approved_by == by:
        return card
    check_approver(card.requested_by, by)
    check_resident(session, card.resident_id)
    return move(session, card, Move.APPROVE, by=by, now=now, approved_by=by, approved_at=now)


def new_card_id(random_bytes: RandomBytes) -> UUID:
    """A card's id is the GUID on its chip: a UUIDv4 (SP 800-73-5 part 1, 3.4.1 allows versions 1, 4 and 5)."""
    return UUID(bytes=random_bytes(16), version=4)
