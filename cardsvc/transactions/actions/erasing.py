"""A person leaves the log: two people let it forget what the leaves of one resident's records stand for.

What stays, because the city must keep it: the ledger's entries, the signed records and their outcome, the register.
Nothing here deletes them. Receipts that were given out verify as before, because they carry their salt; new ones cannot
be made, and the published log alone never says anything about anybody.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, audit, residents
from cardsvc.transactions.models import Transaction
from cardsvc.transactions.queries import ERASE_KIND, ERASERS


def records_of(session: Session, resident_id: UUID) -> list[UUID]:
    """The ids of every stored record of this resident, accepted or not."""
    table = Transaction.__table__.c
    query = sa.select(table.record_id).where(table.resident_id == resident_id).order_by(table.leaf_index)
    return list(session.scalars(query))


def _describe(session: Session, payload: dict[str, Any]) -> str:
    resident = _read(session, payload)
    count = len(records_of(session, resident.id))
    return (
        f"Let the log forget what its leaves of {count} records of resident {resident.number} stand for, for good. The "
        "entries, the signed records and the register stay; receipts already given out still verify, new ones cannot "
        "be made."
    )


def _run(session: Session, payload: dict[str, Any], _action: access.ActionView, _now: datetime) -> None:
    """Also of what came in since the first signature: the person is erased, not a list."""
    audit.erase(session, records_of(session, _read(session, payload).id))


def _read(session: Session, payload: dict[str, Any]) -> residents.Resident:
    match payload:
        case {"resident_id": str(text)} if len(payload) == 1:
            pass
        case _:
            raise access.UnsuitableAction("Name a resident_id and nothing else.")
    try:
        return residents.find(session, UUID(text))
    except ValueError as error:
        raise access.UnsuitableAction("The resident_id is not a UUID.") from error


ERASE = access.ActionHandler(ERASE_KIND, ERASERS, ERASERS, _run, _describe)
"""Proposed through `POST /v1/actions`, signed there or on the page of actions."""
