"""The PUK for a holder who forgot the PIN: for the card that is here, once for each signature, on the record."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from cardsvc import cards, db, web
from cardsvc.cards import CardState, api
from cardsvc.clock import FixedClock
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire import pin_reset
from crypto.wire.personalisation import CardSecret, OneTimeKey, SecretRequest, sign_request
from tests.builders import SoftwareCard, app_with, base64url, make_card, make_resident, staff_token


class Desk:
    """A clerk whom the holder of an active card asks for help, at an enrolled counter."""

    def __init__(self, city: web.City) -> None:
        self.city, self.counter = city, SoftwareSigner.generate()
        self.counter_id = UUID(int=77)
        enrolled = {self.counter_id: self.counter.public_key}
        secrets = api.make_secrets(lambda _session, terminal_id: enrolled.get(terminal_id))
        self.client = app_with(city, api.blueprint, secrets).test_client()
        self.clerk = staff_token(city, self.client, "clerk")
        self.key = OneTimeKey.generate()
        self.card: SoftwareCard = db.run(
            city.engine,
            lambda session: make_card(
                session, city.vault, make_resident(session, city.clock.now()).id, city.clock.now()
            ),
        )

    @property
    def history(self) -> tuple[cards.CardStep, ...]:
        return db.run(self.city.engine, lambda session: cards.history(session, self.card.card_id))

    def request(self, secret: CardSecret = CardSecret.PUK) -> SecretRequest:
        return SecretRequest(secret, self.counter_id, self.card.card_id, len(self.history), self.key.point)

    def signed(self, request: SecretRequest, *, signed_for: SecretRequest | None = None) -> dict[str, str]:
        """What the counter sends: the request, and the card's signature for it or for another one."""
        signature = self.sign(pin_reset.statement(signed_for or request))
        return {
            "request": base64url(sign_request(request, self.counter)),
            "signature": base64url(signature),
            "reason": "photo and passport",
        }

    def sign(self, statement: bytes) -> bytes:
        return self.card.keys.signers[CardSlot.CARD_AUTH].sign(statement)

    def puk(self, request: SecretRequest, sealed: str) -> bytes:
        return self.key.unseal(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)), request)

    def ask(self, body: dict[str, str], headers: dict[str, str] | None = None) -> tuple[int, Any]:
        path = f"/v1/cards/{self.card.card_id}/pin-reset"
        answer = self.client.post(path, json=body, headers=headers or self.clerk)
        return answer.status_code, answer.json


@pytest.fixture
def desk(city: web.City) -> Desk:
    return Desk(city)


def test_the_card_that_is_here_gets_its_puk_and_the_history_says_why(desk: Desk) -> None:
    before, request = desk.history, desk.request()
    status, answer = desk.ask(desk.signed(request))
    assert status == 200
    puk = desk.puk(request, answer["sealed_puk"])
    assert len(puk) == 8
    assert puk.isdigit()
    written = desk.history[-1]
    assert len(desk.history) == len(before) + 1
    assert (written.from_state, written.to_state) == (CardState.ACTIVE, CardState.ACTIVE)
    assert written.reason == "new PIN by PUK: photo and passport"


def test_one_request_is_good_for_one_answer(desk: Desk) -> None:
    first = desk.request()
    sent = desk.signed(first)
    _, answer = desk.ask(sent)
    assert desk.ask(sent)[1]["code"] == "stale_secret_request"
    second = desk.request()
    _, again = desk.ask(desk.signed(second))
    assert desk.puk(second, again["sealed_puk"]) == desk.puk(first, answer["sealed_puk"])  # the card's own


def test_a_signature_for_another_request_or_purpose_opens_nothing(desk: Desk) -> None:
    request = desk.request()
    for_the_key = desk.signed(request, signed_for=desk.request(CardSecret.MANAGEMENT_KEY))
    assert desk.ask(for_the_key)[1]["code"] == "presence_not_proven"
    shown = desk.sign(cards.presence_statement(desk.card.card_id, bytes(32)))
    assert desk.ask({**desk.signed(request), "signature": base64url(shown)})[1]["code"] == "presence_not_proven"
    assert len(desk.history) == request.step


def test_a_request_for_the_management_key_is_none_for_the_puk(desk: Desk) -> None:
    assert desk.ask(desk.signed(desk.request(CardSecret.MANAGEMENT_KEY)))[0] == 422


def test_a_card_that_was_stopped_gets_no_new_pin(desk: Desk) -> None:
    desk.client.post(f"/v1/cards/{desk.card.card_id}/suspension", json={"reason": "found"}, headers=desk.clerk)
    assert desk.ask(desk.signed(desk.request()))[1]["code"] == "card_not_active"


def test_a_card_past_its_day_gets_no_new_pin(desk: Desk, clock: FixedClock) -> None:
    clock.advance(timedelta(days=6 * 366))
    desk.clerk = staff_token(desk.city, desk.client, "card_officer")
    assert desk.ask(desk.signed(desk.request()))[1]["code"] == "card_not_active"


def test_a_cashier_gets_no_puk(desk: Desk) -> None:
    assert desk.ask(desk.signed(desk.request()), staff_token(desk.city, desk.client, "cashier"))[0] == 403


def test_a_reason_has_to_be_given(desk: Desk) -> None:
    assert desk.ask({**desk.signed(desk.request()), "reason": ""})[0] == 422
