"""Fixtures that every package's tests may ask for. What only one package needs lives in its own conftest."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import judging, postgres
from tests.fixtures.core import app, city, client, clock, random_bytes, vault
from tests.fixtures.databases import _copies, _kept, _shared_engine, backend, engine, session
from tests.fixtures.town import town

# Fixtures made elsewhere, found by pytest because they are names of this file.
__all__ = [
    "_copies",
    "_kept",
    "_shared_engine",
    "app",
    "backend",
    "city",
    "client",
    "clock",
    "engine",
    "random_bytes",
    "session",
    "town",
    "vault",
]


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Where nothing may be skipped, a run in which something was skipped has failed, by whatever way it skipped."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter is not None and reporter.stats.get("skipped")
    if skipped and exitstatus == pytest.ExitCode.OK and os.environ.get(judging.NOTHING_SKIPPED) == "1":
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """The run's own PostgreSQL; `create` and `drop` give a test as many databases as it likes."""
    with postgres.running_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_url(postgres_server: postgres.Server) -> str:
    """One PostgreSQL database for the whole run, empty at the start; tests that share it must not mind."""
    return postgres_server.create("shared")


@pytest.fixture
def fresh_postgres_url(postgres_server: postgres.Server) -> Iterator[str]:
    """An empty PostgreSQL database for this test alone."""
    name = f"test_{secrets.token_hex(8)}"
    yield postgres_server.create(name)
    postgres_server.drop(name)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for this test alone, once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'city.sqlite'}"
    return str(request.getfixturevalue("fresh_postgres_url"))
