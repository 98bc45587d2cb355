"""SQLite loses its power at any moment: what was acknowledged is there afterwards, and the books hold.

A teller works on a database while everything it writes is recorded; hundreds of disks that a cut could have left are
then put together, opened as the service opens its database, and checked.
"""

import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError

from cardsvc import app, db, ledger
from tests.simulation import banker, disk
from tests.simulation.banker import ACCOUNTS, OPENING_CENTS, Transfer
from tests.simulation.test_bank import TOTAL_CENTS, open_the_bank, whole_lines

ALL_ROOMS = app  # importing it is what fills the metadata with every room's tables
BATCHES = 240
CUTS = 120


class Recorded:
    """A teller's day, and the disk as it was before it."""

    def __init__(self, folder: Path, *, careless: bool = False) -> None:
        self.work = folder / "work"
        self.work.mkdir()
        self.database = self.work / "bank"
        engine = db.make_engine(f"sqlite:///{self.database}")
        db.Base.metadata.create_all(engine)
        db.run(engine, open_the_bank)
        engine.dispose()  # everything is in the one file now
        self.before = self.database.read_bytes()
        assert not Path(f"{self.database}-wal").exists()
        environment = os.environ | {
            "LD_PRELOAD": str(disk.compile_recorder(folder)),
            "RECORD_BELOW": str(self.work),
            "RECORD_TO": str(folder / "record"),
        }
        if careless:
            environment[banker.CARELESS] = "1"
        command = [sys.executable, "-m", "tests.simulation.banker", f"sqlite:///{self.database}", str(self.work)]
        subprocess.run([*command, "1", str(BATCHES)], env=environment, check=True)
        self.steps = disk.read(folder / "record")
        self.tried = {t.entry_id: t for t in map(Transfer.parse, whole_lines(self.work / "1.tried"))}


def acknowledged(text: bytes) -> set[UUID]:
    return {UUID(line.split()[0].decode()) for line in text.splitlines() if line.endswith(b" posted")}


def test_no_cut_takes_back_what_was_acknowledged(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path)
    waits = sum(step.kind == disk.WAIT for step in recorded.steps)
    assert waits >= BATCHES / 2, "every commit waits for the disk; a batch that was refused whole has none"
    assert any(step.name == str(recorded.database) for step in recorded.steps), "the journal was written back meanwhile"
    survived = surviving(recorded, tmp_path, CUTS)
    assert not any(damaged for damaged, _ in survived)
    assert [missing for _, missing in survived if missing] == []


def test_the_simulation_notices_a_database_that_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    recorded = Recorded(tmp_path, careless=True)
    for damaged, missing in surviving(recorded, tmp_path, 20):
        if damaged or missing:
            return
    pytest.fail("a database that never waits for the disk survived every cut")


def surviving(recorded: Recorded, folder: Path, cuts: int) -> list[tuple[bool, set[UUID]]]:
    """For each cut: whether the books were damaged, and what had been acknowledged and is gone."""
    chance = random.Random(7)
    moments = set(chance.sample(range(1, len(recorded.steps)), cuts))
    files: dict[str, disk.File] = {str(recorded.database): disk.File(bytearray(recorded.before))}
    told = bytearray()  # what the teller has told the world
    found: list[tuple[bool, set[UUID]]] = []
    for moment, step in enumerate(recorded.steps):
        if moment in moments:
            found.append(_open(recorded, files, acknowledged(bytes(told)), folder / f"cut-{moment}", chance))
        if step.name.endswith(".done"):
            told += step.data
        elif not step.name.endswith((".tried", "-shm")):
            files.setdefault(step.name, disk.File()).take(step)
    return found


def _open(
    recorded: Recorded, files: dict[str, disk.File], told: set[UUID], folder: Path, chance: random.Random
) -> tuple[bool, set[UUID]]:
    folder.mkdir()
    for name, file in files.items():
        (folder / Path(name).name).write_bytes(file.after_a_cut(chance))
    engine = db.make_engine(f"sqlite:///{folder / 'bank'}")
    try:
        with db.unit_of_work(engine) as session:
            ledger.check_books(session)
            kept = {entry.entry_id: entry for entry in ledger.entries(session, limit=10_000_000)}
            balances = ledger.balances(session, ACCOUNTS)
            whole = session.connection().exec_driver_sql("PRAGMA integrity_check").scalar()
    except (DBAPIError, sqlite3.DatabaseError, ledger.BooksDoNotBalance):
        return True, set()
    finally:
        engine.dispose()
    for path in folder.iterdir():
        path.unlink()
    assert whole == "ok"
    assert sum(balances.values()) == TOTAL_CENTS == OPENING_CENTS * len(ACCOUNTS)
    moved = {entry_id: entry for entry_id, entry in kept.items() if entry_id.int > len(ACCOUNTS)}
    for entry_id, entry in moved.items():
        transfer = recorded.tried[entry_id]
        assert [line.amount_cents for line in entry.lines] == [transfer.cents, -transfer.cents]
    return False, told - moved.keys()
