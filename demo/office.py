"""The offices' side of the API, as their own programs would call it: JSON over HTTP, signed in as somebody."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from demo.cast import Member
from terminals.client import Send

REFUSED: Final = 400
_SAID_MAX: Final = 600


class OfficeError(Exception):
    """The service refused what the demo asked of it; the message holds the service's own words."""

    code = "demo_refused"

    def __init__(self, what: str, *, status: int = 0) -> None:
        super().__init__(what)
        self.status = status


def unpack(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def pack(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass(slots=True)
class Office:
    """Calls as members of staff, who are signed in when they are first needed."""

    send: Send
    tokens: dict[str, tuple[str, UUID]] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        member: Member | None = None,
        *,
        json_body: Any = None,
        data: bytes | None = None,
        content_type: str = "application/json",
        key: UUID | None = None,
    ) -> Any:
        """One call; what it answers. Raises: OfficeError, ServiceUnreachable."""
        headers: dict[str, str] = {}
        if json_body is not None:
            data = json.dumps(json_body).encode()
        if data is not None:
            headers["Content-Type"] = content_type
        if key is not None:
            headers["Idempotency-Key"] = str(key)
        if member is not None:
            headers["Authorization"] = f"Bearer {self.sign_in(member)[0]}"
        reply = self.send(method, path, headers, data)
        if reply.status >= REFUSED:
            said = reply.body.decode("utf-8", "replace")[:_SAID_MAX]
            raise OfficeError(f"{method} {path}: {reply.status} {said}", status=reply.status)
        return json.loads(reply.body) if reply.body else None

    def sign_in(self, member: Member) -> tuple[str, UUID]:
        """The token and id of a member of staff."""
        held = self.tokens.get(member.username)
        if held is None:
            given = {"username": member.username, "password": member.password}
            made = self.call("POST", "/v1/sign-in", json_body=given)
            held = self.tokens[member.username] = made["token"], UUID(made["staff_id"])
        return held

    def act(self, path: str, member: Member, key: UUID, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """An act under a member's own signature, which must be accepted. `key` is its record id: again is the same."""
        body = {**(given or {}), "password": member.password}
        answer: dict[str, Any] = self.call("POST", path, member, json_body=body, key=key)
        if answer["outcome"] != "accepted":
            raise OfficeError(f"{path}: {answer['reason']}: {answer['detail']}")
        return answer
