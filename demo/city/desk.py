"""How the demo city's staff and terminals reach the service: over its HTTP API, in process, at a clock that is set."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from flask import Flask

from cardsvc.clock import FixedClock, business_date
from crypto.wire.ids import uuid7
from demo.cast import Member
from demo.city.machines import milliseconds
from demo.office import Office, pack, unpack
from terminals.client import Reply


@dataclass(frozen=True, slots=True)
class InProcess:
    """A `Send` straight to a Flask app."""

    app: Flask

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Reply:
        answer = self.app.test_client(use_cookies=False).open(path, method=method, headers=dict(headers), data=body)
        return Reply(answer.status_code, answer.data)


@dataclass(slots=True)
class Desk:
    """`chance` makes the ids that a real client draws at random."""

    office: Office
    clock: FixedClock
    chance: random.Random

    def new_day(self, at: datetime) -> None:
        """Time goes on; whoever was signed in signs in again."""
        self.clock.set(at)
        self.office.tokens.clear()

    def today(self) -> date:
        """The city's date."""
        return business_date(self.clock.now())

    def act(self, path: str, member: Member, **given: Any) -> dict[str, Any]:
        """A staff member's signed act that must be accepted."""
        return self.office.act(path, member, self._fresh_key(), given)

    def sign(self, member: Member, record_bytes: bytes) -> bytes:
        """A staff member's signature on a counter's record."""
        given = {"password": member.password, "record": pack(record_bytes)}
        return unpack(self.office.call("POST", "/v1/signatures", member, json_body=given)["authorisation"])

    def send(self, batch: bytes) -> list[dict[str, Any]]:
        """Upload a batch; the result of each item."""
        answer = self.office.call("POST", "/v1/transactions", data=batch, content_type="application/cbor")
        results: list[dict[str, Any]] = answer["results"]
        return results

    def _fresh_key(self) -> UUID:
        return uuid7(milliseconds(self.clock.now()), self.chance.randbytes(10))
