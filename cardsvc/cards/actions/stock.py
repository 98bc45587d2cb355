"""Blank cards: taken in by the delivery, used for a card, spoiled with a reason, or sent back."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, func, insert, select, update
from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.actions.moves import RandomBytes
from cardsvc.cards.models import BlankBatchRow, BlankEventRow, BlankRow
from cardsvc.cards.queries import Blank, Card, Reconciliation
from cardsvc.cards.rules import (
    HELD,
    BlankInUse,
    BlankNeeded,
    BlankState,
    Delivery,
    DeliveryExists,
    InvalidDelivery,
    SpoilageReason,
    WrongBlank,
    check_blank_move,
    check_reference,
    list_hash,
    product,
    wrong_serials,
)
from cardsvc.db import insert_columns


def take_in(
    session: Session,
    delivery: Delivery,
    serials: Sequence[str],
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> Reconciliation:
    """Take a delivery into stock: every serial, or none. The same delivery again changes nothing.

    Raises: InvalidDelivery, whose `fields` name every row at fault; DeliveryExists; UnknownProduct.
    """
    product(delivery.product)
    check_reference(delivery.transport_key_reference)
    hashed = list_hash(serials)
    known = select(BlankBatchRow.id, BlankBatchRow.file_hash).where(BlankBatchRow.name == delivery.name)
    present = session.execute(known).one_or_none()
    if present is not None:
        if present.file_hash != hashed:
            raise DeliveryExists(delivery.name)
        return queries.reconciliation(session, present.id)[0]
    wrong = wrong_serials(serials, queries.known_serials(session, serials))
    if wrong:
        raise InvalidDelivery(wrong)
    batch_id = UUID(bytes=random_bytes(16), version=4)
    values = {
        "id": batch_id,
        "name": delivery.name,
        "product": delivery.product,
        "delivered_by": delivery.delivered_by,
        "delivered_on": delivery.delivered_on,
        "delivered": len(serials) if delivery.delivered is None else delivery.delivered,
        "transport_key_reference": delivery.transport_key_reference,
        "file_hash": hashed,
        "taken_in_by": by,
        "taken_in_at": now,
    }
    session.execute(insert(BlankBatchRow).values(values))
    count, in_stock = len(serials), BlankState.IN_STOCK.value
    blanks = {"serial": serials, "batch_id": [batch_id] * count, "state": [in_stock] * count}
    insert_columns(session, BlankRow.__table__, blanks)
    events = {"serial": serials, "number": [1] * count, "to_state": [in_stock] * count}
    insert_columns(session, BlankEventRow.__table__, events | {"actor": [by] * count, "at": [now] * count})
    return queries.reconciliation(session, batch_id)[0]


def spoil(
    session: Session, serial: str, *, reason: SpoilageReason, by: UUID, now: datetime, note: str | None = None
) -> Blank:
    """Write a blank off, or the card that was made of it and that nobody holds. Again: the first reason stays.

    Raises: BlankNotFound, InvalidBlankMove, BlankInUse.
    """
    blank = queries.blank(session, serial)
    if blank.state is BlankState.SPOILED:
        return blank
    if blank.card_id is not None and queries.find(session, blank.card_id).state in HELD:
        raise BlankInUse(serial)
    return _move(session, blank, BlankState.SPOILED, blank.card_id, by=by, now=now, reason=reason, note=note)


def send_back(session: Session, serial: str, *, by: UUID, now: datetime, note: str | None = None) -> Blank:
    """Note that an unused blank went back to whoever delivered it. Again: nothing changes.

    Raises: BlankNotFound, InvalidBlankMove.
    """
    blank = queries.blank(session, serial)
    if blank.state is BlankState.RETURNED:
        return blank
    return _move(session, blank, BlankState.RETURNED, None, by=by, now=now, note=note)


def use_blank(
    session: Session, card: Card, serial: str | None, product_name: str, *, by: UUID, now: datetime, required: bool
) -> str | None:
    """The serial of the blank that the card is made of. Another one than last time: the one of last time is spoiled.

    A city that never took stock in need not name blanks.
    Raises: BlankNeeded, BlankNotFound, BlankInUse, WrongBlank.
    """
    held = queries.blank_of_card(session, card.id)
    if serial is None:
        if required and held is None:
            raise BlankNeeded
        return None if held is None else held.serial
    if held is not None and held.serial == serial:
        return serial
    if not required and not queries.keeps_stock(session):
        return serial
    blank = queries.blank(session, serial)
    if blank.state is not BlankState.IN_STOCK:
        raise BlankInUse(serial)
    if blank.product != product_name:
        raise WrongBlank(serial, blank.product, product_name)
    if held is not None:
        _move(session, held, BlankState.SPOILED, card.id, by=by, now=now, reason=SpoilageReason.TORN)
    _move(session, blank, BlankState.USED, card.id, by=by, now=now)
    return serial


def _move(
    session: Session,
    blank: Blank,
    to: BlankState,
    card_id: UUID | None,
    *,
    by: UUID,
    now: datetime,
    reason: SpoilageReason | None = None,
    note: str | None = None,
) -> Blank:
    check_blank_move(blank.serial, blank.state, to)
    unchanged = (BlankRow.serial == blank.serial, BlankRow.state == blank.state.value)
    done = session.execute(update(BlankRow).where(*unchanged).values(state=to.value, card_id=card_id))
    assert isinstance(done, CursorResult)
    if done.rowcount != 1:
        raise BlankInUse(blank.serial)  # somebody else took it between our look and our write
    written = select(func.count()).select_from(BlankEventRow).where(BlankEventRow.serial == blank.serial)
    event = {
        "serial": blank.serial,
        "number": session.execute(written).scalar_one() + 1,
        "to_state": to.value,
        "card_id": card_id,
        "actor": by,
        "at": now,
        "reason": None if reason is None else reason.value,
        "note": note,
    }
    session.execute(insert(BlankEventRow).values(event))
    return queries.blank(session, blank.serial)
