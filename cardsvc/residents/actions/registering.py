"""What changes the register: registering people, and what becomes of them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from cardsvc.residents.actions.comparing import note_likenesses
from cardsvc.residents.actions.writing import RandomBytes, entry_of, insert_entries, lock_register
from cardsvc.residents.models import ResidentEventRow, ResidentRow
from cardsvc.residents.queries import Resident, find, find_many
from cardsvc.residents.rules import (
    DuplicateResident,
    InvalidRegistration,
    Registration,
    ResidentEvent,
    ResidentStatus,
    check_status_change,
    checked,
    person_key,
)
from cardsvc.settings import DedupeSettings

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
    thresholds: DedupeSettings | None = None,
) -> Resident:
    """Write a person into the register and give them a number. Whoever is like somebody there waits to be looked at.

    Raises: InvalidRegistration; DuplicateResident where somebody with the same names and birth date is registered and
    nobody `confirmed_distinct` that they are two.
    """
    clean = checked(registration, now)
    lock_register(session)
    if not confirmed_distinct:
        for number in _registered(session, [person_key(clean)]).values():
            raise DuplicateResident(number)
    entry = entry_of(clean, now, random_bytes)
    note_likenesses(session, entry, thresholds, by=by, now=now, distinct=confirmed_distinct)
    return find(session, entry.id)


def register_many(
    session: Session, registrations: Sequence[Registration], *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> list[Resident]:
    """Write all of them, in order, or none.

    Raises: InvalidRegistration whose `fields` name every row at fault (`row 1` is the first), duplicates included.
    """
    clean, fields = _check_rows(registrations, now)
    lock_register(session)
    fields.update(_duplicate_rows(session, clean))
    if fields:
        raise InvalidRegistration(fields)
    entries = [entry_of(registration, now, random_bytes) for registration in clean.values()]
    insert_entries(session, entries, by=by, now=now)
    found = find_many(session, [entry.id for entry in entries])
    return [found[entry.id] for entry in entries]


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
