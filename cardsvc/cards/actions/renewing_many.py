"""New cards after a decision about many: ordered some at a time, so that it can stop anywhere and go on."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.cards import queries
from cardsvc.cards.actions.moves import RandomBytes
from cardsvc.cards.actions.orders import new_card_id, order, order_reason
from cardsvc.cards.models import CardEventRow, CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import CardState, OrderKind
from cardsvc.db import insert_columns
from cardsvc.residents import ResidentStatus


@dataclass(frozen=True, slots=True)
class RenewedMany:
    """`skipped` cards are of people whom the register does not show as active. `next` asks for the cards after these;
    None at the end.
    """

    ordered: int
    skipped: int
    next: UUID | None


def renew_many(
    session: Session,
    bulk_id: UUID,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    after: UUID | None = None,
    limit: int = 500,
) -> RenewedMany:
    """Order a card in the place of each card of the decision that its holder still has, without regard to the window.

    A card in whose place one is on its way is passed over, so asking from the start again orders nothing twice.
    Raises: BulkNotFound.
    """
    queries.bulk(session, bulk_id)
    found = queries.without_successor(session, bulk_id, after=after, limit=limit)
    people = residents.find_many(session, [card.resident_id for card in found])
    due = [card for card in found if people[card.resident_id].status == ResidentStatus.ACTIVE]
    try:
        with session.begin_nested():
            _order_all(session, due, by=by, now=now, random_bytes=random_bytes)
    except IntegrityError:
        # Somebody among them has an order on its way, which takes the place of the old card: one at a time then.
        for card in due:
            order(
                session,
                card.resident_id,
                by=by,
                now=now,
                random_bytes=random_bytes,
                kind=OrderKind.RENEWAL,
                replaces=card.id,
            )
    return RenewedMany(len(due), len(found) - len(due), found[-1].id if len(found) == limit else None)


def _order_all(session: Session, due: Sequence[Card], *, by: UUID, now: datetime, random_bytes: RandomBytes) -> None:
    card_ids, count = [new_card_id(random_bytes) for _ in due], len(due)
    requested = CardState.REQUESTED.value
    rows: dict[str, Sequence[object]] = {
        "id": card_ids,
        "resident_id": [card.resident_id for card in due],
        "state": [requested] * count,
        "requested_by": [by] * count,
        "requested_at": [now] * count,
        "attempt": [0] * count,
        "state_since": [now] * count,
        "order_kind": [OrderKind.RENEWAL.value] * count,
        "replaces": [card.id for card in due],
    }
    insert_columns(session, CardRow.__table__, rows)
    events: dict[str, Sequence[object]] = {
        "card_id": card_ids,
        "number": [1] * count,
        "to_state": [requested] * count,
        "actor": [by] * count,
        "at": [now] * count,
        "reason": [order_reason(OrderKind.RENEWAL, card.id) for card in due],
    }
    insert_columns(session, CardEventRow.__table__, events)
