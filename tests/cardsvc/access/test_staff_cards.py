"""A card in somebody's name: nobody puts one there without them, and nobody else takes theirs away."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from cardsvc import access, cards, db, web
from cardsvc.app.wiring import _card_in_use
from crypto import keys
from crypto.pki import CardSlot
from crypto.wire.action import sign_action
from crypto.wire.login import CardBinding
from tests.builders import PASSWORD, SoftwareCard, base64url
from tests.signing_in import Desk, certificate, make_card, p256, unbase64url


@pytest.fixture
def desk(city: web.City, client: FlaskClient) -> Desk:
    return Desk(city, client)


def code(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_one_administrator_alone_completes_no_action_of_two(desk: Desk, city: web.City) -> None:
    ben, strangers_card = desk.member("admin", username="ben"), make_card(city)
    for password, answer in ((None, "may_not_bind"), ("not Ben's, but a guess", "wrong_password")):
        assert code(desk.bind(ben, strangers_card, password=password)) == (403, answer)
    assert code(desk.sign_in(strangers_card)) == (401, "card_is_nobodys")
    proposal = {"kind": "staff.roles", "payload": {"staff_id": str(desk.admin.id), "roles": ["admin", "treasurer"]}}
    action = desk.client.post("/v1/actions", json=proposal, headers=desk.header).get_json()
    path = f"/v1/actions/{action['id']}"
    assert desk.client.post(f"{path}/signatures", json={"password": PASSWORD}, headers=desk.header).status_code == 201
    second = sign_action(unbase64url(action["action"]), strangers_card.keys.signers[CardSlot.SIGNATURE])
    assert desk.client.post(f"/actions/{action['id']}/card", data={"signature": base64url(second)}).status_code != 302
    assert desk.client.get(path, headers=desk.header).get_json()["state"] == "signed"


def test_guesses_of_a_colleagues_password_count_against_their_name_and_end_none_of_their_sign_ins(
    desk: Desk, city: web.City
) -> None:
    vic, card = desk.member("treasurer", username="vic"), make_card(city)
    at_work = desk.signed_in(vic)
    for guesser in ("off1", "off2"):  # five each: neither is out yet
        header = desk.signed_in(desk.member("card_officer", username=guesser))
        for number in range(5):
            answer = desk.bind(vic, card, header=header, password=f"wrong password {number}")
            assert code(answer) == (403, "wrong_password")
    assert code(desk.bind(vic, card, header=header)) == (429, "too_many_attempts")
    answer = desk.client.post("/v1/sign-in", json={"username": "vic", "password": PASSWORD})
    assert code(answer) == (429, "too_many_attempts")
    assert desk.client.get("/v1/me/sign-ins", headers=at_work).status_code == 200


def test_a_card_that_stood_for_one_person_never_stands_for_another(desk: Desk, city: web.City) -> None:
    ana, ben, card = desk.member("treasurer"), desk.member("treasurer"), make_card(city)
    kid = card.keys.kid(CardSlot.SIGNATURE)
    bound = desk.bind(ana, card).get_json()["id"]
    assert desk.client.delete(f"/v1/staff/{ana.id}/cards/{bound}", headers=desk.header).status_code == 204
    assert code(desk.bind(ben, card)) == (409, "card_was_anothers")
    found = db.run(city.engine, lambda session: access.staff_by_key(session, [kid], blocked_too=True))
    assert found[kid].staff_id == ana.id
    assert desk.bind(ana, card).status_code == 201


def test_a_card_stopped_while_it_is_bound_signs_nobody_in(desk: Desk, city: web.City) -> None:
    """Whoever stops it waits for the binding (PostgreSQL locks the card's row, SQLite has one writer)."""
    ben, card, now = desk.member("treasurer"), make_card(city), city.clock.now()
    with ThreadPoolExecutor(1) as other:
        with db.unit_of_work(city.engine) as session:
            assert _card_in_use(session, card.card_id)
            stopping = other.submit(
                db.run,
                city.engine,
                lambda session: cards.suspend(session, card.card_id, by=desk.admin.id, now=now, reason="stolen"),
            )
            with pytest.raises(TimeoutError):
                stopping.result(timeout=1)
            bind_in(session, city, ben, card, desk.admin)
        stopping.result(timeout=20)
    assert code(desk.sign_in(card)) == (401, "card_is_nobodys")


def bind_in(
    session: Session, city: web.City, member: access.StaffMember, card: SoftwareCard, by: access.StaffMember
) -> None:
    signers, nonce = card.keys.signers, bytes(32)
    sign_in, signature = signers[CardSlot.AUTHENTICATION], signers[CardSlot.SIGNATURE]
    points = keys.point(p256(sign_in.public_key)), keys.point(p256(signature.public_key))
    statement = CardBinding(member.id, card.card_id, nonce, *points).to_be_signed()
    proof = access.CardProof(
        certificate(card, CardSlot.AUTHENTICATION),
        certificate(card, CardSlot.SIGNATURE),
        sign_in.sign(statement),
        signature.sign(statement),
    )
    access.bind_card(
        session,
        member.id,
        proof,
        nonce=nonce,
        authorities=city.vault.certificates("card-ca"),
        card_in_use=_card_in_use,
        by=by.id,
        now=city.clock.now(),
        random_bytes=city.random_bytes,
    )


def test_only_an_administrator_takes_somebody_elses_card_away(desk: Desk, city: web.City) -> None:
    officer, vic = desk.member("card_officer"), desk.member("treasurer")
    header, card, own = desk.signed_in(officer), make_card(city), make_card(city)
    path = f"/v1/staff/{vic.id}/cards/{desk.bind(vic, card).get_json()['id']}"
    assert code(desk.client.delete(path, headers=header)) == (403, "not_allowed")
    assert desk.sign_in(card).status_code == 201
    own_path = f"/v1/staff/{officer.id}/cards/{desk.bind(officer, own).get_json()['id']}"
    assert desk.client.delete(own_path, headers=header).status_code == 204
    kid, now = card.keys.kid(CardSlot.SIGNATURE), city.clock.now()
    db.run(city.engine, lambda session: access.block_keys(session, [kid], now))
    assert desk.client.delete(path, headers=desk.header).status_code == 204  # a word about a card stopped before
    listed = desk.client.get(f"/v1/staff/{vic.id}/cards", headers=desk.header).get_json()["cards"]
    assert [one["unbound_why"] for one in listed] == ["released by an administrator"]
