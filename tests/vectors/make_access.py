"""Makes access-v1.json: sign-ins and actions of two that must always be read, and as many that must always be refused.

Run `python -m tests.vectors.make_access` only to add cases; a case that was published never changes.
"""

import json
from typing import Any
from uuid import UUID

import cbor2

from crypto.wire.action import Action
from crypto.wire.ids import uuid7
from crypto.wire.login import Login
from tests.testdata import vectors

AT_MS = 1_780_000_000_000
PROPOSER = UUID("018f3c5e-7c00-7abc-8def-0123456789ac")
LOGIN = Login.of("https://card.example.ph", bytes(range(32))).encode()
ACTION = Action(
    uuid7(AT_MS, bytes(10)),
    "staff.roles",
    {"roles": ["auditor"], "staff_id": str(PROPOSER)},
    "Bigyan ng tungkulin (give a role)",
    PROPOSER,
    AT_MS,
    AT_MS + 86_400_000,
).encode()
EMPTY = Action(uuid7(AT_MS, b"\x01" * 10), "denials.release", {}, "Release", PROPOSER, AT_MS, AT_MS + 1).encode()
LOCAL = Login.of("http://127.0.0.1:8080", bytes(32)).encode()


def changed(data: bytes, place: int, value: Any) -> bytes:
    parts = cbor2.loads(data)
    parts[place] = value
    return cbor2.dumps(parts, canonical=True)


def cases() -> list[tuple[str, str, bytes, str | None]]:
    return [
        ("sign-in", "login", LOGIN, None),
        ("sign-in at an address with a port", "login", LOCAL, None),
        ("action", "action", ACTION, None),
        ("action without details", "action", EMPTY, None),
        ("sign-in of version 2", "login", changed(LOGIN, 1, 2), "unknown_version"),
        ("sign-in with a short nonce hash", "login", changed(LOGIN, 3, bytes(31)), "malformed"),
        ("sign-in with leftovers", "login", LOGIN + b"\x00", "malformed"),
        ("sign-in that is an action", "login", ACTION, "malformed"),
        ("action of version 2", "action", changed(ACTION, 1, 2), "unknown_version"),
        ("action that is a sign-in", "action", LOGIN, "malformed"),
        ("action that expires before it was proposed", "action", changed(ACTION, 8, AT_MS), "malformed"),
        ("action without a summary", "action", changed(ACTION, 5, ""), "malformed"),
        ("action with a number for a name", "action", changed(ACTION, 4, {1: "x"}), "malformed"),
        ("action with a float", "action", changed(ACTION, 4, {"amount": 1.5}), "malformed"),
        ("action of two lines", "action", changed(ACTION, 5, "one\ntwo"), "malformed"),
    ]


def document() -> str:
    """The file's text, one case a line."""
    lines = [
        json.dumps({"name": name, "message": kind, "error": error, "hex": data.hex()})
        for name, kind, data, error in cases()
    ]
    return '{"version": 1, "cases": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    vectors("access-v1.json").write_text(document())
