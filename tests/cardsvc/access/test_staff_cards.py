"""A card in somebody's name: nobody puts one there without them, and nobody else takes theirs away."""

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cardsvc import web
from crypto.pki import CardSlot
from crypto.wire.action import sign_action
from tests.builders import PASSWORD, base64url
from tests.signing_in import Desk, make_card, unbase64url


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
