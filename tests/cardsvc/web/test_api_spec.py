import base64
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from cardsvc import web
from tests.cardsvc.web.conftest import OrderSchema

PROBLEM = "#/components/schemas/Problem"
KEY = "0190f5d2-7a3b-7c1d-8e4f-0123456789ab"


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }


def test_the_document_says_openapi_3_1_and_how_each_operation_fails(client: FlaskClient) -> None:
    document: dict[str, Any] = client.get("/v1/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    for failure in document["components"]["responses"].values():
        assert failure["content"] == {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
    for operation in operations(document).values():
        assert "default" not in operation["responses"]  # it would promise anything
        assert operation["responses"]["503"] == {"$ref": "#/components/responses/SERVICE_UNAVAILABLE"}


def test_the_document_knows_who_must_sign_in_what_needs_a_key_and_what_may_be_missing(app: Flask) -> None:
    of = operations(app.test_client().get("/v1/openapi.json").get_json())
    deposit, receipt, keys = of["post /v1/finance/deposits"], of["get /v1/receipts/{record_id}"], of["get /v1/keys"]
    assert deposit["security"] == [{"token": []}]
    assert {"400", "401", "403", "409", "413", "422", "429", "503"} <= set(deposit["responses"])
    [key] = deposit["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("Idempotency-Key", "header", True)
    assert "security" not in receipt
    assert set(receipt["responses"]) == {"200", "404", "503"}
    assert set(keys["responses"]) == {"200", "503"}


@pytest.mark.parametrize("sent", [KEY, f'"{KEY}"', KEY.upper()])
def test_the_idempotency_key_is_a_uuid_bare_or_in_quotes(client: FlaskClient, sent: str) -> None:
    answer = client.post("/v1/orders", json={"amount_cents": 1}, headers={"Idempotency-Key": sent})
    assert answer.status_code == 200


@pytest.mark.parametrize("sent", ["1", KEY[:-1], f"{{{KEY}}}", KEY.replace("-", ""), f'"{KEY}', "urn:uuid:" + KEY])
def test_any_other_key_is_refused(client: FlaskClient, sent: str) -> None:
    answer = client.post("/v1/orders", json={"amount_cents": 1}, headers={"Idempotency-Key": sent})
    assert (answer.status_code, answer.get_json(force=True)["code"]) == (400, "idempotency_key_malformed")


@given(st.binary(max_size=40))
def test_bytes_have_one_spelling_and_come_back(value: bytes) -> None:
    class Holder(web.ApiSchema):
        value = web.bytes_field(required=True)

    spelled = base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    assert Holder().load({"value": spelled}) == {"value": value}
    assert Holder().dump({"value": value}) == {"value": spelled}
    for other in (spelled + "=", " " + spelled, spelled + "\n"):
        with pytest.raises(ValidationError):
            Holder().load({"value": other})


@pytest.mark.parametrize("spelled", ["AB", "AAB", "A", "+/+/", "AA==", "A A"])
def test_a_second_spelling_of_bytes_is_refused(spelled: str) -> None:
    with pytest.raises(ValidationError):
        web.bytes_field().deserialize(spelled)


@pytest.mark.parametrize(("size", "characters"), [(0, 0), (1, 2), (2, 3), (3, 4), (32, 43), (64, 86)])
def test_the_document_counts_bytes_as_they_are_spelled(size: int, characters: int) -> None:
    assert len(base64.urlsafe_b64encode(bytes(size)).rstrip(b"=")) == characters
    shown = web.bytes_field(size=size, metadata={"description": "why"}).metadata
    assert (shown["minLength"], shown["maxLength"], shown["description"]) == (characters, characters, "why")
    assert "minLength" not in web.bytes_field(size_max=size).metadata


@pytest.mark.parametrize("value", [0, 1, "true", "yes", None, [], 1.0])
def test_a_flag_is_true_or_false_and_nothing_like_it(value: object) -> None:
    assert web.Flag().deserialize(True) is True
    with pytest.raises(ValidationError):
        web.Flag().deserialize(value)


@pytest.mark.parametrize("amount", [0, -1, 1.0, "1", None, True, 2**63])
def test_money_is_a_whole_number_of_centavos_above_zero(amount: object) -> None:
    with pytest.raises(ValidationError):
        OrderSchema().load({"amount_cents": amount})


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ValidationError):
        OrderSchema().load({"amount_cents": 1, "amount": 1})
