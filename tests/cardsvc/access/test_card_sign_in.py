"""Staff sign in with a card, the Web eID way: one origin, one nonce, one browser, a card that stands for somebody."""

import base64
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from cardsvc import access, cards, db, web
from cardsvc.clock import FixedClock
from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from tests.builders import PASSWORD, SoftwareCard
from tests.signing_in import Desk, certificate, make_card, token


@pytest.fixture
def desk(city: web.City, client: FlaskClient) -> Desk:
    return Desk(city, client)


@pytest.fixture
def ana(desk: Desk) -> access.StaffMember:
    return desk.member("cashier", username="ana")


@pytest.fixture
def card(city: web.City, desk: Desk, ana: access.StaffMember) -> SoftwareCard:
    """Ana's card, bound to her account."""
    made = make_card(city)
    assert desk.bind(ana, made).status_code == 201
    return made


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]  # type: ignore[attr-defined]


def test_a_card_signs_its_holder_in(desk: Desk, card: SoftwareCard, ana: access.StaffMember) -> None:
    answer = desk.sign_in(card)
    assert answer.status_code == 201
    assert (answer.get_json()["staff_id"], answer.get_json()["roles"]) == (str(ana.id), ["cashier"])
    header = {"Authorization": f"Bearer {answer.get_json()['token']}"}
    (own,) = desk.client.get("/v1/me/sign-ins", headers=header).get_json()["sign_ins"]
    assert own["method"] == "card"


def test_a_nonce_counts_once_whether_the_answer_was_right_or_wrong(desk: Desk, card: SoftwareCard) -> None:
    nonce, binding = desk.challenge()
    assert desk.send(binding, token(card, nonce)).status_code == 201
    assert code(desk.send(binding, token(card, nonce))) == (401, "challenge_gone")
    nonce, binding = desk.challenge()
    assert code(desk.send(binding, token(card, nonce, origin="http://evil.example"))) == (401, "card_not_accepted")
    assert code(desk.send(binding, token(card, nonce))) == (401, "challenge_gone")


def test_a_nonce_is_its_askers_alone(desk: Desk, card: SoftwareCard) -> None:
    nonce, _binding = desk.challenge()
    _nonce, other = desk.challenge()
    assert code(desk.send(other, token(card, nonce))) == (401, "card_not_accepted")


def test_a_nonce_runs_out(desk: Desk, card: SoftwareCard, clock: FixedClock) -> None:
    nonce, binding = desk.challenge()
    clock.advance(timedelta(minutes=5))
    assert code(desk.send(binding, token(card, nonce))) == (401, "challenge_gone")


def test_a_nonce_for_binding_a_card_signs_nobody_in(desk: Desk, card: SoftwareCard, ana: access.StaffMember) -> None:
    given = desk.client.post(f"/v1/staff/{ana.id}/cards/challenges", headers=desk.header).get_json()
    nonce = base64.urlsafe_b64decode(given["nonce"] + "=")
    assert code(desk.send(given["binding"], token(card, nonce))) == (401, "challenge_gone")


def test_a_card_that_stands_for_nobody_signs_nobody_in(desk: Desk, city: web.City) -> None:
    assert code(desk.sign_in(make_card(city))) == (401, "card_is_nobodys")


def test_a_blocked_member_of_staff_does_not_come_in_by_card(
    desk: Desk, card: SoftwareCard, ana: access.StaffMember, city: web.City
) -> None:
    db.run(city.engine, lambda session: access.block_staff(session, ana.id))
    assert code(desk.sign_in(card)) == (401, "card_is_nobodys")


def test_only_the_key_of_9a_signs_in(desk: Desk, card: SoftwareCard) -> None:
    for slot in (CardSlot.SIGNATURE, CardSlot.CARD_AUTH):
        other = base64.b64encode(certificate(card, slot)).decode()
        assert code(desk.sign_in(card, unverifiedCertificate=other)) == (401, "card_not_accepted")


@pytest.mark.parametrize(
    "changes",
    [
        {"format": "web-eid:1.0"}, {"format": "city-login:2"}, {"format": None}, {"unverifiedCertificate": None},
        {"unverifiedCertificate": ""}, {"unverifiedCertificate": "invalid"}, {"unverifiedCertificate": "AAAA"},
        {"signature": None}, {"signature": "*"},
    ],
)  # fmt: skip
def test_what_is_no_token_is_refused_as_such(desk: Desk, card: SoftwareCard, changes: dict[str, str | None]) -> None:
    assert code(desk.sign_in(card, **changes)) == (422, "malformed_token")


@pytest.mark.parametrize("text", ["x", "[]", "null", "{}", "1" * 9_999, '{"format": "city-login:1", "format": "x"}'])
def test_what_is_no_json_object_is_refused(desk: Desk, text: str) -> None:
    assert code(desk.send(desk.challenge()[1], text)) == (422, "malformed_token")


@pytest.mark.parametrize("algorithm", ["ES384", "RS256", "none", "", "es256"])
def test_other_algorithms_are_refused(desk: Desk, card: SoftwareCard, algorithm: str) -> None:
    assert code(desk.sign_in(card, algorithm=algorithm)) == (401, "card_not_accepted")


