import sqlite3
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NewType

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from cardsvc import db

THING = uuid.UUID("018f0000-0000-7000-8000-000000000001")
AT = datetime(2026, 11, 2, 0, 0, 0, 123000, tzinfo=UTC)
ThingId = NewType("ThingId", uuid.UUID)


class Things(DeclarativeBase):
    """Tables of this test, apart from the city's."""

    metadata = sa.MetaData()
    type_annotation_map = db.Base.type_annotation_map


class Note(Things):
    __tablename__ = "note"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    text: Mapped[str]
    salt: Mapped[bytes | None]


db.append_only(Note.__table__, erasable=["salt"])


class Line(Things):
    __tablename__ = "line"
    number: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


db.append_only(Line.__table__)


class Counter(Things):
    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


@pytest.fixture
def things(database_url: str) -> Iterator[Engine]:
    engine = db.make_engine(database_url)
    Things.metadata.create_all(engine)
    with db.unit_of_work(engine) as session:
        session.add(Note(id=THING, at=AT, text="first", salt=b"salt"))
        session.add(Line(number=1, text="first"))
        session.add(Counter(name="c", value=0))
    yield engine
    engine.dispose()


def test_ids_and_times_come_back_as_they_went_in(things: Engine) -> None:
    with db.unit_of_work(things, read_only=True) as session:
        note = session.get_one(Note, THING)
        assert (note.id, note.at) == (THING, AT)
        raw = session.execute(sa.text("SELECT id, at FROM note")).one()
    assert raw.at == db.to_ms(AT)
    assert raw.id == (THING.bytes if things.dialect.name == "sqlite" else THING)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        db.to_ms(datetime(2026, 1, 1))  # noqa: DTZ001


def test_milliseconds_are_exact_far_away() -> None:
    for at in (AT, AT + timedelta(days=365 * 300), datetime(1900, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)):
        assert db.from_ms(db.to_ms(at)) == at


def test_a_column_may_be_annotated_with_an_id_of_its_own() -> None:
    class Thing(db.Base):
        __tablename__ = "thing_of_a_test"
        id: Mapped[ThingId] = mapped_column(primary_key=True)
        other: Mapped[ThingId | None]

    try:
        assert isinstance(Thing.__table__.c.id.type, db.Id)
        assert isinstance(Thing.__table__.c.other.type, db.Id)
    finally:
        db.Base.metadata.remove(db.Base.metadata.tables["thing_of_a_test"])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE line SET text = 'other'",
        "UPDATE line SET text = text",
        "DELETE FROM line",
        "UPDATE note SET text = 'other'",
        "UPDATE note SET text = 'other', salt = NULL",
        "UPDATE note SET salt = text",
        "DELETE FROM note",
    ],
)
def test_what_is_append_only_is_neither_changed_nor_removed(things: Engine, statement: str) -> None:
    if things.dialect.name == "postgresql":
        statement = statement.replace("salt = text", "salt = text::bytea")
    with pytest.raises(IntegrityError, match="append-only"), db.unit_of_work(things) as session:
        session.execute(sa.text(statement))


def test_append_only_tables_are_not_emptied_or_replaced_by_a_side_door(things: Engine) -> None:
    side_door = "INSERT OR REPLACE INTO line VALUES (1, 'x')" if things.dialect.name == "sqlite" else "TRUNCATE line"
    with pytest.raises(IntegrityError, match="append-only"), db.unit_of_work(things) as session:
        session.execute(sa.text(side_door))


def test_an_erasable_column_may_be_forgotten_and_nothing_else(things: Engine) -> None:
    with db.unit_of_work(things) as session:
        session.execute(sa.text("UPDATE note SET salt = NULL"))
    with db.unit_of_work(things, read_only=True) as session:
        note = session.get_one(Note, THING)
        assert (note.text, note.salt) == ("first", None)


