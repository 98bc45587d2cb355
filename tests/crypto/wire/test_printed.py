"""The printed form gives the signed receipt back, byte for byte, and there is one printed form of it."""

import base64
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto import tlog
from crypto.errors import CryptoError, MalformedMessage, UnknownVersion
from crypto.keys import Ed25519Signer, SoftwareSigner
from crypto.wire import printed, receipt
from crypto.wire.citykeys import CityKeys

WIRE = json.loads((Path(__file__).parents[2] / "vectors" / "wire-v1.json").read_text())
KEYS = CityKeys.parse(WIRE["city_keys"])
GOOD = [bytes.fromhex(c["hex"]) for c in WIRE["cases"] if c["message"] == "receipt" and c["error"] is None]


def unlettered(text: str) -> Any:
    return cbor2.loads(base64.b32decode(text + "=" * (-len(text) % 8)))


def lettered(parts: Any) -> str:
    return base64.b32encode(cbor2.dumps(parts, canonical=False)).decode().rstrip("=")


@pytest.mark.parametrize("data", GOOD)
def test_a_printed_receipt_is_the_receipt(data: bytes) -> None:
    text = printed.to_text(data)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    assert printed.from_text(text) == data
    assert printed.from_text(f"https://card.example.ph/verify#{text}") == data
    assert receipt.verify_receipt(printed.from_text(text), KEYS) == receipt.verify_receipt(data, KEYS)
    assert len(base64.b32decode(text + "=" * (-len(text) % 8))) < len(data) - 100
    assert printed.is_printed(text)
    assert not printed.is_printed(base64.urlsafe_b64encode(data).decode().rstrip("="))


def test_a_receipt_of_a_log_with_a_million_leaves_fits_a_code_that_is_easily_read() -> None:
    """Twenty hashes: 1,625 letters at most, which QR version 24 holds with the weakest correction."""
    said = receipt.peek_receipt(GOOD[0])
    size, index = 1 << 20, 777_777
    leaves = [tlog.leaf_hash(said.leaf()), *(bytes([level]) * 32 for level in range(1, 21))]
    root = tlog.root_from_inclusion(leaves[0], index, size, leaves[1:])
    signers = [tlog.NoteSigner("city.example/log", Ed25519Signer.from_secret(3))]
    grown = receipt.Receipt.from_map(
        said.encode()
        | {10: "OR-2026-000123", 12: index, 13: size, 14: list(leaves[1:])}
        | {15: tlog.sign_checkpoint(tlog.Checkpoint("city.example/log", size, root), signers)}
    )
    data = receipt.sign_receipt(grown, SoftwareSigner.from_secret(1))
    text = printed.to_text(data)
    assert printed.from_text(text) == data
    assert len(text) <= 1625


CHANGES: dict[str, Any] = {
    "another version": lambda parts: [2, *parts[1:]],
    "a part too many": lambda parts: [*parts, 0],
    "a part missing": lambda parts: parts[:-1],
    "no list": lambda parts: {"1": parts},
    "a key id as text": lambda parts: [parts[0], "key", *parts[2:]],
    "a short signature": lambda parts: [*parts[:2], parts[2][:-1], parts[3]],
    "half a hash": lambda parts: [*parts[:3], parts[3] | {14: parts[3][14] + b"\x00"}],
    "hashes as a list": lambda parts: [*parts[:3], parts[3] | {14: [parts[3][14][:32]]}],
    "no proof": lambda parts: [*parts[:3], {tag: value for tag, value in parts[3].items() if tag != 14}],
    "a whole checkpoint": lambda parts: [*parts[:3], parts[3] | {15: "city.example/log\n"}],
    "no signatures": lambda parts: [*parts[:3], parts[3] | {15: ["city.example/log", []]}],
    "five signatures": lambda parts: [*parts[:3], parts[3] | {15: ["city.example/log", [bytes(68)] * 5]}],
    "a signature as text": lambda parts: [*parts[:3], parts[3] | {15: ["city.example/log", ["x"]]}],
    "an origin of two lines": lambda parts: [*parts[:3], parts[3] | {15: ["a\nb", parts[3][15][1]]}],
    "an unknown field": lambda parts: [*parts[:3], parts[3] | {99: 1}],
    "a long proof": lambda parts: [*parts[:3], parts[3] | {14: bytes(32) * 40}],
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_form_is_refused(name: str) -> None:
    changed = lettered(CHANGES[name](unlettered(printed.to_text(GOOD[0]))))
    with pytest.raises(UnknownVersion if name == "another version" else CryptoError):
        receipt.verify_receipt(printed.from_text(changed), KEYS)


@pytest.mark.parametrize("text", ["", "#", "A", "QQ1", "qqa", "QQ======", "QR", "Q" * 40_000, "no letters"])
def test_what_is_no_letters_is_refused(text: str) -> None:
    with pytest.raises(MalformedMessage):
        printed.from_text(text)


@given(st.data())
def test_no_changed_letter_verifies(data: st.DataObject) -> None:
    text = printed.to_text(GOOD[0])
    place = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567").filter(lambda one: one != text[place]))
    with pytest.raises(CryptoError):
        receipt.verify_receipt(printed.from_text(text[:place] + letter + text[place + 1 :]), KEYS)


def test_a_receipt_with_a_witness_line_has_no_printed_form() -> None:
    said = receipt.peek_receipt(GOOD[0])
    witness = tlog.CosignatureSigner("witness.example", Ed25519Signer.from_secret(4))
    line = tlog.cosign(tlog.split_note(said.checkpoint)[0], witness, 7)
    longer = receipt.Receipt.from_map(said.encode() | {15: said.checkpoint + line})
    with pytest.raises(MalformedMessage, match="no printed form"):
        printed.to_text(receipt.sign_receipt(longer, SoftwareSigner.from_secret(1)))