def test_a_signature_with_high_s_is_refused(desk: Desk, card: SoftwareCard) -> None:
    nonce, binding = desk.challenge()
    text = token(card, nonce)
    raw = base64.b64decode(text.split('"signature": "')[1].split('"')[0])
    high = raw[:32] + (keys.ORDER - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    changed = token(card, nonce, signature=base64.b64encode(high).decode())
    assert code(desk.send(binding, changed)) == (401, "card_not_accepted")


def test_an_expired_card_signs_nobody_in(desk: Desk, card: SoftwareCard, clock: FixedClock) -> None:
    clock.advance(timedelta(days=366 * 11))
    assert code(desk.sign_in(card)) == (401, "card_not_accepted")


def test_a_stopped_card_signs_nobody_in_and_ends_what_it_opened(
    desk: Desk, card: SoftwareCard, ana: access.StaffMember, city: web.City
) -> None:
    header = {"Authorization": f"Bearer {desk.sign_in(card).get_json()['token']}"}
    by_password = desk.signed_in(ana)
    stopped = [card.keys.kid(slot) for slot in CardSlot] + [bytes(16)] * 1000
    db.run(city.engine, lambda session: access.block_keys(session, stopped, city.clock.now()))
    assert code(desk.client.get("/v1/me/sign-ins", headers=header)) == (401, "not_signed_in")
    assert desk.client.get("/v1/me/sign-ins", headers=by_password).status_code == 200
    assert code(desk.sign_in(card)) == (401, "card_is_nobodys")
    (bound,) = desk.client.get(f"/v1/staff/{ana.id}/cards", headers=desk.header).get_json()["cards"]
    assert bound["unbound_why"] == "card stopped"
    assert desk.bind(ana, card).status_code == 201
    assert desk.sign_in(card).status_code == 201


def test_revoking_or_suspending_a_card_unbinds_it(desk: Desk, card: SoftwareCard, city: web.City) -> None:
    db.run(
        city.engine,
        lambda session: cards.suspend(session, card.card_id, by=desk.admin.id, now=city.clock.now(), reason="lost"),
    )
    assert code(desk.sign_in(card)) == (401, "card_is_nobodys")


# -------------------------------------------------------------------------------------------------------- binding


def test_a_card_is_one_persons(desk: Desk, card: SoftwareCard) -> None:
    assert code(desk.bind(desk.member("clerk"), card)) == (409, "card_bound_already")


def test_an_unbound_card_signs_nobody_in(desk: Desk, card: SoftwareCard, ana: access.StaffMember) -> None:
    (bound,) = desk.client.get(f"/v1/staff/{ana.id}/cards", headers=desk.header).get_json()["cards"]
    path = f"/v1/staff/{ana.id}/cards/{bound['id']}"
    assert desk.client.delete(path, headers=desk.header).status_code == 204
    assert code(desk.client.delete(path, headers=desk.header)) == (404, "no_such_staff_card")
    assert code(desk.sign_in(card)) == (401, "card_is_nobodys")


def test_both_keys_must_have_signed(desk: Desk, ana: access.StaffMember, city: web.City) -> None:
    card = make_card(city)
    wrong = SoftwareSigner.from_secret(5).sign(b"something else")
    for name in ("sign_in_proof", "signature_proof"):
        assert code(desk.bind(ana, card, spoil={name: wrong})) == (422, "binding_not_proven")


def test_the_two_certificates_are_of_one_card(desk: Desk, ana: access.StaffMember, city: web.City) -> None:
    card, other = make_card(city), make_card(city)
    foreign = certificate(other, CardSlot.SIGNATURE)
    assert code(desk.bind(ana, card, spoil={"signature_certificate": foreign})) == (422, "binding_not_proven")
    swapped = certificate(card, CardSlot.SIGNATURE)
    assert code(desk.bind(ana, card, spoil={"sign_in_certificate": swapped})) == (422, "binding_not_proven")


def test_a_card_that_is_not_in_use_is_not_bound(desk: Desk, ana: access.StaffMember, city: web.City) -> None:
    card = make_card(city)
    db.run(
        city.engine,
        lambda session: cards.suspend(session, card.card_id, by=desk.admin.id, now=city.clock.now(), reason="lost"),
    )
    assert code(desk.bind(ana, card)) == (422, "binding_not_proven")


def test_a_card_officer_needs_the_holders_password(desk: Desk, ana: access.StaffMember, city: web.City) -> None:
    card, officer = make_card(city), desk.signed_in(desk.member("card_officer"))
    assert code(desk.bind(ana, card, header=officer, password=None)) == (403, "may_not_bind")
    assert code(desk.bind(ana, card, header=officer, password=PASSWORD + "x")) == (403, "wrong_password")
    assert desk.bind(ana, card, header=officer, password=PASSWORD).status_code == 201


def test_a_binding_for_one_person_is_none_for_another(desk: Desk, ana: access.StaffMember) -> None:
    ben = desk.member("clerk", username="ben")
    given = desk.client.post(f"/v1/staff/{ana.id}/cards/challenges", headers=desk.header).get_json()
    body = {
        "binding": given["binding"], "sign_in_certificate": "AA", "signature_certificate": "AA",
        "sign_in_proof": "A" * 86, "signature_proof": "A" * 86,
    }  # fmt: skip
    answer = desk.client.post(f"/v1/staff/{ben.id}/cards", json=body, headers=desk.header)
    assert code(answer) == (401, "challenge_gone")
