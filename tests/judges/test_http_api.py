# flask-smorest has no types
# mypy: disable-error-code="untyped-decorator"
"""Foreign tools judge the HTTP API (judges: openapi-spec-validator 0.9, schemathesis 4.32)."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

from cardsvc import web
from tests import builders
from tests.judges.http_api import NOTHING_KNOWN, ask_everything, serving, settle, valid_document
from tests.town import Town

pytestmark = pytest.mark.judge

_PG = pytest.mark.postgres
# The two databases take turns, for each refuses other things. Whoever asks is kept to the paths that are theirs, or
# the suite would wait for minutes; with CITY_JUDGE_EXAMPLES they ask everything.
CALLERS = [
    pytest.param("sqlite", (), "^/log|/(transactions|queries|receipts|keys|policy|sign-in|enrol|tariff)", id="nobody"),
    pytest.param(
        *("postgresql", ("admin", "card_officer", "clerk"), "^/v1/(cards|residents|devices|signatures)"),
        id="a-counter",
        marks=_PG,
    ),
    pytest.param(
        *("postgresql", ("auditor", "benefits_officer", "finance", "treasurer"), "^/v1/(finance|taxes|benefits)"),
        id="an-office",
        marks=_PG,
    ),
    pytest.param("sqlite", ("benefits_approver", "cashier"), "^/v1/(benefits|taxes|cards)", id="an-approver"),
]
ONE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)


def write(folder: Path, document: dict[str, Any]) -> Path:
    path = folder / "openapi.json"
    path.write_text(json.dumps(document))
    return path


@ONE
def test_the_document_is_openapi_3_1(client: FlaskClient, tmp_path: Path) -> None:
    judged = valid_document(write(tmp_path, client.get("/v1/openapi.json").get_json()))
    assert judged.returncode == 0, judged.stdout + judged.stderr


@ONE
def test_a_document_that_is_not_is_found(client: FlaskClient, tmp_path: Path) -> None:
    document = client.get("/v1/openapi.json").get_json()
    document["paths"]["/v1/keys"]["get"]["responses"] = "what pleases us"
    assert valid_document(write(tmp_path, document)).returncode == 1


@pytest.mark.parametrize(("backend", "roles", "theirs"), CALLERS, indirect=["backend"])
def test_every_answer_is_as_the_document_says(
    app: Flask, town: Town, tmp_path: Path, roles: tuple[str, ...], theirs: str
) -> None:
    known = settle(town)
    headers = town.token(*roles) if roles else {}
    with serving(app) as address:
        judged = ask_everything(address, known, tmp_path, headers=headers, examples=3, only=theirs)
    assert judged.returncode == 0, judged.stdout + judged.stderr


@ONE
def test_routes_that_answer_what_they_did_not_say_are_found(city: web.City, tmp_path: Path) -> None:
    planted = web.ApiBlueprint("planted", __name__, url_prefix="/v1/planted")

    def plant(name: str, status: int, body: str) -> None:
        @planted.get(f"/{name}", endpoint=name)
        @planted.response(200, {"type": "object"})
        def answer() -> Response:
            return Response(body, status, mimetype="application/json")

    plant("honest", 200, "{}")
    plant("undocumented", 409, "{}")
    plant("broken", 500, "{}")
    plant("shapeless", 200, "[]")
    with serving(builders.app_with(city, planted)) as address:
        judged = ask_everything(address, NOTHING_KNOWN, tmp_path, headers={}, examples=1, only="^/v1/planted/")
    assert judged.returncode == 1, judged.stdout + judged.stderr
    heads = re.findall(r"_ GET /v1/planted/(\w+) _|^- ST\d+ (.+)$", judged.stdout, re.MULTILINE)
    assert [place or finding for place, finding in heads] == [
        *("broken", "Server error", "Undocumented status code"),
        *("shapeless", "Response violates schema"),
        *("undocumented", "Undocumented status code"),
    ]
