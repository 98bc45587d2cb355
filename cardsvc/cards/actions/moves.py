"""How a card moves: by the table, with an event, and never if somebody else moved it meanwhile."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.cards import queries
from cardsvc.cards.models import CardEventRow, CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import BLOCKED, ActiveCardExists, CardChanged, CardState, Move, moved

RandomBytes = Callable[[int], bytes]


def move(
    session: Session, card: Card, how: Move, *, by: UUID, now: datetime, reason: str | None = None, **changes: object
) -> Card:
    """Take the card where the table says, write `changes` beside it and the event.

    Raises: InvalidMove; CardChanged where the card is no longer as `card` shows it; ActiveCardExists.
    """
    to = moved(card.state, how)
    if to not in BLOCKED:
        changes["blocked_at"] = None
    elif card.state not in BLOCKED:
        changes["blocked_at"] = now  # suspended and then revoked: blocked since it was suspended
    if to is not card.state:
        changes["state_since"] = now
    unchanged = (CardRow.id == card.id, CardRow.state == card.state.value, CardRow.attempt == card.attempt)
    try:
        with session.begin_nested():
            done = session.execute(update(CardRow).where(*unchanged).values(state=to.value, **changes))
    except IntegrityError as error:
        # the partial unique index of held cards is the only law that a move of the table can meet
        if to is CardState.ACTIVE:
            raise ActiveCardExists from error
        raise
    assert isinstance(done, CursorResult)
    if done.rowcount != 1:
        raise CardChanged
    if to in BLOCKED and card.state not in BLOCKED:
        access.block_keys(session, queries.key_ids(session, card.id), now)  # a stopped card signs nobody in
    write_event(session, card.id, card.state, to, by=by, now=now, reason=reason)
    return queries.find(session, card.id)


def locked(session: Session, card_id: UUID) -> Card:
    """The card, held still until the unit ends, so that two who ask for the same at once get the same answer.

    Raises: CardNotFound.
    """
    session.execute(select(CardRow.id).where(CardRow.id == card_id).with_for_update())
    return queries.find(session, card_id)


def write_event(
    session: Session,
    card_id: UUID,
    from_state: CardState | None,
    to_state: CardState,
    *,
    by: UUID,
    now: datetime,
    reason: str | None = None,
) -> None:
    """Add a line to the card's history."""
    written = select(func.count()).select_from(CardEventRow).where(CardEventRow.card_id == card_id)
    session.execute(
        insert(CardEventRow).values(
            card_id=card_id,
            number=session.execute(written).scalar_one() + 1,
            from_state=from_state.value if from_state else None,
            to_state=to_state.value,
            actor=by,
            at=now,
            reason=reason,
        )
    )
