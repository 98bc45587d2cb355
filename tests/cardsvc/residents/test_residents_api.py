"""The register over HTTP and from the command line."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cardsvc import db, residents, web
from cardsvc.residents import api
from cardsvc.residents import commands as residents_commands
from tests.builders import app_with, staff_token

MARIA = {
    "family_name": "Dela Cruz",
    "given_name": "Maria",
    "birth_date": "1985-06-01",
    "sex": "F",
    "barangay_code": "BR-07",
    "address": "12 Mabini St.",
    "mobile": "09171234567",
}
HEADING = "family_name,given_name,middle_name,birth_date,sex,barangay_code,address,mobile"


class Above:
    """The room above that opens wallets: it remembers whose."""

    def __init__(self) -> None:
        self.registered: list[UUID] = []

    def __call__(self, _session: Session, resident_ids: Sequence[UUID], _now: datetime) -> None:
        self.registered += resident_ids


@pytest.fixture
def above() -> Above:
    return Above()


@pytest.fixture
def client(city: web.City, above: Above) -> FlaskClient:
    return app_with(city, api.make(above)).test_client()


@pytest.fixture
def clerk(city: web.City, client: FlaskClient) -> dict[str, str]:
    return staff_token(city, client, "clerk")


def test_a_clerk_registers_and_finds_a_resident(client: FlaskClient, clerk: dict[str, str], above: Above) -> None:
    made = client.post("/v1/residents", json=MARIA, headers=clerk)
    assert made.status_code == 201, made.text
    assert made.get_json()["name"] == "Maria Dela Cruz"
    assert made.get_json()["mobile"] == "+639171234567"
    assert above.registered == [UUID(made.get_json()["id"])]
    for text in (made.get_json()["number"], "maria cruz"):
        found = client.get("/v1/residents", query_string={"q": text}, headers=clerk)
        assert found.json == {"residents": [made.json], "next": None}
    assert client.get(f"/v1/residents/{made.get_json()['id']}", headers=clerk).json == made.json


def test_a_duplicate_is_refused_until_it_is_confirmed(client: FlaskClient, clerk: dict[str, str]) -> None:
    number = client.post("/v1/residents", json=MARIA, headers=clerk).get_json()["number"]
    answer = client.post("/v1/residents", json=MARIA, headers=clerk)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "duplicate_resident")
    assert number in answer.get_json()["detail"]
    answer = client.post("/v1/residents", json={**MARIA, "confirmed_distinct": True}, headers=clerk)
    assert answer.status_code == 201


def test_what_is_wrong_is_named_by_field(client: FlaskClient, clerk: dict[str, str]) -> None:
    answer = client.post("/v1/residents", json={**MARIA, "birth_date": "2099-01-01"}, headers=clerk)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_registration")
    assert set(answer.get_json()["errors"]) == {"birth_date"}
    answer = client.get("/v1/residents", query_string={"q": "MK-000123-5"}, headers=clerk)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_resident_number")
    answer = client.get(f"/v1/residents/{UUID(int=1)}", headers=clerk)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "resident_not_found")


def test_a_status_is_changed_with_a_reason(client: FlaskClient, clerk: dict[str, str]) -> None:
    resident_id = client.post("/v1/residents", json=MARIA, headers=clerk).get_json()["id"]
    path = f"/v1/residents/{resident_id}/status"
    answer = client.post(path, json={"status": "moved", "reason": "to Cebu"}, headers=clerk)
    assert (answer.status_code, answer.get_json()["status"]) == (200, "moved")
    assert client.post(path, json={"status": "moved"}, headers=clerk).status_code == 422


def test_only_staff_of_the_register_get_in(city: web.City, client: FlaskClient) -> None:
    assert client.get("/v1/residents", query_string={"q": "a"}).status_code == 401
    cashier = staff_token(city, client, "cashier")
    assert client.get("/v1/residents", query_string={"q": "a"}, headers=cashier).status_code == 403
    officer = staff_token(city, client, "card_officer")
    assert client.get("/v1/residents", query_string={"q": "a"}, headers=officer).status_code == 200
    assert client.post("/v1/residents", json=MARIA, headers=officer).status_code == 403


# ------------------------------------------------------------------------------------------------------ command line


class Shell:
    def __init__(self, city: web.City, above: Above, folder: Path) -> None:
        self.city, self.above, self.folder = city, above, folder

    def import_(self, *lines: str, dry_run: bool = False) -> tuple[int, dict[str, object]]:
        """Exit code and the JSON printed."""
        file = self.folder / "people.csv"
        file.write_text("\n".join(lines), encoding="utf-8")
        arguments = ["import", str(file), "--json", *(["--dry-run"] if dry_run else [])]
        result = CliRunner().invoke(residents_commands.make(self.above), arguments, obj=lambda: self.city)
        return result.exit_code, json.loads(result.stdout)

    def people(self) -> int:
        with db.unit_of_work(self.city.engine, read_only=True) as session:
            return len(residents.search(session, "a").residents) + len(residents.search(session, "j").residents)


@pytest.fixture
def shell(city: web.City, above: Above, tmp_path: Path) -> Shell:
    return Shell(city, above, tmp_path)


GOOD = ("Abad,Ana,,1990-01-02,F,BR-01,1 Rizal St.,", "Abad,Jose,Cruz,1991-01-02,m,BR-01,1 Rizal St.,09171234567")


def test_a_file_is_taken_in_whole(shell: Shell) -> None:
    assert shell.import_(HEADING, *GOOD) == (0, {"registered": 2, "dry_run": False, "errors": {}})
    assert len(shell.above.registered) == 2
    code, again = shell.import_(HEADING, *GOOD)
    assert code == 1
    assert set(again["errors"]) == {"row 1", "row 2"}  # type: ignore[call-overload]


def test_one_wrong_row_keeps_everybody_out(shell: Shell) -> None:
    code, told = shell.import_(HEADING, GOOD[0], "Abad,Jose,,1991-13-02,M,BR-01,x,", "Abad,Joy,,1991-01-02,Q,B,x,")
    assert code == 1
    assert set(told["errors"]) == {"row 2", "row 3"}  # type: ignore[call-overload]
    code, told = shell.import_(HEADING, GOOD[0], "Abad,,,1991-01-02,M,BR-01,,")
    assert set(told["errors"]) == {"row 2: given_name", "row 2: address"}  # type: ignore[call-overload]
    assert shell.people() == 0


def test_a_dry_run_checks_everything_and_writes_nothing(shell: Shell) -> None:
    assert shell.import_(HEADING, *GOOD, dry_run=True) == (0, {"registered": 2, "dry_run": True, "errors": {}})
    assert shell.people() == 0


def test_a_file_that_is_no_register_is_refused(shell: Shell) -> None:
    for lines in (("a,b", "1,2"), ("",), (HEADING, '"unclosed')):
        code, told = shell.import_(*lines)
        assert code == 1, lines
        assert told["errors"]


def test_residents_are_found_from_the_command_line(shell: Shell) -> None:
    shell.import_(HEADING, *GOOD)
    commands = residents_commands.make(shell.above)
    result = CliRunner().invoke(commands, ["find", "abad ana", "--json"], obj=lambda: shell.city)
    assert [one["name"] for one in json.loads(result.stdout)["residents"]] == ["Ana Abad"]
    result = CliRunner().invoke(commands, ["find", "nobody"], obj=lambda: shell.city)
    assert result.stdout == "Nobody found.\n"
