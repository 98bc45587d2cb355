"""A card in the place of another: renewed before it ends, or replaced because it is gone.

Balance, purses, claims and concessions are the resident's, so nothing is moved here: the new card's keys name the same
resident. The old card ends for good, at once (replacement) or with the hand-over of the new one (renewal).
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.actions.moves import RandomBytes, locked, move
from cardsvc.cards.actions.orders import order
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    HELD,
    ORDERED,
    ActiveCardExists,
    CardState,
    InvalidMove,
    Move,
    OrderKind,
    RevocationReason,
    check_new_card,
    check_renewable,
)

_RENEWABLE = HELD | {CardState.EXPIRED}


def renew(
    session: Session, card_id: UUID, *, window_days: int, by: UUID, now: datetime, random_bytes: RandomBytes
) -> Card:
    """Order the successor of a card that ends within the window, or has ended. Asked again: the same order.

    The old card stays good until the successor is handed over.
    Raises: CardNotFound, InvalidMove, RenewalTooEarly, ActiveCardExists, ResidentNotEligible, IdentityNotChecked.
    """
    card = locked(session, card_id)
    present = _successor(session, card)
    if present is not None:
        return present
    if card.state not in _RENEWABLE:
        raise InvalidMove("renew", card.state)
    assert card.expires_on is not None
    check_renewable(card.expires_on, now, window_days)
    _check_alone(session, card)
    return order(
        session,
        card.resident_id,
        by=by,
        now=now,
        random_bytes=random_bytes,
        kind=OrderKind.RENEWAL,
        replaces=card_id,
    )


def replace(
    session: Session,
    card_id: UUID,
    *,
    reason: RevocationReason,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    note: str | None = None,
    identity_checked: bool = False,
) -> Card:
    """End a card at once and order the one in its place. Asked again: the same order, and the first reason stays.

    A card that was stopped before is replaced by the reason for which it was stopped.
    Raises: CardNotFound, InvalidMove, NotReplaced, IdentityNotChecked, ActiveCardExists, ResidentNotEligible.
    """
    card = locked(session, card_id)
    present = _successor(session, card)
    if present is not None and card.state not in HELD:
        return present
    if card.state in ORDERED:
        raise InvalidMove("replace", card.state)
    if card.state is not CardState.EXPIRED:
        check_new_card(card.revoked_reason or reason, identity_checked=identity_checked)
    _check_alone(session, card)
    if card.state in HELD:
        written = f"{reason.value}: {note}" if note else reason.value
        move(session, card, Move.REVOKE, by=by, now=now, reason=written, revoked_reason=reason.value)
    return order(
        session,
        card.resident_id,
        by=by,
        now=now,
        random_bytes=random_bytes,
        kind=OrderKind.REPLACEMENT,
        replaces=card_id,
        identity_checked=identity_checked,
    )


def end_predecessor(session: Session, card: Card, *, by: UUID, now: datetime) -> None:
    """The card whose place this one takes ends for good, if it still lives."""
    if card.replaces is None:
        return
    old = locked(session, card.replaces)
    if old.state in HELD:
        superseded = RevocationReason.SUPERSEDED.value
        why = f"{superseded}: by card {card.id}"
        move(session, old, Move.REVOKE, by=by, now=now, reason=why, revoked_reason=superseded)


def _successor(session: Session, card: Card) -> Card | None:
    """The card that takes this one's place and lives."""
    living = [one for one in queries.of_resident(session, card.resident_id) if one.state in HELD | ORDERED]
    return next((one for one in living if one.replaces == card.id), None)


def _check_alone(session: Session, card: Card) -> None:
    """An old card is no way to a second one. Raises: ActiveCardExists."""
    held = queries.held_by(session, [card.resident_id]).get(card.resident_id)
    if held is not None and held.id != card.id:
        raise ActiveCardExists
