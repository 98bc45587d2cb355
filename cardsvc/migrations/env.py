"""What Alembic runs, on the connection that the caller holds and commits."""

from typing import Any, Literal

from alembic import context

from cardsvc import db


def _render(kind: str, value: Any, _context: Any) -> str | Literal[False]:
    """Our own column types by their short name, which the template imports."""
    if kind == "type" and isinstance(value, db.UtcDateTime | db.Id):
        return f"db.{type(value).__name__}()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=db.Base.metadata,
    compare_type=True,
    render_item=_render,
    # SQLite changes a table by making it anew; harmless on PostgreSQL.
    render_as_batch=True,
)
context.run_migrations()
