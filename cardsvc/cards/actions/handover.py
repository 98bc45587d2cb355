"""The end of an attempt: read back, then handed over; and the check of a card that somebody brings.

Each step may be asked again: with the same proof it gives the same answer and changes nothing.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.actions.attempts import present_attempt, readback_challenge, verify
from cardsvc.cards.actions.eligible import check_resident
from cardsvc.cards.actions.moves import move
from cardsvc.cards.actions.objects import forget
from cardsvc.cards.actions.pricing import check_paid
from cardsvc.cards.actions.renewing import end_predecessor
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    CardNotActive,
    CardState,
    InvalidHandover,
    InvalidReadback,
    KeptInProduction,
    ManagementKeyState,
    Move,
    PresenceNotProven,
    city_day,
    handover_statement,
    not_after,
    presence_statement,
    readback_statement,
)
from crypto.pki import CardSlot

_PERSONALISABLE = frozenset({CardState.PERSONALISING, CardState.READY})


def report_ready(
    session: Session,
    card_id: UUID,
    signature: bytes,
    *,
    by: UUID,
    now: datetime,
    management_key: ManagementKeyState = ManagementKeyState.DIVERSIFIED,
    production: bool = False,
) -> Card:
    """The counter read everything back and compared; 9E signed for it. Reported again, nothing changes.

    `management_key` says what became of the card's 9B key. A production city makes no card whose key was kept.
    Raises: CardNotFound, InvalidMove, NotCertified, InvalidReadback, KeptInProduction.
    """
    if production and management_key is ManagementKeyState.KEPT:
        raise KeptInProduction
    row = present_attempt(session, card_id, _PERSONALISABLE, Move.READY)
    statement = readback_statement(card_id, readback_challenge(row))
    verify(session, card_id, CardSlot.CARD_AUTH, statement, signature, InvalidReadback())
    card = queries.find(session, card_id)
    if card.state is CardState.READY:
        return card
    forget(session, card_id)
    return move(session, card, Move.READY, by=by, now=now, management_key=management_key.value)


def hand_over(session: Session, card_id: UUID, signature: bytes, *, by: UUID, now: datetime) -> Card:
    """The holder set the PIN and used it: 9C signed for it, and the card is active. Reported again, nothing changes.

    The card whose place it takes is revoked in the same transaction: at no moment has a resident two cards, or none.
    Raises: CardNotFound, InvalidMove, InvalidHandover, ResidentNotEligible, CardNotPaid; ActiveCardExists where the
    resident holds another card.
    """
    row = present_attempt(session, card_id, frozenset({CardState.READY, CardState.ACTIVE}), Move.HAND_OVER)
    statement = handover_statement(card_id, readback_challenge(row))
    verify(session, card_id, CardSlot.SIGNATURE, statement, signature, InvalidHandover())
    card = queries.find(session, card_id)
    if card.state is CardState.ACTIVE:
        return card
    check_resident(session, card.resident_id)
    check_paid(session, card, city_day(now))
    end_predecessor(session, card, by=by, now=now)
    return move(session, card, Move.HAND_OVER, by=by, now=now, handed_over_by=by, handed_over_at=now)


def verify_presence(session: Session, card_id: UUID, challenge: bytes, signature: bytes, *, now: datetime) -> Card:
    """The card, when 9E signed the fresh challenge and the card may be used now.

    Raises: CardNotFound, PresenceNotProven, CardNotActive.
    """
    card = queries.find(session, card_id)
    statement = presence_statement(card_id, challenge)
    verify(session, card_id, CardSlot.CARD_AUTH, statement, signature, PresenceNotProven())
    if card.state is not CardState.ACTIVE:
        raise CardNotActive(card.state)
    assert card.expires_on is not None
    if now > not_after(card.expires_on):
        raise CardNotActive(CardState.EXPIRED)
    return card
