"""The edge: tokens, cookies, redirects, and what a wrong password does."""

import base64
import functools
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Engine
from werkzeug.test import TestResponse

from cardsvc import access, db, web
from cardsvc import app as application
from cardsvc.clock import FixedClock
from cardsvc.settings import CHEAP, Environment
from cardsvc.vault import Vault
from crypto.wire.body import Body
from crypto.wire.finance import ShiftOpened
from crypto.wire.ids import uuid7
from crypto.wire.transaction import NO_PREVIOUS, Record, Reversal
from tests import builders
from tests.builders import PASSWORD


@pytest.fixture
def ana(city: web.City) -> access.StaffMember:
    return db.run(
        city.engine, lambda session: builders.make_staff(session, city.clock.now(), "cashier", username="ana")
    )


def sign_in(client: FlaskClient, username: str = "ana", password: str = PASSWORD) -> str:
    answer = client.post("/v1/sign-in", json={"username": username, "password": password})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def post_form(client: FlaskClient, path: str, **fields: str) -> TestResponse:
    page = client.get("/sign-in").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    return client.post(path, data={"csrf_token": token, **fields})


def test_a_program_signs_in_and_out(client: FlaskClient, ana: access.StaffMember) -> None:
    token = sign_in(client)
    assert client.delete("/v1/sign-in", headers=bearer(token)).status_code == 204
    answer = client.delete("/v1/sign-in", headers=bearer(token))
    assert (answer.status_code, answer.get_json()["code"]) == (401, "not_signed_in")


def test_wrong_passwords_are_counted_although_the_request_failed(client: FlaskClient, ana: access.StaffMember) -> None:
    for _ in range(10):
        answer = client.post("/v1/sign-in", json={"username": "ana", "password": "wrong"})
        assert (answer.status_code, answer.get_json()["code"]) == (401, "invalid_credentials")
    answer = client.post("/v1/sign-in", json={"username": "ana", "password": PASSWORD})
    assert (answer.status_code, answer.get_json()["code"]) == (429, "too_many_attempts")


def test_a_user_name_that_no_database_can_hold_is_nobodys(client: FlaskClient) -> None:
    assert post_form(client, "/sign-in", username="an\0a", password=PASSWORD).status_code == 401
    answer = client.post("/v1/sign-in", json={"username": "an\0a", "password": PASSWORD})
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_fields")


def test_use_keeps_a_sign_in_alive(client: FlaskClient, ana: access.StaffMember, clock: FixedClock) -> None:
    token = sign_in(client)
    for _ in range(3):
        clock.advance(timedelta(minutes=10))
        assert client.post("/v1/signatures", headers=bearer(token), json={}).status_code == 422
    clock.advance(timedelta(minutes=15))
    assert client.post("/v1/signatures", headers=bearer(token), json={}).status_code == 401


def test_the_api_takes_no_cookie_and_pages_take_no_bearer_token(client: FlaskClient, ana: access.StaffMember) -> None:
    token = sign_in(client)
    client.set_cookie("city", token)
    assert client.delete("/v1/sign-in").status_code == 401
    client.delete_cookie("city")
    assert client.get("/account", headers=bearer(token)).status_code == 302


def test_a_person_signs_in_by_the_page_and_is_sent_where_they_wanted(
    client: FlaskClient, ana: access.StaffMember
) -> None:
    asked = client.get("/account")
    assert asked.location == "/sign-in?next=/account"
    answer = post_form(client, "/sign-in", username="ana", password=PASSWORD, next="/account")
    assert answer.status_code == 302
    assert answer.location == "/account"
    page = client.get("/account")
    assert page.status_code == 200
    assert ana.full_name in page.text


@pytest.mark.parametrize("destination", ["https://evil.example", "//evil.example", "/\\evil.example", "evil"])
def test_nobody_is_sent_on_to_a_foreign_site(client: FlaskClient, ana: access.StaffMember, destination: str) -> None:
    answer = post_form(client, "/sign-in", username="ana", password=PASSWORD, next=destination)
    assert answer.location == "/account"


def test_the_cookie_is_for_the_server_alone(client: FlaskClient, ana: access.StaffMember) -> None:
    answer = post_form(client, "/sign-in", username="ana", password=PASSWORD)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("city=")
    for part in ("HttpOnly", "SameSite=Lax", "Path=/"):
        assert part in cookie


def test_a_form_from_elsewhere_signs_nobody_in(client: FlaskClient, ana: access.StaffMember) -> None:
    assert client.post("/sign-in", data={"username": "ana", "password": PASSWORD}).status_code == 400


