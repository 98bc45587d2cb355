"""Exports of evidence in tests: written, verified, and damaged."""

from pathlib import Path

from cardsvc import app, audit, db, evidence
from tests.town import Town


def export(town: Town, folder: Path) -> Path:
    """A town's evidence, at the log's present head."""
    now = town.clock.now()
    town.run(lambda session: audit.publish(session, town.city.vault, now))
    with db.unit_of_work(town.city.engine, read_only=True) as session:
        evidence.export(session, town.city.vault, folder, program="test", now=now, progress=lambda _done, _all: None)
    return folder


def verify(folder: Path, keys_text: str | None = None, *, jobs: int = 1) -> evidence.Verdict:
    return evidence.verify(folder, keys_text=keys_text, permits=app.permits(), jobs=jobs)


def files(folder: Path) -> list[Path]:
    """Every file of an export, in a fixed order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
