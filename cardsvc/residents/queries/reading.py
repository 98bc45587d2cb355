"""Reads of the register: small frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentEventRow, ResidentRow
from cardsvc.residents.rules import (
    ResidentNotFound,
    ResidentStatus,
    Sex,
    looks_like_number,
    normalise_name,
    parse_number,
)

_CHUNK = 5000  # ids in one statement: SQLite binds at most 32,766 values


@dataclass(frozen=True, slots=True)
class Resident:
    """A person in the register. `number` is what is printed and typed; `id` is what other rooms keep."""

    id: UUID
    number: str
    family_name: str
    given_name: str
    middle_name: str | None
    birth_date: date
    sex: Sex
    barangay_code: str
    address: str
    mobile: str | None
    status: ResidentStatus
    registered_at: datetime
    registered_by: UUID

    @property
    def full_name(self) -> str:
        return " ".join(part for part in (self.given_name, self.middle_name, self.family_name) if part)

    @property
    def initials(self) -> str:
        """What a screen in a public place may show."""
        return f"{self.given_name[0]}. {self.family_name[0]}."


@dataclass(frozen=True, slots=True)
class ResidentHistory:
    """One step of a resident's registration: the status it led to, who took it, when and why."""

    status: ResidentStatus
    actor: UUID
    at: datetime
    reason: str | None


@dataclass(frozen=True, slots=True)
class ResidentPage:
    """Some residents in the order of their names; `next` asks for those after them, None at the end."""

    residents: tuple[Resident, ...]
    next: str | None


_COLUMNS = (
    ResidentRow.id,
    ResidentRow.number,
    ResidentRow.family_name,
    ResidentRow.given_name,
    ResidentRow.middle_name,
    ResidentRow.birth_date,
    ResidentRow.sex,
    ResidentRow.barangay_code,
    ResidentRow.address,
    ResidentRow.mobile,
    ResidentRow.status,
    ResidentRow.registered_at,
    ResidentRow.registered_by,
)


def find(session: Session, resident_id: UUID) -> Resident:
    """Raises: ResidentNotFound."""
    return _one(session, select(*_COLUMNS).where(ResidentRow.id == resident_id))


def find_by_number(session: Session, number: str) -> Resident:
    """The resident with this printed number, however it was typed.

    Raises: InvalidResidentNumber where the check digit does not fit, ResidentNotFound where nobody has it.
    """
    return _one(session, select(*_COLUMNS).where(ResidentRow.number == parse_number(number)))


def ids_by_number(session: Session, numbers: Sequence[str]) -> dict[str, UUID]:
    """The residents with these numbers, by number; unknown ones are left out."""
    found: dict[str, UUID] = {}
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        rows = session.execute(select(ResidentRow.number, ResidentRow.id).where(ResidentRow.number.in_(chunk)))
        found.update({row.number: row.id for row in rows})
    return found


def find_many(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, Resident]:
    """Those of the ids that are residents'."""
    found: dict[UUID, Resident] = {}
    for start in range(0, len(resident_ids), _CHUNK):
        chunk = resident_ids[start : start + _CHUNK]
        for row in session.execute(select(*_COLUMNS).where(ResidentRow.id.in_(chunk))):
            found[row.id] = _resident(row)
    return found


def search(session: Session, text: str, *, after: str | None = None, limit: int = 50) -> ResidentPage:
    """Residents by number, or by names: each word typed begins some word of the person's names.

    `after` is the `next` of the page before. Raises: InvalidResidentNumber.
    """
    if looks_like_number(text):
        found = session.execute(select(*_COLUMNS).where(ResidentRow.number == parse_number(text))).one_or_none()
        return ResidentPage((_resident(found),) if found else (), None)
    query = select(*_COLUMNS).order_by(ResidentRow.search_text, ResidentRow.number).limit(limit + 1)
    for word in normalise_name(text).split():  # letters and digits only: nothing to escape
        query = query.where(ResidentRow.search_text.contains(f" {word}"))
    if after is not None:
        last = select(ResidentRow.search_text, ResidentRow.number).where(ResidentRow.number == parse_number(after))
        place = session.execute(last).one_or_none()
        if place is None:
            raise ResidentNotFound
        query = query.where(tuple_(ResidentRow.search_text, ResidentRow.number) > tuple_(*place))
    rows = session.execute(query).all()
    shown = tuple(_resident(row) for row in rows[:limit])
    return ResidentPage(shown, shown[-1].number if len(rows) > limit else None)


def history(session: Session, resident_id: UUID) -> tuple[ResidentHistory, ...]:
    """Every step of the registration, oldest first."""
    query = (
        select(ResidentEventRow.status, ResidentEventRow.actor, ResidentEventRow.at, ResidentEventRow.reason)
        .where(ResidentEventRow.resident_id == resident_id)
        .order_by(ResidentEventRow.number)
    )
    return tuple(
        ResidentHistory(ResidentStatus(row.status), row.actor, row.at, row.reason) for row in session.execute(query)
    )


def _one(session: Session, query: Select[*tuple[Any, ...]]) -> Resident:
    row = session.execute(query).one_or_none()
    if row is None:
        raise ResidentNotFound
    return _resident(row)


def _resident(row: Row[*tuple[Any, ...]]) -> Resident:
    values = row._mapping  # noqa: SLF001 - SQLAlchemy's public name begins so
    return Resident(**{**values, "sex": Sex(row.sex), "status": ResidentStatus(row.status)})
