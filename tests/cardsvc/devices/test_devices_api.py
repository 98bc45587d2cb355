"""Terminals over HTTP and from the command line: what a new terminal does, and what an administrator does."""

import json
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from cardsvc import cards, db, devices, web
from cardsvc.clock import FixedClock
from cardsvc.devices import api
from cardsvc.devices import commands as device_commands
from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.wire.policy import FlatFare, OfflineLimits, open_policy
from tests.builders import CLERK, app_with, base64url, make_card, make_device, make_resident, staff_token

LIMITS = OfflineLimits(tap_cents_max=5000, card_day_cents_max=20000, card_day_taps_max=20, policy_age_ms_max=86400000)


def _no_fares(_session: Session, _now: datetime) -> tuple[FlatFare, ...]:
    return ()


SOURCES = devices.PolicySources(
    fares=_no_fares, tariff_version=lambda _session, _now: 0, limits=lambda _session, _now: LIMITS
)


@pytest.fixture
def client(city: web.City) -> FlaskClient:
    return app_with(city, api.make(SOURCES, lambda _session, _ids: {})).test_client()


@pytest.fixture
def admin(city: web.City, client: FlaskClient) -> dict[str, str]:
    return staff_token(city, client, "admin")


def enrolment(code: str, signer: SoftwareSigner) -> dict[str, str]:
    spki = keys.spki(signer.public_key)
    proof = signer.sign(devices.enrolment_statement(code, spki))
    return {"code": code, "public_key": base64url(spki), "proof": base64url(proof)}


def test_a_terminal_enrols_once_and_may_ask_again(client: FlaskClient, admin: dict[str, str]) -> None:
    invited = client.post("/v1/devices/invites", json={"kind": "kiosk", "name": "Lobby"}, headers=admin)
    assert invited.status_code == 201
    body = enrolment(invited.get_json()["code"], SoftwareSigner.generate())
    made = client.post("/v1/devices/enrol", json=body)
    assert made.status_code == 201, made.text
    assert client.post("/v1/devices/enrol", json=body).get_json() == made.get_json()
    other = client.post("/v1/devices/enrol", json=enrolment(body["code"], SoftwareSigner.generate()))
    assert (other.status_code, other.get_json()["code"]) == (403, "invalid_invite")
    [listed] = client.get("/v1/devices", headers=admin).get_json()["devices"]
    assert (listed["id"], listed["kind"], listed["name"]) == (made.get_json()["device_id"], "kiosk", "Lobby")
    path = f"/v1/devices/{listed['id']}/revocation"
    assert client.post(path, json={"reason": "stolen"}, headers=admin).get_json()["status"] == "revoked"


def test_only_an_administrator_invites_and_never_a_portal(
    city: web.City, client: FlaskClient, admin: dict[str, str]
) -> None:
    body = {"kind": "counter", "name": "Window 1"}
    assert client.post("/v1/devices/invites", json=body).status_code == 401
    clerk = staff_token(city, client, "clerk")
    assert client.post("/v1/devices/invites", json=body, headers=clerk).status_code == 403
    portal = {"kind": "portal", "name": "Window 1"}
    assert client.post("/v1/devices/invites", json=portal, headers=admin).status_code == 422


def test_the_policy_is_given_out_while_somebody_writes(city: web.City, client: FlaskClient, clock: FixedClock) -> None:
    assert client.get("/v1/policy").status_code == 200
    with db.unit_of_work(city.engine) as writer:
        make_resident(writer, clock.now())
        assert client.get("/v1/policy").status_code == 200


def test_anybody_may_download_the_signed_policy(city: web.City, client: FlaskClient, clock: FixedClock) -> None:
    def number() -> int:
        answer = client.get("/v1/policy")
        assert (answer.status_code, answer.content_type) == (200, "application/cose")
        return open_policy(answer.data, city.vault.city_keys()).number

    assert [number(), number()] == [1, 1]
    with db.unit_of_work(city.engine) as session:
        card = make_card(session, city.vault, make_resident(session, clock.now()).id, clock.now())
        cards.suspend(session, card.card_id, reason="?", by=CLERK, now=clock.now())
    assert [number(), number()] == [2, 2]


def test_terminals_are_invited_listed_and_retired_from_the_command_line(
    city: web.City, client: FlaskClient, clock: FixedClock
) -> None:
    def run(*arguments: str) -> str:
        result = CliRunner().invoke(device_commands.devices, arguments, obj=lambda: city)
        assert result.exit_code == 0, result.output
        return result.stdout

    assert run("list").startswith("No terminal is enrolled yet")
    told = json.loads(run("invite", "--kind", "validator", "--name", "Jeep 12", "--json"))
    body = enrolment(told["code"], SoftwareSigner.generate())
    device_id = client.post("/v1/devices/enrol", json=body).get_json()["device_id"]
    with db.unit_of_work(city.engine) as session:
        other = make_device(session, city.vault, clock.now(), name="Window 3").device_id
        link = (5, CLERK, bytes(32), bytes(32))
        devices.track(session, other, [link], clock.now() + timedelta(minutes=1))
    listed = {one["id"]: one for one in json.loads(run("list", "--json"))["devices"]}
    assert (listed[device_id]["kind"], listed[device_id]["anomalies"]) == ("validator", 0)
    assert (listed[str(other)]["last_sequence"], listed[str(other)]["anomalies"]) == (5, 1)
    assert "1 anomalies" in run("list")
    assert run("revoke", device_id, "--reason", "retired") == "Jeep 12 is out of service.\n"
