"""Cards over HTTP: a counter makes one from the order to the handover, and hostile ones get their problem codes."""

import base64
import json
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from cardsvc import cards, db, web
from cardsvc.cards import api
from cardsvc.cards import commands as card_commands
from crypto.keys import SoftwareSigner
from crypto.pki import CardSlot
from crypto.wire.personalisation import CardSecret, OneTimeKey, SecretRequest, sign_request
from tests.builders import CardKeys, app_with, base64url, make_resident, staff_token


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Counter:
    """A clerk and an officer at their counters."""

    def __init__(self, city: web.City) -> None:
        self.city = city
        self.terminal, self.terminal_id = SoftwareSigner.generate(), UUID(int=77)
        enrolled = {self.terminal_id: self.terminal.public_key}
        secrets = api.make_secrets(lambda _session, terminal_id: enrolled.get(terminal_id))
        self.client: FlaskClient = app_with(city, api.blueprint, secrets).test_client()
        self.one_time = OneTimeKey.generate()
        self.clerk = staff_token(city, self.client, "clerk")
        self.officer = staff_token(city, self.client, "card_officer")
        self.keys = CardKeys.make()

    def post(self, path: str, body: dict[str, Any], *, officer: bool = False, status: int = 200) -> Any:
        answer = self.client.post(f"/v1/cards{path}", json=body, headers=self.officer if officer else self.clerk)
        assert answer.status_code == status, answer.text
        return answer.json

    def order(self) -> str:
        resident = db.run(self.city.engine, lambda session: make_resident(session, self.city.clock.now()))
        made = self.post("", {"resident_id": str(resident.id)}, status=201)
        self.post(f"/{made['id']}/approval", {}, officer=True)
        return str(made["id"])

    def request(self, card_id: str) -> SecretRequest:
        card = self.client.get(f"/v1/cards/{card_id}", headers=self.clerk).get_json()
        step, point = len(card["history"]), self.one_time.point
        return SecretRequest(CardSecret.MANAGEMENT_KEY, self.terminal_id, UUID(card_id), step, point)

    def begin(self, card_id: str, *, status: int = 200, **told: Any) -> Any:
        """The answer, with the management key that was sealed in it."""
        request = self.request(card_id)
        body = {"request": base64url(sign_request(request, self.terminal)), **told}
        begun = self.post(f"/{card_id}/personalisation", body, status=status)
        if status == 200:
            begun["key"] = self.one_time.unseal(unbase64url(begun["sealed_management_key"]), request)
        return begun

    def proofs(self, card_id: str, challenge: str) -> list[dict[str, str]]:
        return [
            {
                "slot": f"{proof.slot:02X}",
                "point": base64url(proof.point),
                "signature": base64url(proof.signature),
            }
            for proof in self.keys.proofs(UUID(card_id), unbase64url(challenge))
        ]

    def make(self) -> str:
        """An active card."""
        card_id = self.order()
        begun = self.begin(card_id)
        issued = self.post(f"/{card_id}/certificates", {"keys": self.proofs(card_id, begun["challenge"])})
        challenge = unbase64url(issued["challenge"])
        readback = base64url(self.keys.readback(UUID(card_id), challenge))
        assert self.post(f"/{card_id}/readback", {"signature": readback})["state"] == "ready"
        handover = base64url(self.keys.handover(UUID(card_id), challenge))
        assert self.post(f"/{card_id}/handover", {"signature": handover})["state"] == "active"
        return card_id


@pytest.fixture
def counter(city: web.City) -> Counter:
    return Counter(city)


def test_a_counter_makes_a_card(counter: Counter) -> None:
    card_id = counter.make()
    card = counter.client.get(f"/v1/cards/{card_id}", headers=counter.clerk).get_json()
    assert card["state"] == "active"
    assert [step["to_state"] for step in card["history"]] == [
        "requested",
        "approved",
        "personalising",
        "ready",
        "active",
    ]
    listed = counter.client.get("/v1/cards", query_string={"resident_id": card["resident_id"]}, headers=counter.clerk)
    assert [one["id"] for one in listed.get_json()["cards"]] == [card_id]


def test_what_the_counter_gets_is_all_it_needs(counter: Counter) -> None:
    card_id = counter.order()
    begun = counter.begin(card_id, product="piv-aes256")
    assert begun["algorithm"] == 0x0C
    assert len(begun["key"]) == 32
    assert "management_key" not in begun
    assert begun["expires_on"] == "2031-11-02"
    issued = counter.post(f"/{card_id}/certificates", {"keys": counter.proofs(card_id, begun["challenge"])})
    assert [one["slot"] for one in issued["certificates"]] == ["9A", "9C", "9E"]
    assert unbase64url(issued["chuid"])[:2] == bytes.fromhex("3019")


