"""Exports of evidence in tests: written, verified, and damaged."""

from pathlib import Path

import sqlalchemy as sa

from cardsvc import app, audit, db, evidence
from crypto.tlog import TrustPolicy
from tests.town import Town


def export(town: Town, folder: Path) -> Path:
    """A town's evidence, at the log's present head."""
    now = town.clock.now()
    town.run(lambda session: audit.publish(session, town.city.vault, now))
    with db.unit_of_work(town.city.engine, read_only=True) as session:
        evidence.export(session, town.city.vault, folder, program="test", now=now, progress=lambda _done, _all: None)
    return folder


def verify(
    folder: Path, keys_text: str | None = None, *, jobs: int = 1, witnesses: TrustPolicy | None = None
) -> evidence.Verdict:
    return evidence.verify(folder, keys_text=keys_text, permits=app.permits(), jobs=jobs, witnesses=witnesses)


def files(folder: Path) -> list[Path]:
    """Every file of an export, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def tampered(town: Town, folder: Path, table: str, statement: str) -> evidence.Verdict:
    """The verdict over the evidence of a city in whose tables somebody was at work."""
    with town.city.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        else:
            named = sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table")
            for (name,) in connection.execute(named, {"table": table}).all():
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        assert connection.execute(sa.text(statement)).rowcount >= 1, "nothing was tampered with"
    return verify(export(town, folder), town.city.vault.city_keys().format())
