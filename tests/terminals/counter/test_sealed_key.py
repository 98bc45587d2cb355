"""A card's own key goes to an enrolled counter alone: asked for under its signature, sealed for one request."""

import base64
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from cardsvc import db, devices
from cardsvc.cards.actions.issuing import management_key
from crypto import keys
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret, OneTimeKey, SecretRequest
from terminals.card import SimulatedCard
from terminals.client import AnswerNotUnderstood, CardView, Reply, ServiceRefused, StaffClient
from terminals.client.calls import Caller
from terminals.counter import Personalisation
from terminals.outbox import Identity
from terminals.settings import TerminalKind
from tests.terminals.city import session
from tests.terminals.service import CityService


class Wire:
    """The way to the service, which keeps all that crosses it, and may change an answer."""

    def __init__(self, office: CityService) -> None:
        self._send = office.send
        self.crossed: list[bytes] = []
        self.asked: bytes | None = None
        self.change: dict[str, Any] = {}

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        reply = self._send(method, path, headers, body)
        self.crossed += [body or b"", reply.body]
        if path.endswith("/personalisation"):
            self.asked = body
            if self.change:
                return Reply(reply.status, json.dumps({**json.loads(reply.body), **self.change}).encode())
        return reply


def clerk_on(wire: Wire, office: CityService) -> StaffClient:
    return StaffClient(Caller(wire, office.clerk.session.token), office.clerk.session)


def begin(office: CityService, terminal: Identity, card_id: UUID) -> str:
    """How asking for the key ended: "told", or the code of the refusal."""
    try:
        office.clerk.begin_personalisation(card_id, terminal)
    except ServiceRefused as refused:
        return refused.code
    return "told"


def post(office: CityService, card_id: UUID, request: bytes | None) -> str:
    """The same, with a request made here."""
    body = {} if request is None else {"request": base64.urlsafe_b64encode(request).rstrip(b"=").decode()}
    headers = {"Authorization": f"Bearer {office.clerk.session.token}", "Content-Type": "application/json"}
    reply = office.send("POST", f"/v1/cards/{card_id}/personalisation", headers, json.dumps(body).encode())
    return "told" if reply.status == 200 else str(json.loads(reply.body)["code"])


def request_of(office: CityService, card_id: UUID, secret: CardSecret = CardSecret.MANAGEMENT_KEY) -> SecretRequest:
    step = office.clerk.step(card_id)
    return SecretRequest(secret, office.counter.device_id, card_id, step, OneTimeKey.generate().point)


def test_the_counter_is_told_the_cards_own_key_and_is_named_in_the_card(office: CityService) -> None:
    card_id = office.approved_card()
    begun = office.clerk.begin_personalisation(card_id, office.counter)
    assert begun.management_key == management_key(office.city.vault, card_id, begun.algorithm)
    shown = office.ask("clara", "GET", f"/v1/cards/{card_id}", None)
    assert shown["terminal_id"] == str(office.counter.device_id)


def test_a_kiosk_a_stranger_and_a_revoked_counter_are_told_nothing(office: CityService) -> None:
    card_id = office.approved_card()
    kiosk = office.enrolled(devices.DeviceKind.KIOSK)
    stranger = Identity(UUID(int=5), TerminalKind.COUNTER, "", keys.SoftwareSigner.generate(), b"", "")
    revoked = office.enrolled(devices.DeviceKind.COUNTER)
    now = office.clock.now()
    db.run(office.engine, lambda unit: devices.revoke(unit, revoked.device_id, by=UUID(int=0), reason="sold", now=now))
    assert [begin(office, one, card_id) for one in (kiosk, stranger, revoked)] == ["not_a_counter"] * 3
    assert office.clerk.card(card_id).state == "approved"
    assert begin(office, office.counter, card_id) == "told"


def test_a_terminal_that_says_it_is_another_is_told_nothing(office: CityService) -> None:
    card_id, counter = office.approved_card(), office.counter
    kiosk = office.enrolled(devices.DeviceKind.KIOSK)
    posing = Identity(counter.device_id, counter.kind, "", kiosk.signer, b"", "")
    assert begin(office, posing, card_id) == "invalid_secret_request"


def test_a_request_is_answered_once(office: CityService) -> None:
    card_id = office.approved_card()
    signed = personalisation.sign_request(request_of(office, card_id), office.counter.signer)
    assert post(office, card_id, signed) == "told"
    assert post(office, card_id, signed) == "stale_secret_request"


def test_a_request_counts_for_its_own_card_and_secret(office: CityService) -> None:
    card_id, other = office.approved_card(), office.approved_card()
    signer = office.counter.signer
    for request in (request_of(office, other), request_of(office, card_id, CardSecret.PUK)):
        assert post(office, card_id, personalisation.sign_request(request, signer)) == "invalid_secret_request"
    unknown = request_of(office, card_id)
    lost = UUID(int=9)
    asked = SecretRequest(unknown.secret, unknown.terminal_id, lost, 0, unknown.point)
    assert post(office, lost, personalisation.sign_request(asked, signer)) == "card_not_found"


def test_no_request_and_no_cbor_are_refused(office: CityService) -> None:
    card_id = office.approved_card()
    assert post(office, card_id, None) == "invalid_fields"
    assert post(office, card_id, b"nonsense") == "invalid_secret_request"
    assert post(office, card_id, bytes(personalisation.REQUEST_BYTES_MAX + 1)) == "invalid_fields"


@pytest.mark.parametrize("fault", ["of another request", "changed"])
def test_an_answer_that_is_not_sealed_for_the_request_leaves_the_card_untouched(
    office: CityService, fault: str
) -> None:
    wire, card = Wire(office), SimulatedCard.blank()
    clerk, card_id, before = clerk_on(wire, office), office.approved_card(), card.state.copy()
    clerk.begin_personalisation(card_id, office.counter)
    sealed = bytearray(base64.urlsafe_b64decode(json.loads(wire.crossed[-1])["sealed_management_key"] + "=="))
    if fault == "changed":
        sealed[-1] ^= 1
    wire.change = {"sealed_management_key": base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()}
    work = Personalisation(clerk, card_id, office.counter, random_bytes=bytes)
    with pytest.raises(AnswerNotUnderstood):
        work.make(session(card))
    assert card.state == before


def test_no_secret_of_the_card_ever_crosses_the_network(office: CityService) -> None:
    wire, card, card_id = Wire(office), SimulatedCard.blank(), office.approved_card()
    work = Personalisation(clerk_on(wire, office), card_id, office.counter, random_bytes=bytes)
    made = work.make(session(card))
    done: CardView = work.hand_over(session(card), made, bytearray(b"24681357"), bytearray(b"24681357"))
    assert done.state == "active"
    everything = b"\n".join(wire.crossed)
    assert str(card_id).encode() in everything  # the canary's control: what crosses is looked at
    for secret in (card.state.management_key, card.state.puk, b"24681357"):
        written = {bytes(secret), secret.hex().encode(), base64.b64encode(secret).rstrip(b"=")}
        written |= {secret.hex().upper().encode(), base64.urlsafe_b64encode(secret).rstrip(b"=")}
        assert not [form for form in written if form in everything]