def test_a_card_is_stopped_and_resumed_and_ended(counter: Counter) -> None:
    card_id = counter.make()
    assert counter.post(f"/{card_id}/suspension", {"reason": "lost?"})["state"] == "suspended"
    refused = counter.post(f"/{card_id}/resumption", {"reason": "found"}, officer=True, status=409)
    assert refused["code"] == "holder_without_card"
    back = {"reason": "found", "holder_has_it": True}
    assert counter.post(f"/{card_id}/resumption", back, officer=True)["state"] == "active"
    revoked = counter.post(f"/{card_id}/revocation", {"reason": "lost", "note": "on the ferry"}, officer=True)
    assert (revoked["state"], revoked["revoked_reason"]) == ("revoked", "lost")
    assert counter.post(f"/{card_id}/destruction", {}, officer=True)["state"] == "destroyed"
    answer = counter.post(f"/{card_id}/resumption", {"reason": "?"}, officer=True, status=409)
    assert answer["code"] == "invalid_card_move"


def test_a_card_in_the_reader_is_verified(counter: Counter) -> None:
    card_id = counter.make()
    challenge = b"a fresh challenge of the counter"
    signature = counter.keys.signers[CardSlot.CARD_AUTH].sign(cards.presence_statement(UUID(card_id), challenge))
    body = {"challenge": base64url(challenge), "signature": base64url(signature)}
    assert counter.post(f"/{card_id}/verification", body)["state"] == "active"
    stale = {"challenge": base64url(challenge[::-1]), "signature": base64url(signature)}
    assert counter.post(f"/{card_id}/verification", stale, status=422)["code"] == "presence_not_proven"
    short = {"challenge": base64url(b"short"), "signature": base64url(signature)}
    assert counter.post(f"/{card_id}/verification", short, status=422)["code"] == "invalid_fields"


def test_nobody_approves_their_own_order_nor_without_the_role(counter: Counter) -> None:
    resident = db.run(counter.city.engine, lambda session: make_resident(session, counter.city.clock.now()))
    made = counter.post("", {"resident_id": str(resident.id)}, officer=True, status=201)
    assert counter.post(f"/{made['id']}/approval", {}, status=403)["code"] == "not_allowed"
    assert counter.post(f"/{made['id']}/approval", {}, officer=True, status=403)["code"] == "same_approver"


def test_hostile_proofs_are_answered_with_their_codes(counter: Counter) -> None:
    card_id = counter.order()
    begun = counter.begin(card_id)
    proofs = counter.proofs(card_id, begun["challenge"])
    point = bytearray(unbase64url(proofs[0]["point"]))
    point[-1] ^= 1
    for keys, code in (
        (proofs[:2], "wrong_slots"),
        ([*proofs[:2], {**proofs[2], "signature": proofs[1]["signature"]}], "invalid_possession"),
        ([{**proofs[0], "point": base64url(bytes(point))}, *proofs[1:]], "invalid_public_key"),
        ([{**proofs[0], "point": base64url(b"\x04" + bytes(96))}, *proofs[1:]], "invalid_public_key"),
        ([{**proofs[0], "slot": "9D"}, *proofs[1:]], "invalid_fields"),
        ([{**proofs[0], "point": "not base64url!"}, *proofs[1:]], "invalid_fields"),
    ):
        assert counter.post(f"/{card_id}/certificates", {"keys": keys}, status=422)["code"] == code
    nothing = {"signature": base64url(bytes(64))}
    assert counter.post(f"/{card_id}/readback", nothing, status=409)["code"] == "not_certified"
    assert counter.post(f"/{UUID(int=1)}/readback", nothing, status=404)["code"] == "card_not_found"


def test_cards_are_listed_from_the_command_line(counter: Counter) -> None:
    card_id = counter.make()

    def run(*arguments: str) -> str:
        return CliRunner().invoke(card_commands.cards, ["list", *arguments], obj=lambda: counter.city).stdout

    assert [one["id"] for one in json.loads(run("--state", "active", "--json"))["cards"]] == [card_id]
    assert run("--state", "suspended") == "0 cards.\n"
    assert run().startswith(f"{card_id}  active")
