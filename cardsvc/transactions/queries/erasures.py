"""The proof of what the log forgot: of whom two people signed that it should, and of nobody else."""

from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, audit, rows
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions.models import Transaction

ERASE_KIND: Final = "log.erase"
ERASERS: Final = frozenset({access.Role.ADMIN, access.Role.AUDITOR})


class UnprovedErasure(CityError):
    """A leaf was erased that nobody signed for, or speaks although two people signed that it should not."""

    code: ClassVar[str] = "unproved_erasure"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self, record_id: UUID, problem: str) -> None:
        super().__init__(f"Record {record_id}: {problem}. Stop and compare with the last backup.")


@dataclass(frozen=True, slots=True)
class ErasuresChecked:
    """How much was looked at; all of it was right."""

    actions: int
    erased: int


def check_erasures(session: Session) -> ErasuresChecked:
    """Hold the erased leaves against the erasures that two people signed: each is of a resident for whom they did, and
    then all are that this resident had in the log before.

    Raises: UnprovedErasure, naming the first record that is wrong; UnprovedAction.
    """
    done = access.proved_actions(session, ERASE_KIND, (ERASERS, ERASERS))
    residents = {UUID(str(one.payload["resident_id"])) for one in done}
    erased = audit.erased(session)
    table = Transaction.__table__.c
    query = sa.select(table.resident_id, table.leaf_index, table.record_id)
    forgotten = {row.record_id: row for row in rows.matching(session, query, table.record_id, erased)}
    last: dict[UUID, int] = {}
    for record_id in erased:  # in the order of the log
        row = forgotten.get(record_id)
        if row is None or row.resident_id not in residents:
            raise UnprovedErasure(record_id, "its leaf was erased, and no two people signed that for its resident")
        last[row.resident_id] = row.leaf_index
    for row in rows.matching(session, query, table.resident_id, list(last)):
        if row.leaf_index < last[row.resident_id] and row.record_id not in forgotten:
            raise UnprovedErasure(row.record_id, "its leaf says still whose it is, and later ones of them were erased")
    return ErasuresChecked(len(done), len(erased))
