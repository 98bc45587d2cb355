"""Makes evidence-v1.json: the city's statements about keys and its seals, to be read or refused with a code.

Run `python -m tests.vectors.make_evidence` only to add cases; a case that was published never changes.
"""

import json
from typing import Any
from uuid import UUID

import cbor2

from crypto import cose, keys
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.tlog import NoteVerifier
from crypto.wire.citykeys import CityKeys
from crypto.wire.evidence import SEAL_AAD, STATEMENT_AAD, KeyStatement, KeyUse, Seal, sign_seal, sign_statement
from tests.testdata import vectors

AT_MS = 1_780_000_000_000
SIGNER = SoftwareSigner.from_secret(0xE71DE)
OTHER = SoftwareSigner.from_secret(0xE71DF)
LOG = NoteVerifier("evidence.example/log", Ed25519Signer.from_secret(0xE71DE).public_key)
CITY_KEYS = CityKeys((SIGNER.public_key,), (LOG,), (OTHER.public_key,))
HOLDER = UUID("018f3c5e-7c00-7abc-8def-0123456789ac")
STAFF = KeyStatement(
    use=KeyUse.STAFF.value,
    key=keys.spki(OTHER.public_key),
    issued_at_ms=AT_MS,
    from_ms=AT_MS - 1000,
    until_ms=AT_MS - 1,
    holder_id=HOLDER,
    detail="card",
)
SERVICE = KeyStatement(use=KeyUse.SERVICE.value, key=keys.spki(OTHER.public_key), issued_at_ms=AT_MS, from_ms=0)
SEAL = Seal(manifest_hash=bytes(range(32)), tree_size=123, root=bytes(32), taken_at_ms=AT_MS)


def _statement(content: dict[Any, Any], *, version: int = 1, domain: str = "city.key-statement") -> bytes:
    return _signed(cbor2.dumps([domain, version, content], canonical=True), STATEMENT_AAD)


def _signed(payload: bytes, aad: bytes, signer: SoftwareSigner = SIGNER) -> bytes:
    return cose.sign1(payload, signer, kid=keys.key_id(signer.public_key), external_aad=aad)


def cases() -> list[tuple[str, str, bytes, str | None]]:
    service: dict[Any, Any] = dict(SERVICE.encode())
    seal = cbor2.dumps(["city.evidence", 1, SEAL.encode()], canonical=True)
    return [
        ("a staff key for a while", "statement", sign_statement(STAFF, SIGNER), None),
        ("the service's key", "statement", sign_statement(SERVICE, SIGNER), None),
        ("a seal", "seal", sign_seal(SEAL, SIGNER), None),
        ("a statement by another key", "statement", sign_statement(STAFF, OTHER), "invalid_signature"),
        ("a seal by another key", "seal", sign_seal(SEAL, OTHER), "invalid_signature"),
        ("a statement as a seal", "seal", sign_statement(STAFF, SIGNER), "invalid_signature"),
        ("a seal as a statement", "statement", sign_seal(SEAL, SIGNER), "invalid_signature"),
        ("a seal signed as a statement", "statement", _signed(seal, STATEMENT_AAD), "malformed"),
        ("a statement of version 2", "statement", _statement(dict(service), version=2), "unknown_version"),
        ("a statement of another domain", "statement", _statement(dict(service), domain="city.record"), "malformed"),
        ("a statement about an unknown use", "statement", _statement({**service, 1: "anything"}), "malformed"),
        ("a statement with an unknown field", "statement", _statement({**service, 9: 1}), "malformed"),
        ("a statement without a time", "statement", _statement({1: "service", 2: b"\x00", 3: 1}), "malformed"),
        ("a statement with a default", "statement", _statement({**service, 5: None}), "malformed"),
        ("a seal with a short root", "seal", _signed(_seal({3: bytes(31)}), SEAL_AAD), "malformed"),
        ("a seal of a negative size", "seal", _signed(_seal({2: -1}), SEAL_AAD), "malformed"),
    ]


def _seal(changed: dict[Any, Any]) -> bytes:
    content: dict[Any, Any] = dict(SEAL.encode())
    return cbor2.dumps(["city.evidence", 1, content | changed], canonical=True)


def document() -> str:
    """The file's text, one case a line."""
    lines = [
        json.dumps({"name": name, "message": kind, "error": error, "hex": data.hex()})
        for name, kind, data, error in cases()
    ]
    city_keys = json.dumps(CITY_KEYS.format())
    return f'{{"version": 1, "city_keys": {city_keys}, "cases": [\n' + ",\n".join(lines) + "\n]}\n"


if __name__ == "__main__":
    vectors("evidence-v1.json").write_text(document())
