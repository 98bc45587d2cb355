"""The schema's history. Alembic runs it; the tables of the models are what it must arrive at.

What compares with the models sees the tables of the rooms that are imported: callers import `cardsvc.app`, all of them.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from cardsvc.db import Base, unit_of_work
from cardsvc.errors import CityError, ErrorKind

if TYPE_CHECKING:
    from alembic.config import Config


class BrokenReferences(CityError):
    code = "broken_references"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, tables: list[str]) -> None:
        super().__init__(
            f"After the migration rows of {', '.join(tables)} would point nowhere. Nothing was changed; report this."
        )


FOLDER = Path(__file__).parent
logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells at every look which database it looks at


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; nothing to do is no error. One transaction: all of it or none.

    Raises: BrokenReferences, where a revision would leave rows that point nowhere; then nothing was changed.
    """
    from alembic import command

    with engine.connect() as connection, _references_checked_at_the_end(connection):
        command.upgrade(_config(connection), "head")


@contextmanager
def _references_checked_at_the_end(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by making it anew, and dropping the old one would delete every row that points to it.

    So references are checked once, before the commit. The connection is thrown away: the switch must not outlive it.
    """
    if connection.dialect.name != "sqlite":
        with connection.begin():
            yield
        return
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    driver.execute("PRAGMA foreign_keys = OFF")  # it does nothing inside a transaction
    try:
        with connection.begin():
            yield
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if broken:
                raise BrokenReferences(sorted({str(row[0]) for row in broken}))
    finally:
        connection.invalidate()


def is_current(engine: Engine) -> bool:
    """Whether the schema is the one that this code was written for."""
    with unit_of_work(engine, read_only=True) as session:
        return newest() in applied(session)


def newest() -> str:
    """The last revision of this code. Read from the files' names, because every start asks and Alembic loads slowly."""
    return max(path.name.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


def applied(session: Session) -> set[str]:
    """The revision of the database, as Alembic notes it; none where it never ran."""
    if not sa.inspect(session.connection()).has_table("alembic_version"):
        return set()
    return set(session.scalars(sa.text("SELECT version_num FROM alembic_version")))


def differences(engine: Engine) -> list[Any]:
    """What the models have and the database has not, or the other way round, in Alembic's words."""
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with unit_of_work(engine, read_only=True) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


class SameRole(CityError):
    code = "same_role"
    kind = ErrorKind.INVALID

    def __init__(self, role: str) -> None:
        super().__init__(f"Both addresses sign in as {role}. Give the service a role of its own, that owns nothing.")


class NotPostgresql(CityError):
    code = "not_postgresql"
    kind = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("Only PostgreSQL has roles. On SQLite whoever reads the file may write it: guard the file.")


def grant(owner: Engine, service: Engine) -> str:
    """Let the service's role do what the service does and no more: read, add, and change what may change. It owns
    nothing, so it cannot take the guards of append-only tables away. Returns the role. Do it after every migration.

    Raises: NotPostgresql, SameRole.
    """
    if owner.dialect.name != "postgresql" or service.dialect.name != "postgresql":
        raise NotPostgresql
    with service.connect() as connection:
        role = str(connection.scalar(sa.text("SELECT current_user")))
    with owner.begin() as connection:
        if connection.scalar(sa.text("SELECT current_user")) == role:
            raise SameRole(role)
        quote = connection.dialect.identifier_preparer.quote
        for statement in _grants(quote(role), quote):
            connection.exec_driver_sql(statement)
    return role


def _grants(role: str, quote: Callable[[str], str]) -> Iterator[str]:
    """`role` is quoted already."""
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT SELECT ON alembic_version TO {role}"
    yield f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}"
    for table in Base.metadata.sorted_tables:
        name, erasable = quote(table.name), table.info.get("append_only")
        yield f"GRANT SELECT, INSERT ON {name} TO {role}"
        if erasable is None:
            yield f"GRANT UPDATE, DELETE ON {name} TO {role}"
        elif erasable:
            yield f"GRANT UPDATE ({', '.join(map(quote, erasable))}) ON {name} TO {role}"


def write_revision(engine: Engine, message: str) -> None:
    """Write the next revision: what brings this database, at the newest one, to the models. Somebody then reads it."""
    from alembic import command

    written = len(list((FOLDER / "versions").glob("[0-9]*.py")))
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{written + 1:04d}")


def _config(connection: Connection) -> "Config":
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config
