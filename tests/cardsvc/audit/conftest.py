"""A city for the tests of the log: parts that are real, and no records behind the leaves."""

import secrets
from pathlib import Path

import pytest
from sqlalchemy import Engine

from cardsvc import web
from cardsvc.clock import FixedClock
from cardsvc.settings import Environment, Settings
from cardsvc.vault import Vault
from tests.heads import Backups


@pytest.fixture
def log_city(engine: Engine, vault: Vault, clock: FixedClock, tmp_path: Path) -> web.City:
    """A city whose log is empty."""
    settings = Settings(
        env=Environment.TEST,
        home=tmp_path,
        database_url=str(engine.url),
        city_name="Maharlika City",
        log_origin=vault.log_origin,
        public_url="http://127.0.0.1",
        vault_passphrase="not needed",
        bind_host="127.0.0.1",
        port=0,
    )
    return web.City(settings, clock, engine, vault, handlers=None, random_bytes=secrets.token_bytes)


@pytest.fixture
def backups(engine: Engine, request: pytest.FixtureRequest) -> Backups:
    return Backups(engine, request.getfixturevalue("postgres_server") if engine.dialect.name == "postgresql" else None)
