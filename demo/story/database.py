"""The story's own database: a file in its folder, or a schema of its own on the PostgreSQL server that is named."""

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from cardsvc import db

_POSTGRESQL: Final = ("postgresql://", "postgresql+psycopg://")


@contextlib.contextmanager
def own_database(url: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database that is gone afterwards. What else is on a PostgreSQL server is not touched."""
    if not url.startswith(_POSTGRESQL):
        yield f"sqlite:///{folder / 'city.db'}"
        return
    schema = f"story_{secrets.token_hex(6)}"
    _run(url, f'CREATE SCHEMA "{schema}"')
    try:
        parsed = sa.make_url(url)
        options = f"{parsed.query.get('options', '')} -csearch_path={schema}".strip()
        yield parsed.update_query_dict({"options": options}).render_as_string(hide_password=False)
    finally:
        _run(url, f'DROP SCHEMA "{schema}" CASCADE')


def _run(url: str, statement: str) -> None:
    engine = db.make_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(sa.text(statement))
    finally:
        engine.dispose()
