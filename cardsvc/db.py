"""The database: one code path for SQLite (the embedded default) and PostgreSQL.

This is the one place that begins, commits and rolls back. Actions get a session and never end it.
"""

import re
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any, NewType, TypeVar

import sqlalchemy as sa
from sqlalchemy import event, types
from sqlalchemy.engine import Connection, Dialect, Engine, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, TypeResolve

from cardsvc.errors import CityError, ErrorKind

T = TypeVar("T")

BUSY_TIMEOUT_MS = 5000
_READ_ONLY = "city_read_only"

# What another writer may cause and a second try may cure: serialisation failure and deadlock (PostgreSQL appendix A).
_RETRIED_SQLSTATES = {"40001", "40P01"}
_RETRIED_SQLITE_CODES = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
RETRIES = 5
_FIRST_PAUSE_SECONDS = 0.02


class UnsuitableDatabase(CityError):
    """The database is not one that money can be kept in."""

    code = "unsuitable_database"
    kind = ErrorKind.UNAVAILABLE


# ------------------------------------------------------------------------------------------------------ types and base


class UtcDateTime(types.TypeDecorator[datetime]):
    """An aware UTC datetime, stored as whole milliseconds since 1970 (BIGINT) on both databases: exact and sortable.

    In raw SQL the column is the number itself (`to_ms`, `from_ms`).
    """

    impl = types.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_ms(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_ms(value)


class Id(types.TypeDecorator[uuid.UUID]):
    """A UUID: `uuid` on PostgreSQL, the 16 bytes themselves on SQLite (what raw SQL must bind there)."""

    impl = types.LargeBinary(16)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> types.TypeEngine[Any]:
        native = types.Uuid(as_uuid=True) if dialect.name == "postgresql" else types.LargeBinary(16)
        return dialect.type_descriptor(native)

    def process_bind_param(self, value: uuid.UUID | None, dialect: Dialect) -> uuid.UUID | bytes | None:
        if value is None or dialect.name == "postgresql":
            return value
        return value.bytes

    def process_result_value(self, value: uuid.UUID | bytes | None, dialect: Dialect) -> uuid.UUID | None:  # noqa: ARG002
        return uuid.UUID(bytes=value) if isinstance(value, bytes) else value


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970; `at` must be aware. Integer arithmetic: timestamp() would go through a float."""
    if at.tzinfo is None:
        raise ValueError("A time without a zone says nothing.")
    return (at - _EPOCH) // _MILLISECOND


def from_ms(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


# SQLite's INTEGER has 64 bits too, and only under this name may it be a self-numbering primary key.
BigInt = types.BigInteger().with_variant(types.Integer(), "sqlite")


class Base(DeclarativeBase):
    """Every table of every room. Constraints get predictable names, so that migrations can speak of them."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UtcDateTime,
        date: types.Date,
        uuid.UUID: Id,
        int: BigInt,
        str: types.Text,
        bytes: types.LargeBinary,
    }


@event.listens_for(Base, "resolve_type_annotation")
def _as_supertype(resolve: TypeResolve) -> Any:
    """A column may be annotated with an id of its own (`CardId`): it is stored as what the NewType stands on."""
    annotation: Any = resolve.resolved_type
    while isinstance(annotation, NewType):
        annotation = annotation.__supertype__
    return resolve.resolve(annotation) if annotation is not resolve.resolved_type else None


# -------------------------------------------------------------------------------------------------------------- engine


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql://...`; nothing connects yet.

    Raises: UnsuitableDatabase for any other kind, and at the first connection for a SQLite that will not be durable.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise UnsuitableDatabase("A city's SQLite database is a file; give CITY_DATABASE_URL a path.")
        return _sqlite_engine(parsed)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql_engine(parsed.set(drivername="postgresql+psycopg"))
    raise UnsuitableDatabase(f"CITY_DATABASE_URL must be sqlite:/// or postgresql://, not {parsed.drivername}://.")


