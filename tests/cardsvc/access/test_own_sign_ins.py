"""One's own sign-ins: seen, ended, limited by name and by address; passwords end where cards begin."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc import access, db, web
from cardsvc import app as application
from cardsvc.access.models import Challenge, Passkey, StaffCard
from cardsvc.access.rules import CHALLENGES_MAX
from cardsvc.clock import FixedClock
from cardsvc.settings import CHEAP, SignInSettings, StaffPasswords
from tests import builders
from tests.builders import PASSWORD

RandomBytes = Callable[[int], bytes]


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    return clock.now()


@pytest.fixture
def ana(city: web.City) -> access.StaffMember:
    now = city.clock.now()
    return db.run(city.engine, lambda session: builders.make_staff(session, now, "cashier", username="ana"))


def sign_in(client: FlaskClient, username: str = "ana", **headers: str) -> dict[str, str]:
    answer = client.post("/v1/sign-in", json={"username": username, "password": PASSWORD}, headers=headers)
    assert answer.status_code == 201, answer.text
    return {"Authorization": f"Bearer {answer.get_json()['token']}"}


def own(client: FlaskClient, header: dict[str, str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = client.get("/v1/me/sign-ins", headers=header).get_json()["sign_ins"]
    return found


def test_a_person_sees_their_sign_ins_and_ends_one(
    client: FlaskClient, ana: access.StaffMember, clock: FixedClock
) -> None:
    old = sign_in(client, **{"User-Agent": "An old counter"})
    clock.advance(timedelta(minutes=3))
    new = sign_in(client)
    assert [(one["method"], one["agent"]) for one in own(client, new)][1] == ("password", "An old counter")
    handle = own(client, new)[1]["handle"]
    assert client.delete(f"/v1/me/sign-ins/{handle}", headers=new).status_code == 204
    assert client.get("/v1/me/sign-ins", headers=old).status_code == 401
    assert len(own(client, new)) == 1
    assert client.delete(f"/v1/me/sign-ins/{handle}", headers=new).status_code == 404


def test_nobody_ends_the_sign_in_of_another(client: FlaskClient, ana: access.StaffMember, city: web.City) -> None:
    now = city.clock.now()
    db.run(city.engine, lambda session: builders.make_staff(session, now, "clerk", username="ben"))
    of_ana, of_ben = sign_in(client), sign_in(client, "ben")
    (found,) = own(client, of_ana)
    assert client.delete(f"/v1/me/sign-ins/{found['handle']}", headers=of_ben).status_code == 404
    assert client.get("/v1/me/sign-ins", headers=of_ana).status_code == 200


def test_everywhere_means_here_too(client: FlaskClient, ana: access.StaffMember) -> None:
    first, second = sign_in(client), sign_in(client)
    assert client.delete("/v1/me/sign-ins", headers=second).status_code == 204
    for header in (first, second):
        assert client.get("/v1/me/sign-ins", headers=header).status_code == 401


def test_a_sign_in_that_ran_out_is_not_listed(client: FlaskClient, ana: access.StaffMember, clock: FixedClock) -> None:
    sign_in(client)
    clock.advance(timedelta(minutes=15))
    assert len(own(client, sign_in(client))) == 1


def test_who_answers_401_says_how_to_sign_in(client: FlaskClient) -> None:
    answer = client.get("/v1/me/sign-ins")
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="city"')


def test_showing_again_who_one_is_gives_a_new_token_and_ends_the_old(
    client: FlaskClient, ana: access.StaffMember, clock: FixedClock
) -> None:
    def enter(path: str) -> str:
        page = client.get(path).text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        answer = client.post(path, data={"csrf_token": token, "username": "ana", "password": PASSWORD})
        assert answer.status_code == 302
        return str(answer.headers["Set-Cookie"].split("city=")[1].split(";")[0])

    first = enter("/sign-in")
    clock.advance(timedelta(minutes=6))
    asked = client.get("/account/passkeys/new")
    assert asked.location == "/sign-in?again=1&next=/account/passkeys/new"
    second = enter(asked.location)
    assert first != second
    assert client.get("/account/passkeys/new").status_code == 200
    client.set_cookie("city", first)
    assert client.get("/account").status_code == 302


# --------------------------------------------------------------------------------------------------------- by address


def test_a_hundred_wrong_passwords_from_one_address_close_it_for_a_while(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    builders.make_staff(session, now, username="ana")
    for number in range(100):
        access.note_failure(session, f"name{number}", now, address="203.0.113.7")

    def check(address: str | None, at: datetime = now) -> access.Account:
        return access.check_password(
            session, "ana", PASSWORD, at, random_bytes=random_bytes, cost=CHEAP, address=address
        )

    with pytest.raises(access.TooManyFromHere):
        check("203.0.113.7")
    check("203.0.113.8")
    check(None)
    check("203.0.113.7", now + timedelta(minutes=15))


def test_of_too_many_nonces_for_one_address_the_oldest_goes(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    def ask(at: datetime, subject_id: UUID | None = None) -> access.OpenChallenge:
        return access.open_challenge(
            session, access.Purpose.CARD, at, random_bytes=random_bytes, subject_id=subject_id, address="203.0.113.7"
        )

    somebodys = ask(now, UUID(int=7))
    first, second, *_others = [ask(now + timedelta(milliseconds=number)) for number in range(CHALLENGES_MAX + 1)]
    with pytest.raises(access.ChallengeGone):
        access.take_challenge(session, access.Purpose.CARD, first.binding, now)
    for kept in (second, somebodys):
        assert access.take_challenge(session, access.Purpose.CARD, kept.binding, now).nonce == kept.nonce


def test_pictures_in_another_sites_page_begin_no_sign_in(client: FlaskClient) -> None:
    begun = client.get("/sign-in/card", headers={"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"})
    assert begun.status_code == 302
    for path in ("/sign-in/card", "/sign-in/passkey"):
        for said in ({"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "cross-site"}):
            answer = client.get(path, headers=said)
            assert (answer.status_code, answer.headers.get("Set-Cookie")) == (403, None)
    assert client.get("/sign-in/card").location == begun.location  # an older browser's too: it goes on with the same


def test_of_ipv6_one_subscriber_is_counted_not_each_of_their_addresses(
    client: FlaskClient, city: web.City, ana: access.StaffMember
) -> None:
    for number in (1, 2):
        client.post("/v1/sign-in/challenges", environ_overrides={"REMOTE_ADDR": f"2001:db8::{number}"})
    client.post("/v1/sign-in/challenges", environ_overrides={"REMOTE_ADDR": "::ffff:203.0.113.7"})
    asked = db.run(city.engine, lambda session: set(session.scalars(select(Challenge.address))))
    assert asked == {"2001:db8::/64", "203.0.113.7"}


def test_an_address_is_the_callers_only_as_far_as_proxies_are_trusted(city: web.City, ana: access.StaffMember) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}
    for proxies, expected in ((0, "127.0.0.1"), (1, "198.51.100.1"), (2, "203.0.113.9")):
        settings = replace(city.settings, sign_in=SignInSettings(proxies=proxies))
        client = application.app_of(replace(city, settings=settings)).test_client()
        header = sign_in(client, **forwarded)
        assert expected in {one["address"] for one in own(client, header)}


# ---------------------------------------------------------------------------------------------------------- passwords


@pytest.mark.parametrize(
    ("setting", "has", "refused"),
    [
        (StaffPasswords.ALLOW, "card", False), (StaffPasswords.UNTIL_BOUND, "", False),
        (StaffPasswords.UNTIL_BOUND, "card", True), (StaffPasswords.UNTIL_BOUND, "passkey", True),
        (StaffPasswords.UNTIL_BOUND, "a card taken away", False), (StaffPasswords.UNTIL_BOUND, "a card stopped", True),
        (StaffPasswords.REFUSE, "", True),
    ],
)  # fmt: skip
def test_passwords_of_staff_end_where_something_better_begins(
    session: Session, now: datetime, random_bytes: RandomBytes, setting: StaffPasswords, has: str, refused: bool
) -> None:
    member = builders.make_staff(session, now, username="ana")
    if "card" in has:
        gone = now if "away" in has or "stopped" in has else None
        why = {"a card taken away": "released by an administrator", "a card stopped": "card stopped"}.get(has)
        names = ("sign_in_key_id", "sign_in_key", "signature_key_id", "signature_key")
        session.add(
            StaffCard(
                id=member.id, staff_id=member.id, card_id=member.id, bound_by=member.id, bound_at=now,
                unbound_at=gone, unbound_why=why, **dict.fromkeys(names, b"x"),
            )
        )  # fmt: skip
    if has == "passkey":
        session.add(
            Passkey(
                id=member.id, kind="staff", subject_id=member.id, credential_id=b"c", public_key=b"k", sign_count=0,
                name="x", added_at=now,
            )
        )  # fmt: skip
    session.flush()

    def check(password: str) -> access.Account:
        return access.check_password(
            session, "ana", password, now, random_bytes=random_bytes, cost=CHEAP, staff_passwords=setting
        )

    if refused:
        with pytest.raises(access.PasswordsRefused):
            check(PASSWORD)
    else:
        check(PASSWORD)
    with pytest.raises(access.InvalidCredentials):  # a guesser learns nothing of it
        check(PASSWORD + "x")
