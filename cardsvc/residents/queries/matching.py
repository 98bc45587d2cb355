"""Whom an entry must be compared with, and the pairs that somebody must look at."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session, aliased

from cardsvc.residents.models import ResidentBlockRow, ResidentMergeRow, ResidentPairRow, ResidentRow
from cardsvc.residents.rules import (
    BLOCK_MAX,
    Agreement,
    Comparison,
    Facts,
    PairNotFound,
    PairState,
    Reason,
    facts_from,
)

_ID_MAX: Final = 2**63 - 1
_CHUNK: Final = 10_000  # values in one statement: SQLite binds at most 32,766


@dataclass(frozen=True, slots=True)
class Pair:
    """Two residents who may be one: how alike, why, and what somebody decided."""

    id: int
    first_id: UUID
    second_id: UUID
    comparison: Comparison
    state: PairState
    found_at: datetime
    import_id: UUID | None
    decided_at: datetime | None
    decided_by: UUID | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class PairPage:
    """Some pairs, the likeliest first; `next` is the offset of those after them, None at the end."""

    pairs: tuple[Pair, ...]
    next: int | None
    total: int


@dataclass(frozen=True, slots=True)
class Merge:
    """One step in the history of an entry: merged into another, or parted from it again."""

    kind: str
    resident_id: UUID
    into_id: UUID
    at: datetime
    actor: UUID
    reason: str
    comparison: Comparison | None


def sharing(session: Session, keys: Iterable[int]) -> dict[int, list[UUID]]:
    """The residents under each of these keys; a key that too many share is left out."""
    wanted = sorted(set(keys))
    found: dict[int, list[UUID]] = {}
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        sizes = (
            select(ResidentBlockRow.key)
            .where(ResidentBlockRow.key.in_(chunk))
            .group_by(ResidentBlockRow.key)
            .having(func.count() <= BLOCK_MAX)
        )
        followed = session.scalars(sizes).all()
        rows = select(ResidentBlockRow.key, ResidentBlockRow.resident_id).where(ResidentBlockRow.key.in_(followed))
        for key, resident_id in session.execute(rows):
            found.setdefault(key, []).append(resident_id)
    return found


def facts_of_many(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, Facts]:
    """Residents as they are compared."""
    found: dict[UUID, Facts] = {}
    for start in range(0, len(resident_ids), _CHUNK):
        rows = select(
            ResidentRow.id,
            ResidentRow.family_name,
            ResidentRow.given_name,
            ResidentRow.middle_name,
            cast(ResidentRow.birth_date, String),
            ResidentRow.sex,
            ResidentRow.barangay_code,
            ResidentRow.address,
            ResidentRow.mobile,
        ).where(ResidentRow.id.in_(resident_ids[start : start + _CHUNK]))
        for resident_id, family, given, middle, born, sex, barangay, address, mobile in session.execute(rows):
            found[resident_id] = facts_from(
                family_name=family,
                given_name=given,
                middle_name=middle or "",
                birth_date=born.replace("-", ""),
                sex=sex,
                place=barangay,
                address=address,
                mobile=mobile or "",
            )
    return found


def without_keys(session: Session, limit: int) -> list[UUID]:
    """Residents of before entries were compared: nobody would find them."""
    keyed = select(ResidentBlockRow.key).where(ResidentBlockRow.resident_id == ResidentRow.id)
    return list(session.scalars(select(ResidentRow.id).where(~keyed.exists()).order_by(ResidentRow.id).limit(limit)))


def pairs(session: Session, *, state: PairState = PairState.OPEN, offset: int = 0, limit: int = 50) -> PairPage:
    """The pairs in this state, the likeliest first. A pair of two entries that are one by now is not open any more."""
    condition = ResidentPairRow.state == state.value
    query = select(ResidentPairRow).where(condition).order_by(ResidentPairRow.score.desc(), ResidentPairRow.id)
    rows = session.scalars(query.offset(offset).limit(limit + 1)).all()
    total = session.scalars(select(func.count()).select_from(ResidentPairRow).where(condition)).one()
    return PairPage(tuple(map(_pair, rows[:limit])), offset + limit if len(rows) > limit else None, total)


def pair(session: Session, pair_id: int) -> Pair:
    """Raises: PairNotFound."""
    row = session.get(ResidentPairRow, pair_id) if pair_id <= _ID_MAX else None
    if row is None:
        raise PairNotFound
    return _pair(row)


def merges(session: Session, resident_id: UUID) -> tuple[Merge, ...]:
    """Every merge and parting that this entry had a part in, oldest first."""
    row = aliased(ResidentMergeRow)
    query = select(row).where((row.resident_id == resident_id) | (row.into_id == resident_id)).order_by(row.id)
    return tuple(
        Merge(
            found.kind,
            found.resident_id,
            found.into_id,
            found.at,
            found.actor,
            found.reason,
            None if found.score is None or found.why is None else Comparison(found.score, read_why(found.why)),
        )
        for found in session.scalars(query)
    )


def write_why(comparison: Comparison) -> str:
    """The reasons as they are stored."""
    return json.dumps([asdict(reason) for reason in comparison.why])


def read_why(text: str) -> tuple[Reason, ...]:
    """The reasons, from what `write_why` wrote."""
    return tuple(_reason(one) for one in json.loads(text))


def _reason(written: Mapping[str, Any]) -> Reason:
    return Reason(written["field"], Agreement(written["agreement"]), written["weight"], written["note"])


def _pair(row: ResidentPairRow) -> Pair:
    return Pair(
        row.id,
        row.first_id,
        row.second_id,
        Comparison(row.score, read_why(row.why)),
        PairState(row.state),
        row.found_at,
        row.import_id,
        row.decided_at,
        row.decided_by,
        row.reason,
    )