def _sqlite_engine(url: sa.URL) -> Engine:
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must not begin transactions of its own accord: it would begin them deferred, and late.
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "recursive_triggers = ON"):
            connection.execute(f"PRAGMA {pragma}")
        # What is not asserted is not so: a file system without shared memory silently refuses WAL, for one.
        found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _ASSERTED]
        if found != list(_ASSERTED.values()):
            raise UnsuitableDatabase(f"SQLite refuses to be durable here: {dict(zip(_ASSERTED, found, strict=True))}.")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Writers take the write lock first: of two readers that both turn writer one would fail, and no timeout helps.
        # If we stop here: SQLite rolls the open transaction back when the file is next opened.
        read_only = connection.get_execution_options().get(_READ_ONLY, False)
        connection.exec_driver_sql(f"PRAGMA query_only = {int(read_only)}")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


_ASSERTED = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1}


def _postgresql_engine(url: sa.URL) -> Engine:
    # Compiling a statement costs more than any of ours takes: the planner takes an array of ids for a million rows.
    options = " ".join([*sa.util.to_list(url.query.get("options", ())), "-c jit=off"])
    engine = sa.create_engine(
        url.difference_update_query(["options"]),
        pool_pre_ping=True,
        max_overflow=19,  # with the five kept: one for each thread
        connect_args={"options": options},
    )

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A reader sees one moment, as on SQLite. A writer stays at READ COMMITTED: what it must not lose it locks.
        if connection.get_execution_options().get(_READ_ONLY, False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")

    return engine


# --------------------------------------------------------------------------------------------------------------- units


def open_session(engine: Engine, *, read_only: bool = False) -> Session:
    """A session for a caller who ends it (the web's request). A read-only one is refused writes by the database."""
    bind = engine.execution_options(**{_READ_ONLY: True}) if read_only else engine
    return Session(bind, expire_on_commit=False)


@contextmanager
def unit_of_work(engine: Engine, *, read_only: bool = False) -> Iterator[Session]:
    """One database transaction: committed at the end, rolled back by any exception."""
    with open_session(engine, read_only=read_only) as session, session.begin():
        yield session


def run(engine: Engine, work: Callable[[Session], T], *, read_only: bool = False) -> T:
    """Do `work` in a unit of its own and do all of it again where another writer was in the way.

    `work` may run several times, so it must have no effect outside its session; what it returns must not need it.
    """
    for attempt in range(RETRIES):
        try:
            with unit_of_work(engine, read_only=read_only) as session:
                return work(session)
        except DBAPIError as error:
            if attempt == RETRIES - 1 or not is_transient(error):
                raise
        time.sleep(_FIRST_PAUSE_SECONDS * 2**attempt)
    raise AssertionError("the loop returns or raises")


def is_transient(error: DBAPIError) -> bool:
    """Whether the same unit, done again from its start, may succeed."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _RETRIED_SQLITE_CODES  # the low byte; the rest refines it (sqlite.org/rescode.html)
    return getattr(error.orig, "sqlstate", None) in _RETRIED_SQLSTATES


# ---------------------------------------------------------------------------------------------------------- whole sets


def insert_columns(session: Session, table: sa.FromClause, columns: Mapping[str, Sequence[Any]]) -> None:
    """Insert many rows, given column by column, in one statement (PostgreSQL) or one prepared one (SQLite): no row
    passes the ORM. Values are what the column's type takes; enums by their value.
    """
    assert isinstance(table, sa.Table)
    connection = session.connection()
    dialect = connection.dialect
    types_ = [table.c[name].type.dialect_impl(dialect) for name in columns]
    processors = [type_.bind_processor(dialect) for type_ in types_]
    bound = [
        [process(value) for value in values] if process else list(values)
        for process, values in zip(processors, columns.values(), strict=True)
    ]
    if not bound[0]:
        return
    quote = dialect.identifier_preparer.quote
    into = f"INSERT INTO {quote(table.name)} ({', '.join(map(quote, columns))})"
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"{into} VALUES ({marks})", list(zip(*bound, strict=True)))
    else:
        arrays = ", ".join(f"%b::{type_.compile(dialect)}[]" for type_ in types_)
        connection.exec_driver_sql(f"{into} SELECT * FROM unnest({arrays})", tuple(bound))  # noqa: S608 - own names


# ----------------------------------------------------------------------------------- append only, and other refusals


def append_only(table: sa.FromClause, *, erasable: Sequence[str] = ()) -> None:
    """Let the database itself refuse UPDATE and DELETE on the table; an `erasable` column may become NULL, no more.

    The triggers come with `create_all`; a migration executes the strings of `append_only_ddl`.
    """
    assert isinstance(table, sa.Table)
    table.info["append_only"] = tuple(erasable)

    @event.listens_for(table, "after_create")
    def guard(table: sa.Table, connection: Connection, **_: object) -> None:
        columns = [column.name for column in table.columns]
        for statement in append_only_ddl(connection.dialect.name, table.name, columns, erasable):
            connection.exec_driver_sql(statement)


def append_only_ddl(dialect: str, table: str, columns: Sequence[str], erasable: Sequence[str] = ()) -> list[str]:
    """The statements that make a table append-only ("sqlite" or "postgresql")."""
    assert all(re.fullmatch(r"[a-z_]+[0-9a-z_]*", name) for name in (table, *columns))
    same = "IS" if dialect == "sqlite" else "IS NOT DISTINCT FROM"
    kept = [f"NEW.{name} {same} OLD.{name}" for name in columns if name not in erasable]
    erased = [f"(NEW.{name} IS NULL OR NEW.{name} {same} OLD.{name})" for name in erasable]
    # Without an erasable column no update is right, not even one that changes nothing.
    when = f"WHEN (NOT ({' AND '.join(kept + erased)}))" if erasable else ""
    # quoted, because a table may be called as a word of the language is: transaction
    message = f"{table} is append-only: correct it by another row"
    if dialect == "sqlite":
        return [
            f'CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON "{table}" {clause} '
            f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            for verb, clause in (("UPDATE", when), ("DELETE", ""))
        ]
    refuse = f"EXECUTE FUNCTION city_refuse_change('{message}')"
    return [
        _POSTGRESQL_REFUSE,
        f'CREATE TRIGGER {table}_no_update BEFORE UPDATE ON "{table}" FOR EACH ROW {when} {refuse}',
        f'CREATE TRIGGER {table}_no_delete BEFORE DELETE ON "{table}" FOR EACH ROW {refuse}',
        f'CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {refuse}',
    ]


def refuse(table: sa.FromClause, name: str, verb: str, *, when: str, message: str) -> None:
    """Let the database refuse `verb` ("UPDATE OF state", "DELETE") on a row where `when` holds (SQL over OLD and NEW).

    The trigger comes with `create_all`; a migration executes the strings of `refuse_ddl`.
    """
    assert isinstance(table, sa.Table)

    @event.listens_for(table, "after_create")
    def guard(table: sa.Table, connection: Connection, **_: object) -> None:
        for statement in refuse_ddl(connection.dialect.name, table.name, name, verb, when=when, message=message):
            connection.exec_driver_sql(statement)


def refuse_ddl(dialect: str, table: str, name: str, verb: str, *, when: str, message: str) -> list[str]:
    """The statements of one such refusal ("sqlite" or "postgresql"); nothing here may come from outside."""
    guard = f'CREATE TRIGGER {table}_{name} BEFORE {verb} ON "{table}"'
    if dialect == "sqlite":
        return [f"{guard} WHEN ({when}) BEGIN SELECT RAISE(ABORT, '{message}'); END"]
    return [
        _POSTGRESQL_REFUSE,
        f"{guard} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION city_refuse_change('{message}')",
    ]


_POSTGRESQL_REFUSE = """
CREATE OR REPLACE FUNCTION city_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END $$
"""
