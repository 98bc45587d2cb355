"""The PUK of a card, for a holder who stands at a counter and forgot the PIN. Never without the card itself."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.actions.attempts import verify
from cardsvc.cards.actions.issuing import management_key
from cardsvc.cards.actions.moves import locked, write_event
from cardsvc.cards.models import CardRow
from cardsvc.cards.rules import (
    DEFAULT_PRODUCT,
    CardNotActive,
    CardState,
    PresenceNotProven,
    management_algorithm,
    not_after,
    product,
)
from cardsvc.vault import Vault
from crypto.pki import CardSlot
from crypto.wire import pin_reset
from crypto.wire.personalisation import SecretRequest


def reset_pin(
    session: Session,
    vault: Vault,
    request: SecretRequest,
    signature: bytes,
    *,
    reason: str,
    by: UUID,
    now: datetime,
) -> bytearray:
    """The card's PUK, once 9E signed for the counter's request; the card's history says who got it and why.

    The caller seals it for the request, and wipes it. A card that was stopped or has ended gets no new PIN.
    Raises: CardNotFound, PresenceNotProven, CardNotActive.
    """
    card = locked(session, request.card_id)
    statement = pin_reset.statement(request)
    verify(session, card.id, CardSlot.CARD_AUTH, statement, signature, PresenceNotProven())
    if card.state is not CardState.ACTIVE:
        raise CardNotActive(card.state)
    assert card.expires_on is not None
    if now > not_after(card.expires_on):
        raise CardNotActive(CardState.EXPIRED)
    write_event(session, card.id, card.state, card.state, by=by, now=now, reason=f"new PIN by PUK: {reason}")
    return pin_reset.derived_puk(management_key(vault, card.id, _algorithm(session, card)))


def _algorithm(session: Session, card: queries.Card) -> int:
    """Of the card's management key; a card that was taken in finished has its product's."""
    written = session.scalar(select(CardRow.management_algorithm).where(CardRow.id == card.id))
    return management_algorithm(product(card.product or DEFAULT_PRODUCT), written, production=False)
