"""The register over HTTP and from the command line."""

from uuid import UUID

import pytest
from flask.testing import FlaskClient

from cardsvc import web
from cardsvc.residents import api
from tests.builders import app_with, staff_token
from tests.cardsvc.residents.conftest import Above

MARIA = {
    "family_name": "Dela Cruz",
    "given_name": "Maria",
    "birth_date": "1985-06-01",
    "sex": "F",
    "barangay_code": "BR-07",
    "address": "12 Mabini St.",
    "mobile": "09171234567",
}


@pytest.fixture
def client(city: web.City, above: Above) -> FlaskClient:
    return app_with(city, api.make(above, above.holdings, lambda _session, _ids: {})).test_client()


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
