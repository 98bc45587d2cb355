"""The schema's history arrives at what the models say, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from cardsvc import db, migrations
from tests.fixtures.databases import Copies


@pytest.fixture
def migrated(database_url: str) -> Iterator[Engine]:
    """A database that was empty and took every revision."""
    engine = db.make_engine(database_url)
    migrations.migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def modelled(migrated: Engine, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """The same kind of database, made from the models at once."""
    server = request.getfixturevalue("postgres_server") if migrated.dialect.name == "postgresql" else None
    with Copies(tmp_path, server, template="template_migrations").engine() as engine:
        yield engine
    if server:
        server.drop("template_migrations")


def test_an_empty_database_becomes_current(migrated: Engine) -> None:
    assert migrations.is_current(migrated)


def test_migrating_again_changes_nothing(migrated: Engine) -> None:
    migrations.migrate(migrated)
    assert migrations.is_current(migrated)


def test_the_models_and_the_history_agree(migrated: Engine) -> None:
    assert migrations.differences(migrated) == []


def triggers(engine: Engine) -> set[tuple[str, str]]:
    """Name and definition of each trigger; Alembic does not compare these."""
    statement = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
        "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    }[engine.dialect.name]
    with db.unit_of_work(engine, read_only=True) as session:
        return {(row[0], row[1]) for row in session.execute(sa.text(statement))}


def test_the_guards_of_append_only_tables_are_in_the_history(migrated: Engine, modelled: Engine) -> None:
    assert triggers(migrated) == triggers(modelled)


def functions(engine: Engine) -> set[tuple[str, str]]:
    """Name and definition of each function of ours; only PostgreSQL has some."""
    if engine.dialect.name == "sqlite":
        return set()
    ours = "SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    with db.unit_of_work(engine, read_only=True) as session:
        return {(row[0], row[1]) for row in session.execute(sa.text(ours))}


def test_the_functions_of_the_database_are_in_the_history(migrated: Engine, modelled: Engine) -> None:
    assert functions(migrated) == functions(modelled)
