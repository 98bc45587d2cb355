"""Whole sets in PostgreSQL's own encoding arrive as they left."""

from collections.abc import Iterator
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cardsvc import arrays, db

pytestmark = pytest.mark.postgres

NUMBERS = [0, 1, -1, 2**63 - 1, -(2**63)]
IDS = [UUID(int=0), UUID(int=2**128 - 1)]
TEXTS = ["", "a", "NULL", '{"}, \\', "ñ \n", "\N{PESO SIGN}" * 300]


@pytest.fixture
def engine(fresh_postgres_url: str) -> Iterator[sa.Engine]:
    """With a table of pairs."""
    made = db.make_engine(fresh_postgres_url)
    with db.unit_of_work(made) as session:
        session.execute(sa.text("CREATE TABLE pair (one bigint PRIMARY KEY, other bigint)"))
    yield made
    made.dispose()


def copy(engine: sa.Engine, *handfuls: bytes, error: Exception | None = None) -> None:
    """Copy all of them in one transaction, or break off with the error."""

    def work(session: Session) -> None:
        with arrays.copying(session, "pair", ("one", "other")) as send:
            for handful in handfuls:
                send(handful)
            if error is not None:
                raise error

    db.run(engine, work)


def pairs(engine: sa.Engine) -> list[tuple[int, int]]:
    with db.unit_of_work(engine, read_only=True) as session:
        return [(row.one, row.other) for row in session.execute(sa.text("SELECT one, other FROM pair ORDER BY one"))]


@pytest.mark.parametrize("some", [slice(0, None), slice(0, 0), slice(0, 1)])
def test_arrays_arrive_as_they_left(engine: sa.Engine, some: slice) -> None:
    sent = arrays.bigint_array(NUMBERS[some]), arrays.uuid_array(IDS[some]), arrays.text_array(TEXTS[some])
    with engine.connect() as connection:
        told = connection.exec_driver_sql("SELECT %b, %b, %b", sent).one()
    assert list(told) == [NUMBERS[some], IDS[some], TEXTS[some]]


def test_rows_are_copied_in_handfuls(engine: sa.Engine) -> None:
    copy(
        engine,
        arrays.bigint_rows([1, 2], [3, 4]),
        arrays.bigint_rows([], []),
        arrays.bigint_rows([2**63 - 1], [-(2**63)]),
    )
    assert pairs(engine) == [(1, 3), (2, 4), (2**63 - 1, -(2**63))]


def test_what_the_table_refuses_is_refused_as_in_any_other_statement(engine: sa.Engine) -> None:
    with pytest.raises(IntegrityError):
        copy(engine, arrays.bigint_rows([1, 1], [3, 4]))
    assert pairs(engine) == []


def test_a_caller_who_breaks_off_leaves_nothing(engine: sa.Engine) -> None:
    with pytest.raises(KeyError):
        copy(engine, arrays.bigint_rows([1], [2]), error=KeyError("gone"))
    assert pairs(engine) == []
