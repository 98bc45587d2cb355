"""What the tests of the register share: the rooms above, and the command line on a city of the test's own."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from sqlalchemy.orm import Session

from cardsvc import db, residents, web
from cardsvc.residents import commands

HEADING = "family_name,given_name,middle_name,birth_date,sex,barangay_code,address,mobile"


class Above:
    """The rooms above: they remember whose wallets they opened, and hold what a test says they do."""

    def __init__(self) -> None:
        self.registered: list[UUID] = []
        self.held: dict[UUID, list[str]] = {}

    def __call__(self, _session: Session, resident_ids: Sequence[UUID], _now: datetime) -> None:
        self.registered += resident_ids

    def holdings(self, _session: Session, resident_id: UUID, _now: datetime) -> Sequence[str]:
        return self.held.get(resident_id, [])


class Shell:
    """`./city residents`, on the city of the test."""

    def __init__(self, city: web.City, above: Above, folder: Path) -> None:
        self.city, self.above, self.folder = city, above, folder

    def run(self, *arguments: str) -> tuple[int, Any]:
        """Exit code and the JSON printed."""
        made = commands.make(self.above, self.above.holdings)
        result = CliRunner().invoke(made, [*arguments, "--json"], obj=lambda: self.city, catch_exceptions=False)
        return result.exit_code, json.loads(result.stdout)

    def take(self, *lines: str, options: Sequence[str] = (), name: str = "people.csv") -> tuple[int, Any]:
        """Import a file of these lines."""
        return self.take_bytes("\n".join(lines).encode(), *options, name=name)

    def take_bytes(self, content: bytes, *options: str, name: str = "people.csv") -> tuple[int, Any]:
        file = self.folder / name
        file.write_bytes(content)
        return self.run("import", str(file), *options)

    def people(self) -> dict[str, residents.Resident]:
        """Everybody in the register, by number."""
        with db.unit_of_work(self.city.engine, read_only=True) as session:
            found = (residents.find_by_number(session, residents.number_of(serial)) for serial in range(1, 100))
            return {one.number: one for one in _until_missing(found)}


def _until_missing(found: Any) -> Any:
    try:
        yield from found
    except residents.ResidentNotFound:
        return


@pytest.fixture
def above() -> Above:
    return Above()


@pytest.fixture
def shell(city: web.City, above: Above, tmp_path: Path) -> Shell:
    return Shell(city, above, tmp_path)