def test_a_wrong_password_on_the_page_says_so_and_no_more(client: FlaskClient, ana: access.StaffMember) -> None:
    answers = [post_form(client, "/sign-in", username=name, password="wrong") for name in ("ana", "nobody")]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert all("The user name or the password is wrong" in answer.text for answer in answers)


def test_signing_out_everywhere_ends_every_sign_in(client: FlaskClient, ana: access.StaffMember) -> None:
    token = sign_in(client)
    post_form(client, "/sign-in", username="ana", password=PASSWORD)
    page = client.get("/account").text
    form_token = page.split('name="csrf_token" value="')[1].split('"')[0]
    client.post("/account/sign-ins/end", data={"csrf_token": form_token})
    assert client.get("/account").status_code == 302
    assert client.delete("/v1/sign-in", headers=bearer(token)).status_code == 401


def test_guessing_the_password_with_a_stolen_token_ends_it(
    client: FlaskClient, ana: access.StaffMember, clock: FixedClock
) -> None:
    token, record = sign_in(client), _record(ana, clock)
    body = {"password": "wrong", "record": record}
    for _ in range(10):
        answer = client.post("/v1/signatures", headers=bearer(token), json=body)
        assert (answer.status_code, answer.get_json()["code"]) == (403, "wrong_password")
    assert client.post("/v1/signatures", headers=bearer(token), json=body).status_code == 401


def test_a_staff_member_signs_a_record_that_names_them(
    client: FlaskClient, ana: access.StaffMember, clock: FixedClock
) -> None:
    body = {"password": PASSWORD, "record": _record(ana, clock)}
    answer = client.post("/v1/signatures", headers=bearer(sign_in(client)), json=body)
    assert (answer.status_code, set(answer.get_json())) == (201, {"authorisation"})


def test_passwords_are_checked_while_somebody_writes(
    client: FlaskClient, city: web.City, ana: access.StaffMember, clock: FixedClock
) -> None:
    """A check takes its time and anybody may ask for it: it must not need the one writer's place."""
    headers, now = bearer(sign_in(client)), clock.now()
    body = {"password": PASSWORD, "record": _record(ana, clock)}
    with db.unit_of_work(city.engine) as writer:
        access.forget_expired(writer, now)
        assert client.post("/v1/signatures", headers=headers, json=body).status_code == 201
        check = functools.partial(access.check_password, random_bytes=city.random_bytes, cost=CHEAP)
        account = db.run(city.engine, lambda session: check(session, "ana", PASSWORD, now), read_only=True)
    assert account.subject_id == ana.id


def test_nobody_signs_a_record_in_anothers_name(
    client: FlaskClient, city: web.City, ana: access.StaffMember, clock: FixedClock
) -> None:
    db.run(city.engine, lambda session: builders.make_staff(session, clock.now(), "cashier", username="ben"))
    body = {"password": PASSWORD, "record": _record(ana, clock)}
    answer = client.post("/v1/signatures", headers=bearer(sign_in(client, "ben")), json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (403, "not_your_record")


def test_a_record_that_names_no_signer_is_not_signed_for_a_counter(
    client: FlaskClient, ana: access.StaffMember, clock: FixedClock
) -> None:
    reversal = _record(ana, clock, Reversal(uuid7(db.to_ms(clock.now()), bytes(10)), "a mistake"))
    body = {"password": PASSWORD, "record": reversal}
    answer = client.post("/v1/signatures", headers=bearer(sign_in(client)), json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "not_signable")


def test_demo_accounts_do_not_sign_in_in_production(
    engine: Engine,
    vault: Vault,
    clock: FixedClock,
    random_bytes: Callable[[int], bytes],
) -> None:
    city = builders.make_city(
        engine, vault, clock, random_bytes=random_bytes, env=Environment.PRODUCTION, public_url="https://localhost"
    )
    db.run(
        engine,
        lambda session: access.add_staff(
            session,
            username="demo",
            full_name="Demo",
            roles=["clerk"],
            password=PASSWORD,
            now=clock.now(),
            random_bytes=random_bytes,
            cost=city.settings.password_cost,
            demo=True,
        ),
    )
    client = application.app_of(city).test_client()
    answer = client.post("/v1/sign-in", json={"username": "demo", "password": PASSWORD}, base_url="https://localhost")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "demo_credentials_refused")


def _record(signer: access.StaffMember, clock: FixedClock, body: Body | None = None) -> str:
    body = body or ShiftOpened(signer.id, 0, "PHP")
    now_ms = db.to_ms(clock.now())
    record = Record.of(
        body,
        record_id=uuid7(now_ms, bytes(10)),
        terminal_id=uuid7(now_ms, bytes(10)),
        sequence=1,
        previous=NO_PREVIOUS,
        at_ms=now_ms,
    )
    return base64.urlsafe_b64encode(record.encode()).rstrip(b"=").decode()
