"""How new residents get into the tables: their numbers, their first event, the keys under which they are found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc.db import insert_columns, to_ms
from cardsvc.residents.models import ResidentBlockRow, ResidentCounterRow, ResidentEventRow, ResidentRow
from cardsvc.residents.rules import (
    Facts,
    Registration,
    ResidentEvent,
    ResidentStatus,
    facts_of,
    keys,
    number_of,
    person_key,
    search_text,
)
from crypto.wire.ids import RANDOM_BYTES, uuid7

RandomBytes = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Entry:
    """A checked registration on its way into the register, under the id that it will have."""

    id: UUID
    registration: Registration
    facts: Facts
    keys: frozenset[int]


def entry_of(registration: Registration, now: datetime, random_bytes: RandomBytes) -> Entry:
    facts = facts_of(registration)
    return Entry(uuid7(to_ms(now), random_bytes(RANDOM_BYTES)), registration, facts, keys(facts))


def insert_entries(session: Session, entries: Sequence[Entry], *, by: UUID, now: datetime) -> None:
    """Write them, numbered in their order. The caller has checked them and holds the register's lock."""
    if not entries:
        return
    first = draw_serials(session, len(entries))
    given = [entry.registration for entry in entries]
    ids = [entry.id for entry in entries]
    count = len(entries)
    insert_columns(
        session,
        ResidentRow.__table__,
        {
            "id": ids,
            "number": [number_of(serial) for serial in range(first, first + count)],
            "family_name": [one.family_name for one in given],
            "given_name": [one.given_name for one in given],
            "middle_name": [one.middle_name for one in given],
            "birth_date": [one.birth_date for one in given],
            "sex": [one.sex.value for one in given],
            "barangay_code": [one.barangay_code for one in given],
            "address": [one.address for one in given],
            "mobile": [one.mobile for one in given],
            "status": [ResidentStatus.ACTIVE.value] * count,
            "person_key": [person_key(one) for one in given],
            "search_text": [search_text(one) for one in given],
            "registered_at": [now] * count,
            "registered_by": [by] * count,
        },
    )
    insert_columns(
        session,
        ResidentEventRow.__table__,
        {
            "resident_id": ids,
            "number": [1] * count,
            "kind": [ResidentEvent.REGISTERED.value] * count,
            "status": [ResidentStatus.ACTIVE.value] * count,
            "actor": [by] * count,
            "at": [now] * count,
            "reason": [None] * count,
        },
    )
    insert_keys(session, [(entry.id, entry.keys) for entry in entries])


def insert_keys(session: Session, keyed: Sequence[tuple[UUID, frozenset[int]]]) -> None:
    """Let these residents be found by their keys."""
    rows = sorted((key, resident_id) for resident_id, found in keyed for key in found)
    found_by, ids = [key for key, _ in rows], [resident_id for _, resident_id in rows]
    insert_columns(session, ResidentBlockRow.__table__, {"key": found_by, "resident_id": ids})


def lock_register(session: Session) -> None:
    """Be the only one who registers until the transaction ends: two clerks with one person are compared in turn."""
    draw_serials(session, 0)


def draw_serials(session: Session, count: int) -> int:
    """The first of `count` serials. The counter's row is locked until the transaction ends: no gap, none twice."""
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = upsert(ResidentCounterRow).values(id=1, last_serial=count)
    drawn = statement.on_conflict_do_update(
        index_elements=[ResidentCounterRow.id], set_={"last_serial": ResidentCounterRow.last_serial + count}
    ).returning(ResidentCounterRow.last_serial)
    last: int = session.execute(drawn).scalar_one()
    return last - count + 1
