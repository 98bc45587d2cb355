"""Makes personalisation-v1.json: requests for a card's secret and sealed answers, to be read or refused for ever.

Run `python -m tests.vectors.make_personalisation` only to add cases; a case that was published never changes. A seal is
random by its nature: the two here were made once.
"""

import json
from typing import Any
from uuid import UUID

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret, OneTimeKey, SecretRequest
from tests.testdata import vectors

TERMINAL = UUID("018f3c5e-7c00-7abc-8def-0123456789ac")
CARD = UUID("4f1d3c52-8a7b-4c6e-9f00-0123456789ab")
SCALAR = 0x5EA1ED  # of the one-time key
ONE_TIME = OneTimeKey(ec.derive_private_key(SCALAR, ec.SECP256R1()))
COUNTER = SoftwareSigner.from_secret(77)
STRANGER = SoftwareSigner.from_secret(78)

MANAGEMENT = SecretRequest(CardSecret.MANAGEMENT_KEY, TERMINAL, CARD, 2, ONE_TIME.point)
PUK = SecretRequest(CardSecret.PUK, TERMINAL, CARD, 7, ONE_TIME.point)
SIGNED = personalisation.sign_request(MANAGEMENT, COUNTER)

KEY = bytes(range(32))
SEALED_KEY = bytes.fromhex(
    "04ec95a7015daeb3fce4983818dd326d8f7bdf6f0c7e8b35ecaffb870dee34846af1523ad8e66ac2727dcec6bf3cba32b8ba"
    "f40c5d1ff3f72be7031ebac584cc12984a0893e3bc8cc1356751d6fed3228cea39329e7586d17118a730becaf39cc0b9eeb3"
    "1fbbd0f88b3c129656274fed63"
)
SEALED_PUK = bytes.fromhex(
    "0486effa5cdafbaf5041206f2bd347380e5b9bf2a0d58702ebf399437e55cb9f2b0923d563145afc6525eaef0e80cd7cb1f2"
    "af56a999a95950014d765592e93939cf09b5330609e5251cc0be01dc42e203af8058efc89fa001"
)


def changed(data: bytes, place: int, value: Any) -> bytes:
    parts = cbor2.loads(data)
    parts[place] = value
    return cbor2.dumps(parts, canonical=True)


def flipped(data: bytes, place: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


def requests() -> list[tuple[str, bytes, str | None]]:
    """Payloads, and what reading each ends in."""
    data = MANAGEMENT.encode()
    return [
        ("a request for a management key", data, None),
        ("a request for a PUK", PUK.encode(), None),
        ("for a secret nobody knows", changed(data, 2, "pin"), "malformed"),
        ("of version 2", changed(data, 1, 2), "unknown_version"),
        ("another statement of the counter", changed(data, 0, "city.readback"), "malformed"),
        ("with a negative step", changed(data, 5, -1), "malformed"),
        ("with a true step", changed(data, 5, True), "malformed"),
        ("with a short card id", changed(data, 4, CARD.bytes[:-1]), "malformed"),
        ("with a point off the curve", changed(data, 6, flipped(ONE_TIME.point, 64)), "malformed"),
        ("with a compressed point", changed(data, 6, b"\x02" + ONE_TIME.point[1:33]), "malformed"),
        ("with leftovers", data + b"\x00", "malformed"),
    ]


def messages() -> list[tuple[str, bytes, str | None]]:
    """Requests as sent, and what opening each with the counter's key ends in."""
    request = MANAGEMENT.encode()
    return [
        ("signed by the counter", SIGNED, None),
        ("signed by another terminal", personalisation.sign_request(MANAGEMENT, STRANGER), "invalid_signature"),
        ("for another card than was signed", SIGNED.replace(request, changed(request, 4, TERMINAL.bytes)),
         "invalid_signature"),
        ("cut short", SIGNED[:-1], "malformed"),
        ("too long", SIGNED + bytes(personalisation.REQUEST_BYTES_MAX), "malformed"),
    ]  # fmt: skip


def seals() -> list[tuple[str, SecretRequest, bytes, str | None]]:
    """Sealed answers, and what opening each for the request ends in; None for the secret itself."""
    return [
        ("a management key", MANAGEMENT, SEALED_KEY, None),
        ("a PUK", PUK, SEALED_PUK, None),
        ("the answer to another request", PUK, SEALED_KEY, "invalid_seal"),
        ("changed in its point", MANAGEMENT, flipped(SEALED_KEY, 40), "invalid_seal"),
        ("changed in the secret", MANAGEMENT, flipped(SEALED_KEY, 70), "invalid_seal"),
        ("changed in its tag", MANAGEMENT, flipped(SEALED_KEY, len(SEALED_KEY) - 1), "invalid_seal"),
        ("cut short", MANAGEMENT, SEALED_KEY[:-1], "invalid_seal"),
        ("too long", MANAGEMENT, SEALED_KEY + bytes(100), "invalid_seal"),
        ("empty", MANAGEMENT, b"", "invalid_seal"),
    ]


def document() -> str:
    """The file's text, one case a line."""
    secret = {SEALED_KEY: KEY.hex(), SEALED_PUK: b"12345678".hex()}
    parts = {
        "requests": [{"name": name, "error": error, "hex": data.hex()} for name, data, error in requests()],
        "messages": [{"name": name, "error": error, "hex": data.hex()} for name, data, error in messages()],
        "seals": [
            {"name": name, "error": error, "request": request.encode().hex(), "hex": data.hex(),
             "secret": None if error else secret[data]}
            for name, request, data, error in seals()
        ],
    }  # fmt: skip
    keyed = f'"terminal_key": "{keys.spki(COUNTER.public_key).hex()}", "one_time_scalar": "{SCALAR:064x}"'
    lists = [f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in parts.items()]
    return f'{{"version": 1, {keyed},\n' + ",\n".join(lists) + "}\n"


if __name__ == "__main__":
    vectors("personalisation-v1.json").write_text(document())
