import logging
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cardsvc import web
from cardsvc.errors import ErrorKind
from tests.cardsvc.web.conftest import NOTES

KEY = {"Idempotency-Key": str(uuid5(NAMESPACE_URL, "a key"))}
WHOLE = {"type", "title", "status", "detail", "instance", "code", "trace_id"}


def check_problem(answer: TestResponse, status: int, code: str) -> dict[str, object]:
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    body: dict[str, object] = answer.get_json(force=True)
    assert set(body) - {"errors"} == WHOLE
    assert (body["status"], body["code"]) == (status, code)
    assert body["trace_id"] == answer.headers["X-Request-Id"]
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    return body


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/v1/nowhere", {}, 404, "not_found"),
        ("GET", "/log/nowhere", {}, 404, "not_found"),
        ("PUT", "/v1/orders", {}, 405, "method_not_allowed"),
        ("POST", "/v1/orders", {"data": "{", "content_type": "application/json"}, 400, "bad_request"),
        ("POST", "/v1/orders", {"data": b"x" * (6 << 20), "content_type": "application/json"}, 413, "body_too_large"),
        ("POST", "/v1/orders", {"json": {}}, 422, "invalid_fields"),
        ("POST", "/v1/orders", {"json": {"amount_cents": 1}}, 400, "idempotency_key_missing"),
        ("GET", "/v1/orders/broken/signature", {}, 422, "invalid_signature"),
        ("GET", "/v1/orders/broken/bug", {}, 500, "internal_error"),
    ],
)
def test_every_failure_of_the_api_is_a_problem_document(
    client: FlaskClient, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    check_problem(client.open(path, method=method, **options), status, code)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" * 100_000, 400),
        (b'{"key": ' + b"[" * 50_000, 400),
        (b'{"amount_cents": ' + b"9" * 5_000 + b"}", 400),
        (b'{"amount_cents": 1, "currency": "\\ud800"}', 422),
        (b'{"amount_cents": 1, "currency": "PHP\\u0000"}', 422),
        (b'{"amount_cents": 1, "lines": [{"amount_cents": "\\ud800"}]}', 422),
    ],
)
def test_what_no_parser_and_no_database_can_hold_is_the_callers_mistake(
    client: FlaskClient, body: bytes, status: int
) -> None:
    answer = client.post("/v1/orders", data=body, content_type="application/json", headers=KEY)
    check_problem(answer, status, {400: "bad_request", 422: "invalid_fields"}[status])


def test_each_wrong_field_is_named_by_its_path(client: FlaskClient) -> None:
    sent = {
        "amount_cents": 1.5,
        "currency": "USD",
        "key": "A",
        "more": 1,
        "lines": [{"amount_cents": 1}, {"amount_cents": 0}],
    }
    body = check_problem(client.post("/v1/orders", json=sent), 422, "invalid_fields")
    errors = body["errors"]
    assert isinstance(errors, dict)
    assert set(errors) == {"amount_cents", "currency", "key", "more", "lines.1.amount_cents"}


def test_an_error_of_a_room_keeps_its_code_its_sentence_and_its_fields(client: FlaskClient) -> None:
    body = check_problem(client.post("/v1/orders/notes/raise"), 409, "too_bold")
    assert body["type"] == "urn:city:problem:too_bold"
    assert body["detail"] == "Ask again more humbly."
    assert body["errors"] == {"rows.3": ["This row."]}


def test_the_title_is_in_the_readers_language(client: FlaskClient) -> None:
    english = client.get("/v1/nowhere").get_json(force=True)["title"]
    filipino = client.get("/v1/nowhere", headers={"Accept-Language": "fil-PH,fil;q=0.9"})
    assert english == "Not found"
    assert filipino.get_json(force=True)["title"] == "Hindi nakita"
    assert filipino.headers["Content-Language"] == "fil"


def test_every_kind_of_error_has_a_status() -> None:
    assert set(web.STATUS_OF_KIND) == set(ErrorKind)


def test_a_page_that_fails_is_a_page(client: FlaskClient) -> None:
    for path, status in (("/nowhere", 404), ("/page/broken", 500)):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (status, "text/html")
        assert "<h1" in answer.text
        assert answer.headers["X-Request-Id"] in answer.text
        assert "secret" not in answer.text


def test_a_redirect_is_no_failure(client: FlaskClient) -> None:
    assert client.get("/static/govuk").status_code == 404
    assert client.get("/page").status_code == 200


def notes(city: web.City) -> list[str]:
    with city.engine.connect() as connection:
        return list(connection.scalars(sa.select(NOTES.c.text)))


def test_a_request_is_one_unit_stored_only_when_it_went_well(client: FlaskClient, city: web.City) -> None:
    for text, status in (("kept", 200), ("refuse", 409), ("raise", 409)):
        assert client.post(f"/v1/orders/notes/{text}").status_code == status
    assert notes(city) == ["kept"]


def test_what_somebody_stored_meanwhile_is_a_conflict_not_a_bug(client: FlaskClient, city: web.City) -> None:
    assert client.post("/v1/orders/notes/kept").status_code == 200
    check_problem(client.post("/v1/orders/notes/kept"), 409, "stored_meanwhile")
    assert notes(city) == ["kept"]


def test_a_get_cannot_write(client: FlaskClient, city: web.City) -> None:
    assert client.get("/v1/orders/notes/sneaked").status_code >= 500
    assert notes(city) == []


@pytest.fixture
def quiet() -> Iterator[None]:
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.usefixtures("quiet")
def test_a_broken_statement_is_our_bug_and_not_a_busy_database(client: FlaskClient, city: web.City) -> None:
    NOTES.drop(city.engine)
    check_problem(client.post("/v1/orders/notes/kept"), 500, "internal_error")
