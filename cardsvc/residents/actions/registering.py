"""What changes the register: registering people, and what becomes of them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc.db import to_ms
from cardsvc.residents.models import ResidentCounterRow, ResidentEventRow, ResidentRow
from cardsvc.residents.queries import Resident, find, find_many
from cardsvc.residents.rules import (
    DuplicateResident,
    InvalidRegistration,
    Registration,
    ResidentEvent,
    ResidentStatus,
    check_status_change,
    checked,
    number_of,
    person_key,
    search_text,
)
from crypto.wire.ids import RANDOM_BYTES, uuid7

RandomBytes = Callable[[int], bytes]
OnRegistered = Callable[[Session, Sequence[UUID], datetime], object]
"""What a room above does with new residents in the same database transaction (open their wallets); app.py says."""

_CHUNK = 5000


def register(
    session: Session,
    registration: Registration,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    confirmed_distinct: bool = False,
) -> Resident:
    """Write a person into the register and give them a number.

    Raises: InvalidRegistration; DuplicateResident where somebody with the same names and birth date is registered and
    nobody `confirmed_distinct` that they are two.
    """
    clean = checked(registration, now)
    _lock_register(session)
    if not confirmed_distinct:
        for number in _registered(session, [person_key(clean)]).values():
            raise DuplicateResident(number)
    return _insert(session, [clean], by, now, random_bytes)[0]


def register_many(
    session: Session, registrations: Sequence[Registration], *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> list[Resident]:
    """Write all of them, in order, or none.

    Raises: InvalidRegistration whose `fields` name every row at fault (`row 1` is the first), duplicates included.
    """
    clean, fields = _check_rows(registrations, now)
    _lock_register(session)
    fields.update(_duplicate_rows(session, clean))
    if fields:
        raise InvalidRegistration(fields)
    return _insert(session, list(clean.values()), by, now, random_bytes)


def change_status(
    session: Session, resident_id: UUID, status: ResidentStatus, *, by: UUID, reason: str, now: datetime
) -> Resident:
    """Note that a resident moved away, died or is back. Asking for the present status changes nothing.

    Raises: ResidentNotFound, InvalidStatusChange.
    """
    resident = find(session, resident_id)
    if resident.status == status:
        return resident
    check_status_change(resident.status, status)
    session.execute(update(ResidentRow).where(ResidentRow.id == resident_id).values(status=status.value))
    steps = select(func.count()).select_from(ResidentEventRow).where(ResidentEventRow.resident_id == resident_id)
    session.execute(
        insert(ResidentEventRow).values(
            resident_id=resident_id,
            number=session.execute(steps).scalar_one() + 1,
            kind=ResidentEvent.STATUS.value,
            status=status.value,
            actor=by,
            at=now,
            reason=reason,
        )
    )
    return find(session, resident_id)


def _check_rows(
    registrations: Sequence[Registration], now: datetime
) -> tuple[dict[int, Registration], dict[str, list[str]]]:
    clean: dict[int, Registration] = {}
    fields: dict[str, list[str]] = {}
    for row, registration in enumerate(registrations, start=1):
        try:
            clean[row] = checked(registration, now)
        except InvalidRegistration as error:
            fields |= {f"row {row}: {field}": problems for field, problems in error.fields.items()}
    return clean, fields


def _duplicate_rows(session: Session, clean: dict[int, Registration]) -> dict[str, list[str]]:
    keys = {row: person_key(registration) for row, registration in clean.items()}
    registered = _registered(session, keys.values())
    first_rows: dict[str, int] = {}
    fields: dict[str, list[str]] = {}
    for row, key in keys.items():
        if key in registered:
            fields[f"row {row}"] = [f"Already registered as {registered[key]}: take the row out."]
        elif key in first_rows:
            fields[f"row {row}"] = [f"The same person as in row {first_rows[key]}: take one of them out."]
        first_rows.setdefault(key, row)
    return fields


def _registered(session: Session, person_keys: Iterable[str]) -> dict[str, str]:
    """Which of these people are in the register, by their numbers."""
    found: dict[str, str] = {}
    keys = list(person_keys)
    for start in range(0, len(keys), _CHUNK):
        query = select(ResidentRow.person_key, ResidentRow.number).where(
            ResidentRow.person_key.in_(keys[start : start + _CHUNK])
        )
        found |= {row.person_key: row.number for row in session.execute(query)}
    return found


def _insert(
    session: Session, registrations: Sequence[Registration], by: UUID, now: datetime, random_bytes: RandomBytes
) -> list[Resident]:
    if not registrations:
        return []
    first = _draw_serials(session, len(registrations))
    residents: list[dict[str, object]] = []
    events: list[dict[str, object]] = []
    ids: list[UUID] = []
    for serial, registration in enumerate(registrations, start=first):
        resident_id = uuid7(to_ms(now), random_bytes(RANDOM_BYTES))
        ids.append(resident_id)
        residents.append(_values(registration, resident_id, number_of(serial), by, now))
        events.append(_registered_event(resident_id, by, now))
    session.execute(insert(ResidentRow), residents)
    session.execute(insert(ResidentEventRow), events)
    found = find_many(session, ids)
    return [found[resident_id] for resident_id in ids]


def _values(registration: Registration, resident_id: UUID, number: str, by: UUID, now: datetime) -> dict[str, object]:
    return {
        "id": resident_id,
        "number": number,
        "family_name": registration.family_name,
        "given_name": registration.given_name,
        "middle_name": registration.middle_name,
        "birth_date": registration.birth_date,
        "sex": registration.sex.value,
        "barangay_code": registration.barangay_code,
        "address": registration.address,
        "mobile": registration.mobile,
        "status": ResidentStatus.ACTIVE.value,
        "person_key": person_key(registration),
        "search_text": search_text(registration),
        "registered_at": now,
        "registered_by": by,
    }


def _registered_event(resident_id: UUID, by: UUID, now: datetime) -> dict[str, object]:
    return {
        "resident_id": resident_id,
        "number": 1,
        "kind": ResidentEvent.REGISTERED.value,
        "status": ResidentStatus.ACTIVE.value,
        "actor": by,
        "at": now,
        "reason": None,
    }


def _lock_register(session: Session) -> None:
    """Be the only one who registers until the transaction ends: two clerks with one person are compared in turn."""
    _draw_serials(session, 0)


def _draw_serials(session: Session, count: int) -> int:
    """The first of `count` serials. The counter's row is locked until the transaction ends: no gap, none twice."""
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = upsert(ResidentCounterRow).values(id=1, last_serial=count)
    drawn = statement.on_conflict_do_update(
        index_elements=[ResidentCounterRow.id], set_={"last_serial": ResidentCounterRow.last_serial + count}
    ).returning(ResidentCounterRow.last_serial)
    last: int = session.execute(drawn).scalar_one()
    return last - count + 1
