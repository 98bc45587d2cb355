"""Stopping a card and letting it go on: at once, with a reason, and for good where it must be."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.actions.moves import locked, move, write_event
from cardsvc.cards.actions.orders import open_order
from cardsvc.cards.models import CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    MOVES,
    CardState,
    HolderWithoutCard,
    Move,
    RevocationReason,
    city_day,
    forbids_new_card,
    moved,
)


def suspend(session: Session, card_id: UUID, *, reason: str, by: UUID, now: datetime) -> Card:
    """Block a card until somebody resumes it. A suspended card stays so, and the report stands in its history.

    The same report by the same person again changes nothing. Raises: CardNotFound, InvalidMove.
    """
    card = locked(session, card_id)
    if card.state is CardState.SUSPENDED:
        last = queries.history(session, card_id)[-1]
        if (last.actor, last.reason) != (by, reason):
            write_event(session, card_id, card.state, card.state, by=by, now=now, reason=reason)
        return card
    return move(session, card, Move.SUSPEND, by=by, now=now, reason=reason)


def suspend_own(session: Session, resident_id: UUID, *, now: datetime, note: str | None = None) -> Card:
    """The holder reports the card lost: it is blocked at once, or stays so. Raises: NoCardHeld."""
    card = queries.held(session, resident_id)
    reason = "reported lost by its holder" + (f": {note}" if note else "")
    return suspend(session, card.id, reason=reason, by=resident_id, now=now)


def resume(
    session: Session, card_id: UUID, *, reason: str, by: UUID, now: datetime, holder_has_it: bool = False
) -> Card:
    """Let a suspended card be used again. An active card stays as it is.

    `holder_has_it`: whoever resumes it states that the holder has it in hand. Whatever it was suspended for, nobody
    alone lets a card be used again without that.
    Raises: CardNotFound, InvalidMove, HolderWithoutCard.
    """
    card = locked(session, card_id)
    if card.state is CardState.ACTIVE:
        return card
    moved(card.state, Move.RESUME)
    if not holder_has_it:
        raise HolderWithoutCard
    return move(session, card, Move.RESUME, by=by, now=now, reason=f"the holder has it: {reason}")


def revoke(
    session: Session, card_id: UUID, *, reason: RevocationReason, by: UUID, now: datetime, note: str | None = None
) -> Card:
    """End a card for good. Revoking it again keeps the first reason.

    A reason that forbids the next card stops one that is on its way too. Raises: CardNotFound, InvalidMove.
    """
    card = queries.find(session, card_id)
    if card.state is CardState.REVOKED:
        return card
    written = f"{reason.value}: {note}" if note else reason.value
    ended = move(session, card, Move.REVOKE, by=by, now=now, reason=written, revoked_reason=reason.value)
    coming = open_order(session, card.resident_id) if forbids_new_card(reason) else None
    if coming is not None:
        why = f"{reason.value}: with card {card_id}"
        move(session, coming, Move.REVOKE, by=by, now=now, reason=why, revoked_reason=reason.value)
    return ended


def destroy(session: Session, card_id: UUID, *, by: UUID, now: datetime) -> Card:
    """Note that a stopped card was cut up. A destroyed card stays so. Raises: CardNotFound, InvalidMove."""
    card = queries.find(session, card_id)
    if card.state is CardState.DESTROYED:
        return card
    return move(session, card, Move.DESTROY, by=by, now=now)


def expire_due(session: Session, *, by: UUID, now: datetime) -> int:
    """Expire every card whose printed day is past; returns how many there were. Repeatable."""
    states = [state.value for state in MOVES[Move.EXPIRE].from_]
    due = select(CardRow.id).where(CardRow.state.in_(states), CardRow.expires_on < city_day(now))
    card_ids = session.scalars(due).all()
    for card_id in card_ids:
        move(session, queries.find(session, card_id), Move.EXPIRE, by=by, now=now)
    return len(card_ids)
