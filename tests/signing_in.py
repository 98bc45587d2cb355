"""Signing in with a card, as the program beside the reader does it: tokens, bindings, and whoever has both."""

import base64
import json
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cardsvc import access, db, web
from crypto import keys
from crypto.pki import CardSlot
from crypto.wire.login import FORMAT, CardBinding, Login, sign_login
from tests import builders
from tests.builders import PASSWORD, SoftwareCard, base64url

ORIGIN = "http://localhost"


def unbase64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def certificate(card: SoftwareCard, slot: CardSlot) -> bytes:
    return card.issued.certificates[slot]


def token(card: SoftwareCard, nonce: bytes, *, origin: str = ORIGIN, **changes: str | None) -> str:
    """What the card signed for this origin and nonce; `changes` puts other texts in, or takes fields out (None)."""
    signature = sign_login(Login.of(origin, nonce), card.keys.signers[CardSlot.AUTHENTICATION])
    fields: dict[str, str | None] = {
        "format": FORMAT,
        "algorithm": "ES256",
        "unverifiedCertificate": base64.b64encode(certificate(card, CardSlot.AUTHENTICATION)).decode(),
        "signature": base64.b64encode(signature).decode(),
        "appVersion": "city-agent/1",
        **changes,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def make_card(city: web.City) -> SoftwareCard:
    """An active card of a new resident."""
    now = city.clock.now()

    def make(session: Any) -> SoftwareCard:
        return builders.make_card(session, city.vault, builders.make_resident(session, now).id, now)

    return db.run(city.engine, make)


@dataclass
class Desk:
    """An administrator who binds cards over HTTP, and cards that sign in."""

    city: web.City
    client: FlaskClient

    def __post_init__(self) -> None:
        self.admin = self.member("admin", username="root")
        self.header = self.signed_in(self.admin)

    def member(self, *roles: str, username: str | None = None) -> access.StaffMember:
        now = self.city.clock.now()
        return db.run(self.city.engine, lambda session: builders.make_staff(session, now, *roles, username=username))

    def signed_in(self, member: access.StaffMember) -> dict[str, str]:
        answer = self.client.post("/v1/sign-in", json={"username": member.username, "password": PASSWORD})
        return {"Authorization": f"Bearer {answer.get_json()['token']}"}

    def bind(
        self,
        member: access.StaffMember,
        card: SoftwareCard,
        *,
        header: dict[str, str] | None = None,
        password: str | None = PASSWORD,
        spoil: dict[str, bytes] | None = None,
    ) -> TestResponse:
        header = header or self.header
        challenge = self.client.post(f"/v1/staff/{member.id}/cards/challenges", headers=header).get_json()
        signers = card.keys.signers
        sign_in, signature = signers[CardSlot.AUTHENTICATION], signers[CardSlot.SIGNATURE]
        points = keys.point(p256(sign_in.public_key)), keys.point(p256(signature.public_key))
        statement = CardBinding(member.id, card.card_id, unbase64url(challenge["nonce"]), *points).to_be_signed()
        sent = {
            "sign_in_certificate": certificate(card, CardSlot.AUTHENTICATION),
            "signature_certificate": certificate(card, CardSlot.SIGNATURE),
            "sign_in_proof": sign_in.sign(statement),
            "signature_proof": signature.sign(statement),
            **(spoil or {}),
        }
        body = {name: base64url(value) for name, value in sent.items()}
        body |= {"binding": challenge["binding"]} | ({"password": password} if password else {})
        return self.client.post(f"/v1/staff/{member.id}/cards", json=body, headers=header)

    def challenge(self) -> tuple[bytes, str]:
        """A nonce and its binding."""
        answer = self.client.post("/v1/sign-in/challenges").get_json()
        return unbase64url(answer["nonce"]), str(answer["binding"])

    def send(self, binding: str, text: str) -> TestResponse:
        return self.client.post("/v1/sign-in/card", json={"binding": binding, "token": text})

    def sign_in(self, card: SoftwareCard, **changes: Any) -> TestResponse:
        nonce, binding = self.challenge()
        return self.send(binding, token(card, nonce, **changes))


def p256(key: object) -> ec.EllipticCurvePublicKey:
    assert isinstance(key, ec.EllipticCurvePublicKey)
    return key
