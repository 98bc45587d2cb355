"""Makes passkey-v1.json: assertions of passkeys over one record, which must always verify or always be refused.

Run `python -m tests.vectors.make_passkey` only to add cases; a case that was published never changes. The browser's and
the authenticator's parts are put together here after WebAuthn Level 2 (5.8.1 and 6.1), as tests/passkeys.py does too.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import cbor2

from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.wire.passkey import Assertion
from tests.passkeys import authenticator, unpadded
from tests.testdata import vectors
from tests.vectors.make_wire import CARD, TRANSACTION, record_of
from tests.vectors.wire_bodies import BODIES

PASSKEY = SoftwareSigner.from_secret(1005)
ORIGIN = "https://card.example.ph"
RP_ID = "card.example.ph"
RECORD = replace(record_of(BODIES[6]), sequence=0).encode()
MALFORMED, WRONG = "malformed", "invalid_signature"


@dataclass(frozen=True)
class Case:
    """`error` is the code of the refusal, None where it must verify."""

    name: str
    data: bytes
    error: str | None = None


def client(**changes: Any) -> bytes:
    challenge = unpadded(hashlib.sha256(RECORD).digest())
    said = {"type": "webauthn.get", "challenge": challenge, "origin": ORIGIN, "crossOrigin": False} | changes
    return json.dumps(
        {name: value for name, value in said.items() if value is not None}, separators=(",", ":")
    ).encode()


def assertion(authenticator_data: bytes, client_data: bytes, signer: SoftwareSigner = PASSKEY) -> Assertion:
    signature = signer.sign(authenticator_data + hashlib.sha256(client_data).digest())
    return Assertion(keys.key_id(PASSKEY.public_key), authenticator_data, client_data, signature)


def data(**changes: Any) -> bytes:
    return authenticator(**({"rp_id": RP_ID} | changes))


GOOD = assertion(data(), client())


def valid() -> Iterator[Case]:
    yield Case("one that does not count", GOOD.encode())
    yield Case("one that counts", assertion(data(counter=7), client()).encode())
    yield Case("a browser that says nothing of other origins", assertion(data(), client(crossOrigin=None)).encode())
    yield Case(
        "a browser that says more", assertion(data(), client(other_keys_can_be_added_here="do not compare")).encode()
    )
    yield Case("a passkey that is backed up", assertion(data(flags=0x1D), client()).encode())
    yield Case("with extensions", assertion(data(flags=0x85, after=cbor2.dumps({"uvm": True})), client()).encode())


def invalid() -> Iterator[Case]:
    clients: dict[str, tuple[bytes, str]] = {
        "of a registration": (client(type="webauthn.create"), WRONG),
        "about another record": (client(challenge=unpadded(hashlib.sha256(b"").digest())), WRONG),
        "with a padded challenge": (client(challenge=unpadded(hashlib.sha256(RECORD).digest()) + "="), WRONG),
        "without a challenge": (client(challenge=None), WRONG),
        "at another origin": (client(origin="https://card.example.com"), WRONG),
        "at another port": (client(origin=ORIGIN + ":444"), WRONG),
        "inside another site's page": (client(crossOrigin=True), WRONG),
        "inside a page that it names": (client(topOrigin="https://evil.example"), WRONG),
        "that is a list": (b"[]", MALFORMED),
        "that is not UTF-8": (client() + b"\xff", MALFORMED),
        "with something after it": (client() + b"{}", MALFORMED),
        "that says its origin twice": (client()[:-1] + b',"origin":"https://card.example.ph"}', MALFORMED),
    }
    for name, (client_data, error) in clients.items():
        yield Case(f"client data {name}", assertion(data(), client_data).encode(), error)
    authenticators: dict[str, tuple[bytes, str]] = {
        "of another site": (data(rp_id="example.ph"), WRONG),
        "without the user's presence": (data(flags=0x04), WRONG),
        "without the user's verification": (data(flags=0x01), WRONG),
        "with a reserved flag": (data(flags=0x07), MALFORMED),
        "with another reserved flag": (data(flags=0x25), MALFORMED),
        "with a new credential": (data(flags=0x45), MALFORMED),
        "backed up without being eligible": (data(flags=0x15), MALFORMED),
        "with leftovers": (data(after=b"\x00"), MALFORMED),
        "with extensions that are missing": (data(flags=0x85), MALFORMED),
        "with extensions that are no map": (data(flags=0x85, after=b"\x80"), MALFORMED),
        "with leftovers after the extensions": (data(flags=0x85, after=b"\xa0\x00"), MALFORMED),
    }
    for name, (authenticator_data, error) in authenticators.items():
        yield Case(f"authenticator data {name}", assertion(authenticator_data, client()).encode(), error)
    yield Case("signed by another key", assertion(data(), client(), CARD).encode(), WRONG)
    yield from _wrong_parts()


def _wrong_parts() -> Iterator[Case]:
    s = keys.ORDER - int.from_bytes(GOOD.signature[32:], "big")
    yield Case("with a high s", replace(GOOD, signature=GOOD.signature[:32] + s.to_bytes(32, "big")).encode(), WRONG)
    parts = cbor2.loads(GOOD.encode())
    for name, place, value in (
        ("of another domain", 0, "city.record"),
        ("with a key id of 15 bytes", 2, bytes(15)),
        ("with authenticator data of 36 bytes", 3, bytes(36)),
        ("with client data as text", 4, "{}"),
        ("with a signature in DER", 5, keys.raw_to_der(GOOD.signature)),
    ):
        yield Case(name, cbor2.dumps([*parts[:place], value, *parts[place + 1 :]]), MALFORMED)
    yield Case("of version 2", cbor2.dumps([parts[0], 2, *parts[2:]]), "unknown_version")
    yield Case("with a part too many", cbor2.dumps([*parts, 0]), MALFORMED)
    yield Case("with leftovers", GOOD.encode() + b"\x00", MALFORMED)
    yield Case("that is a COSE message", TRANSACTION.authorisations[0].cose, MALFORMED)


def document() -> str:
    cases = [{"name": c.name, "error": c.error, "hex": c.data.hex()} for c in (*valid(), *invalid())]
    content = {
        "origin": ORIGIN,
        "key": keys.point(PASSKEY.public_key).hex(),
        "record": RECORD.hex(),
        "cases": cases,
    }
    return json.dumps(content, indent=1) + "\n"


if __name__ == "__main__":
    vectors("passkey-v1.json").write_text(document())
