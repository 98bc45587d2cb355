from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cardsvc import db, web


def test_the_process_says_that_it_lives_and_which_release_it_is(client: FlaskClient) -> None:
    assert client.get("/livez").get_json() == {"status": "ok"}
    assert client.get("/version").get_json()["name"] == "cardsvc"


def test_a_city_without_its_database_is_alive_but_not_ready(city: web.City) -> None:
    app = Flask("cardsvc")
    web.init(app, replace(city, engine=db.make_engine("sqlite:////nowhere/at/all.db")))
    answer = app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["checks"]["database"] == "unreachable"
    assert app.test_client().get("/livez").status_code == 200


def test_metrics_count_by_route_and_name_nobody(client: FlaskClient) -> None:
    client.post("/v1/orders/notes/Maria")
    text = client.get("/metrics").text
    assert 'city_requests_total{method="POST",route="/v1/orders/notes/<text>",status="200"} 1.0' in text
    assert "Maria" not in text


@pytest.mark.parametrize(
    ("address", "headers"), [("192.0.2.7", {}), ("127.0.0.1", {"X-Forwarded-For": "192.0.2.7"}), ("", {})]
)
def test_metrics_are_for_this_machine_alone(client: FlaskClient, address: str, headers: dict[str, str]) -> None:
    answer = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})
    assert answer.status_code == 403
