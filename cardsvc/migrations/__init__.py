"""The schema's history. Alembic runs it; the tables of the models are what it must arrive at.

What compares with the models sees the tables of the rooms that are imported: callers import `cardsvc.app`, all of them.
"""

import logging
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from cardsvc.db import Base, unit_of_work

FOLDER = Path(__file__).parent
logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells at every look which database it looks at


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; nothing to do is no error. One transaction: all of it or none."""
    with engine.begin() as connection:
        command.upgrade(_config(connection), "head")


def is_current(engine: Engine) -> bool:
    """Whether the schema is the one that this code was written for."""
    with unit_of_work(engine, read_only=True) as session:
        return set(MigrationContext.configure(session.connection()).get_current_heads()) == set(_scripts().get_heads())


def differences(engine: Engine) -> list[Any]:
    """What the models have and the database has not, or the other way round, in Alembic's words."""
    with unit_of_work(engine, read_only=True) as session:
        context = MigrationContext.configure(session.connection(), opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def write_revision(engine: Engine, message: str) -> None:
    """Write the next revision: what brings this database, at the newest one, to the models. Somebody then reads it."""
    with engine.begin() as connection:
        command.revision(_config(connection), message, autogenerate=True, rev_id=f"{len(_revisions()) + 1:04d}")


def _revisions() -> list[object]:
    return list(_scripts().walk_revisions())


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(FOLDER))


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config
