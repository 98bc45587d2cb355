"""`./city story`: one resident's life on real parts, as a process, on both databases, also with the service killed."""

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo.processes import ROOT, environment
from demo.story.play import NAMES
from demo.story.stage import PREFIX
from tests import judging, postgres


@dataclass(frozen=True, slots=True)
class Told:
    """What the process said: its exit status, and the one object on its standard output."""

    code: int
    report: dict[str, Any]
    errors: str

    def failures(self) -> list[Any]:
        told = [*self.report.get("steps", []), *self.report.get("checks", [])]
        return [one for one in told if not one["ok"]]


def play(temporary: Path, *arguments: str, **city: str) -> Told:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "story", "--json", *arguments],
        env={**environment(**city), "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Told(done.returncode, json.loads(done.stdout or "{}"), done.stderr)


def assert_whole(told: Told, temporary: Path) -> None:
    assert told.code == 0, told.failures() or told.errors
    assert told.report["ok"]
    assert [step["name"] for step in told.report["steps"]] == list(NAMES)
    assert told.failures() == []
    assert list(temporary.glob(f"{PREFIX}*")) == []


@pytest.fixture
def temporary() -> Any:
    """A short folder of this test's own: a socket's address has room for 108 bytes."""
    with tempfile.TemporaryDirectory(prefix="st-") as folder:
        yield Path(folder)


@pytest.mark.pcsc
def test_the_story_holds_on_sqlite_through_pcscd(temporary: Path) -> None:
    if os.environ.get("CITY_PCSC") == "off":
        judging.missing("PC/SC is switched off by CITY_PCSC=off")
    judging.require("pcscd")
    told = play(temporary)
    assert_whole(told, temporary)
    assert "pcscd" in told.report["steps"][0]["details"]["readers"]


def test_nothing_is_lost_and_nothing_doubled_when_the_service_is_killed_in_every_step(temporary: Path) -> None:
    told = play(temporary, "--kill-at", "every", PCSC="off")
    assert_whole(told, temporary)
    assert {step["details"]["attempts"] for step in told.report["steps"]} == {2}


@pytest.mark.postgres
def test_the_story_holds_on_postgresql_and_leaves_its_tables_alone(
    temporary: Path, postgres_server: postgres.Server, fresh_postgres_url: str
) -> None:
    told = play(temporary, PCSC="off", DATABASE_URL=fresh_postgres_url)
    assert_whole(told, temporary)
    database = fresh_postgres_url.partition("@/")[2].partition("?")[0]
    with psycopg.connect(host=str(postgres_server.socket_dir), user="cardsvc", dbname=database) as session:
        left = session.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'story%'").fetchall()
        tables = session.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert (left, tables) == ([], [])
