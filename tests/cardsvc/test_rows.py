"""Many rows go into a table and come back the same, on both databases and whatever their number."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from cardsvc import db, rows

THINGS = sa.Table(
    "things",
    sa.MetaData(),
    sa.Column("id", db.Id(), primary_key=True),
    sa.Column("day", sa.Date(), nullable=False),
    sa.Column("ended", sa.Date()),
    sa.Column("at", db.UtcDateTime(), nullable=False),
    sa.Column("cents", sa.BigInteger(), nullable=False),
    sa.Column("said", sa.Text()),
    sa.Column("kept", sa.LargeBinary()),
)
DAYS = [date(1, 1, 1), date(1999, 12, 31), date(2000, 1, 1), date(2026, 11, 22), date(9999, 12, 31)]
AT = datetime(2026, 11, 22, 8, 0, 0, 1000, tzinfo=UTC)


@pytest.mark.parametrize("count", [1, 23, 24, 1200])
def test_many_rows_come_back_as_they_went_in(engine: Engine, count: int) -> None:
    numbers = range(count)
    columns: dict[str, Sequence[Any]] = {
        "id": [UUID(int=number) for number in numbers],
        "day": [DAYS[number % len(DAYS)] for number in numbers],
        "ended": [None if number % 2 else DAYS[number % len(DAYS)] for number in numbers],
        "at": [AT + timedelta(milliseconds=number) for number in numbers],
        "cents": [2**62 - number for number in numbers],
        "said": [None if number % 3 else f"ñ {number}" for number in numbers],
        "kept": [b"\0" * number for number in numbers],
    }
    THINGS.metadata.create_all(engine)
    with db.unit_of_work(engine) as session:
        rows.insert(session, THINGS, columns)
    with db.unit_of_work(engine, read_only=True) as session:
        found = rows.matching(session, sa.select(THINGS), THINGS.c.id, columns["id"])
    assert sorted(tuple(row) for row in found) == list(zip(*columns.values(), strict=True))