def test_an_exception_rolls_the_unit_back(things: Engine) -> None:
    def stop_half_way(session: Session) -> None:
        session.add(Line(number=2, text="second"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        db.run(things, stop_half_way)
    assert db.run(things, lambda session: session.scalar(sa.select(sa.func.count()).select_from(Line))) == 1


def test_a_reading_unit_cannot_write_and_the_next_one_can(things: Engine) -> None:
    with pytest.raises(DBAPIError), db.unit_of_work(things, read_only=True) as session:
        session.execute(sa.update(Counter).values(value=5))
    db.run(things, lambda session: session.execute(sa.update(Counter).values(value=6)))
    with db.unit_of_work(things, read_only=True) as session:
        assert session.scalar(sa.select(Counter.value)) == 6


def test_a_reading_unit_sees_one_moment(things: Engine) -> None:
    with db.unit_of_work(things, read_only=True) as reader:
        assert reader.scalar(sa.select(Counter.value)) == 0
        db.run(things, lambda session: session.execute(sa.update(Counter).values(value=1)))
        assert reader.scalar(sa.select(Counter.value)) == 0


def test_writers_at_the_same_time_lose_nothing(things: Engine) -> None:
    """On SQLite each waits for the lock; on PostgreSQL a serialisable unit may be refused, and is done again whole."""
    on_postgresql = things.dialect.name == "postgresql"

    def count(session: Session) -> None:
        if on_postgresql:
            session.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        value = session.scalars(sa.select(Counter.value)).one()
        session.execute(sa.update(Counter).values(value=value + 1))

    def count_often() -> None:
        for _ in range(5):
            db.run(things, count)

    threads = [threading.Thread(target=count_often) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert db.run(things, lambda session: session.scalar(sa.select(Counter.value))) == 15


def test_only_what_a_second_try_may_cure_is_tried_again(things: Engine) -> None:
    tries = []

    def collide(session: Session) -> None:
        tries.append(1)
        session.add(Line(number=1, text="again"))
        session.flush()

    with pytest.raises(IntegrityError):
        db.run(things, collide)
    assert len(tries) == 1


def test_sqlite_is_durable_and_keeps_its_foreign_keys(tmp_path: Path) -> None:
    engine = db.make_engine(f"sqlite:///{tmp_path / 'city.db'}")
    with engine.connect() as connection:
        for name, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 5000)):
            assert connection.exec_driver_sql(f"PRAGMA {name}").scalar() == value
    engine.dispose()


def test_a_sqlite_that_refuses_wal_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "city.db"
    other = sqlite3.connect(path)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("CREATE TABLE t (x)")
    with pytest.raises((db.UnsuitableDatabase, DBAPIError)):
        db.make_engine(f"sqlite:///{path}?timeout=0").connect()
    other.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://city"])
def test_a_database_that_forgets_or_is_foreign_is_refused(url: str) -> None:
    with pytest.raises(db.UnsuitableDatabase, match="CITY_DATABASE_URL"):
        db.make_engine(url)


def test_a_postgresql_url_means_psycopg() -> None:
    assert db.make_engine("postgresql://city@/city").url.drivername == "postgresql+psycopg"


@pytest.mark.postgres
def test_postgresql_compiles_no_statement_and_hears_what_the_url_asks(fresh_postgres_url: str) -> None:
    asked = sa.make_url(fresh_postgres_url).update_query_dict({"options": "-c work_mem=5MB"}, append=True)
    engine = db.make_engine(asked.render_as_string(hide_password=False))
    with engine.connect() as connection:
        found = [connection.scalar(sa.text(f"SHOW {name}")) for name in ("jit", "work_mem")]
    engine.dispose()
    assert found == ["off", "5MB"]


def test_a_session_fixture_leaves_nothing_behind(session: Session) -> None:
    assert not session.in_nested_transaction()
    session.execute(sa.text("CREATE TABLE left_behind (x INTEGER)"))
    session.commit()  # even what the test commits is undone


def test_the_next_test_finds_nothing(session: Session) -> None:
    assert not sa.inspect(session.connection()).has_table("left_behind")


def test_an_engine_fixture_is_a_database_of_its_own(engine: Engine) -> None:
    with db.unit_of_work(engine) as session:
        session.execute(sa.text("CREATE TABLE left_behind (x INTEGER)"))
