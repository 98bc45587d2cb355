"""The present attempt to make a card: found and locked, and the signatures of its keys checked."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.models import CardRow
from cardsvc.cards.rules import CardNotFound, CardState, InvalidMove, NotCertified
from cardsvc.errors import CityError
from crypto import keys
from crypto.errors import InvalidSignature
from crypto.pki import CardSlot


def present_attempt(session: Session, card_id: UUID, states: frozenset[CardState], move_name: str) -> CardRow:
    query = select(CardRow).where(CardRow.id == card_id).with_for_update()
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise CardNotFound
    if CardState(row.state) not in states:
        raise InvalidMove(move_name, row.state)
    return row


def readback_challenge(row: CardRow) -> bytes:
    if row.readback_challenge is None:
        raise NotCertified
    return row.readback_challenge


def verify(
    session: Session, card_id: UUID, slot: CardSlot, statement: bytes, signature: bytes, failure: CityError
) -> None:
    found = queries.active_keys(session, card_id).get(slot)
    if found is None:
        raise NotCertified
    try:
        keys.verify(found[0], statement, signature)
    except InvalidSignature as error:
        raise failure from error
