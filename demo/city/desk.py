"""How the demo city's staff and terminals reach the service: over its HTTP API, in process, at a clock that is set."""

import base64
import json
import random
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Flask
from flask.testing import FlaskClient

from cardsvc.clock import FixedClock
from crypto.wire.ids import uuid7
from demo.city.cast import Member
from demo.city.machines import milliseconds

REFUSED = 400


class DemoLoadError(Exception):
    """The service refused what the demo city asked of it: the demo is wrong, or the service is."""


def unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(slots=True)
class Desk:
    """`chance` makes the ids that a real client draws at random."""

    app: Flask
    clock: FixedClock
    chance: random.Random
    tokens: dict[str, tuple[str, UUID]] = field(default_factory=dict)

    def call(self, method: str, path: str, member: Member | None = None, **options: Any) -> Any:
        """One call; what it answers. Raises: DemoLoadError with the service's own words."""
        client: FlaskClient = self.app.test_client()
        headers = dict(options.pop("headers", {}))
        if member is not None:
            headers["Authorization"] = f"Bearer {self.sign_in(member)[0]}"
        response = client.open(path, method=method, headers=headers, **options)
        if response.status_code >= REFUSED:
            raise DemoLoadError(f"{method} {path}: {response.status_code} {response.get_data(as_text=True)[:600]}")
        return json.loads(response.data) if response.data else None

    def sign_in(self, member: Member) -> tuple[str, UUID]:
        """The token and id of a staff member, signed in anew when the last sign-in has run out."""
        held = self.tokens.get(member.username)
        if held is None:
            given = {"username": member.username, "password": member.password}
            made = self.call("POST", "/v1/sign-in", json=given)
            held = self.tokens[member.username] = made["token"], UUID(made["staff_id"])
        return held

    def new_day(self, at: datetime) -> None:
        """Time goes on; whoever was signed in signs in again."""
        self.clock.set(at)
        self.tokens.clear()

    def key(self) -> str:
        """A fresh Idempotency-Key."""
        return str(uuid7(milliseconds(self.clock.now()), self.chance.randbytes(10)))

    def act(self, path: str, member: Member, **given: Any) -> dict[str, Any]:
        """A staff member's signed act that must be accepted."""
        body = {**given, "password": member.password}
        answer: dict[str, Any] = self.call("POST", path, member, json=body, headers={"Idempotency-Key": self.key()})
        if answer["outcome"] != "accepted":
            raise DemoLoadError(f"{path}: {answer['reason']}: {answer['detail']}")
        return answer

    def sign(self, member: Member, record_bytes: bytes) -> bytes:
        """A staff member's signature on a counter's record."""
        given = {"password": member.password, "record": pack(record_bytes)}
        return unpack(self.call("POST", "/v1/signatures", member, json=given)["authorisation"])

    def send(self, batch: bytes) -> list[dict[str, Any]]:
        """Upload a batch; the result of each item."""
        answer = self.call("POST", "/v1/transactions", data=batch, content_type="application/cbor")
        results: list[dict[str, Any]] = answer["results"]
        return results
