"""Verbs of rights: staff give one after seeing a proof, and end it. What was charged stays until the next tap."""

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import db, residents
from cardsvc.transit import riders, versions
from cardsvc.transit.models import RiderRight
from cardsvc.transit.riders import Right
from cardsvc.transit.rules import entitling
from cardsvc.transit.rules.entitling import InvalidRight, UnknownRight
from crypto.wire.ids import uuid7


def give_right(
    session: Session,
    resident_id: UUID,
    category: str,
    *,
    valid_from: date,
    valid_to: date,
    reason: str,
    by: UUID,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> Right:
    """Give a resident a category of riders over fare days, both in.

    Raises: residents' ResidentNotFound, InvalidRight.
    """
    resident = residents.find(session, resident_id)
    tariff = versions.in_force(session, now)
    if tariff is None:
        raise InvalidRight("No tariff is in force. Import a feed first: ./city transit import FOLDER")
    tables = tariff.feed.tables
    entitling.check_right(category, set(tables.categories) - {tables.default_category}, valid_from, valid_to, reason)
    right_id = uuid7(db.to_ms(now), random_bytes(10))
    given = Right(right_id, resident.id, category, valid_from, valid_to, reason, by, now)
    _keep(session, given)
    return given


def end_right(
    session: Session, resident_id: UUID, right_id: UUID, *, valid_to: date, reason: str, by: UUID, now: datetime
) -> Right:
    """Say which fare day is the right's last; a day before its first ends it as if it had never been. The newest word
    counts.

    Raises: UnknownRight, InvalidRight.
    """
    entitling.check_reason(reason)
    found = next((one for one in riders.current_rights(session, [resident_id]) if one.right_id == right_id), None)
    if found is None:
        raise UnknownRight
    ended = Right(right_id, found.resident_id, found.category, found.valid_from, valid_to, reason, by, now)
    _keep(session, ended)
    return ended


def _keep(session: Session, right: Right) -> None:
    row = {
        "right_id": right.right_id,
        "resident_id": right.resident_id,
        "category": right.category,
        "valid_from": right.valid_from,
        "valid_to": right.valid_to,
        "reason": right.reason,
        "given_by": right.given_by,
        "given_at": right.given_at,
    }
    session.execute(sa.insert(RiderRight), row)
