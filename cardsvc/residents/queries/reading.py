"""Reads of the register: small frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select, tuple_
from sqlalchemy.orm import Session

from cardsvc.residents.models import ResidentAliasRow, ResidentEventRow, ResidentRow
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
    """A person in the register. `number` is what is printed and typed; `id` is what other rooms keep.

    An entry that was found to be somebody else's second one has the status `merged`; `merged_into` is that person.
    """

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
    merged_into: UUID | None = None

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
    ResidentAliasRow.into_id.label("merged_into"),
)


def _select() -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).outerjoin(ResidentAliasRow, ResidentAliasRow.resident_id == ResidentRow.id)


def find(session: Session, resident_id: UUID) -> Resident:
    """Raises: ResidentNotFound."""
    return _one(session, _select().where(ResidentRow.id == resident_id))


def find_by_number(session: Session, number: str) -> Resident:
    """The resident with this printed number, however it was typed; of a merged entry the person it belongs to.

    Raises: InvalidResidentNumber where the check digit does not fit, ResidentNotFound where nobody has it.
    """
    found = entry_by_number(session, number)
    return found if found.merged_into is None else find(session, survivors(session, [found.id])[found.id])


def entry_by_number(session: Session, number: str) -> Resident:
    """The entry with this very number, merged or not. Raises: InvalidResidentNumber, ResidentNotFound."""
    return _one(session, _select().where(ResidentRow.number == parse_number(number)))


def ids_by_number(session: Session, numbers: Sequence[str]) -> dict[str, UUID]:
    """The residents with these numbers, by number; unknown ones are left out, merged ones are whom they belong to."""
    found: dict[str, UUID] = {}
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        rows = session.execute(select(ResidentRow.number, ResidentRow.id).where(ResidentRow.number.in_(chunk)))
        found.update({row.number: row.id for row in rows})
    people = survivors(session, list(found.values()))
    return {number: people[resident_id] for number, resident_id in found.items()}


def survivors(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Whose entry each is: itself where it is not merged, else the person at the end of the merges."""
    found = {resident_id: resident_id for resident_id in resident_ids}
    ends = set(found.values())
    while ends:
        into = _aliases(session, list(ends))
        found = {resident_id: into.get(end, end) for resident_id, end in found.items()}
        ends = set(into.values())
    return found


def entries_of(session: Session, resident_id: UUID) -> list[UUID]:
    """The resident and every entry that was merged into theirs."""
    found, newest = [resident_id], [resident_id]
    while newest:
        query = select(ResidentAliasRow.resident_id).where(ResidentAliasRow.into_id.in_(newest))
        newest = list(session.scalars(query))
        found += newest
    return found


def _aliases(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    found: dict[UUID, UUID] = {}
    for start in range(0, len(resident_ids), _CHUNK):
        query = select(ResidentAliasRow.resident_id, ResidentAliasRow.into_id).where(
            ResidentAliasRow.resident_id.in_(resident_ids[start : start + _CHUNK])
        )
        found.update({row.resident_id: row.into_id for row in session.execute(query)})
    return found


def find_many(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, Resident]:
    """Those of the ids that are residents'."""
    found: dict[UUID, Resident] = {}
    for start in range(0, len(resident_ids), _CHUNK):
        chunk = resident_ids[start : start + _CHUNK]
        for row in session.execute(_select().where(ResidentRow.id.in_(chunk))):
            found[row.id] = _resident(row)
    return found


def search(session: Session, text: str, *, after: str | None = None, limit: int = 50) -> ResidentPage:
    """Residents by number, or by names: each word typed begins some word of the person's names.

    `after` is the `next` of the page before. Raises: InvalidResidentNumber.
    """
    if looks_like_number(text):
        try:
            return ResidentPage((find_by_number(session, text),), None)
        except ResidentNotFound:
            return ResidentPage((), None)
    query = _select().order_by(ResidentRow.search_text, ResidentRow.number).limit(limit + 1)
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
    status = ResidentStatus(row.status) if row.merged_into is None else ResidentStatus.MERGED
    return Resident(**{**values, "sex": Sex(row.sex), "status": status})
