"""The statements of a card that is made, byte for byte: cards in use signed these, so they can never change."""

import json
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from crypto import keys
from crypto.errors import CryptoError, InvalidSeal
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret, OneTimeKey, SecretRequest
from tests.testdata import vectors
from tests.vectors import make_personalisation

TEXT = vectors("personalisation-v1.json").read_text()
PUBLISHED: dict[str, Any] = json.loads(TEXT)

CARD = UUID("4f1d3c52-8a7b-4c6e-9f00-0123456789ab")
ID = "50" + CARD.hex  # a byte string of 16
CHALLENGE = bytes(range(32))
NONCE = "5820" + CHALLENGE.hex()  # a byte string of 32
POINT = b"\x04" + bytes(range(64))


def text(value: str) -> str:
    """A text string shorter than 24 bytes (RFC 8949 3.1)."""
    return f"{0x60 + len(value):02x}{value.encode().hex()}"


def test_each_statement_is_the_bytes_that_cards_have_signed() -> None:
    possession = f"86{text('city.possession')}01{ID}189c{NONCE}5841{POINT.hex()}"
    assert personalisation.possession(CARD, 0x9C, CHALLENGE, POINT).hex() == possession
    assert personalisation.readback(CARD, CHALLENGE).hex() == f"84{text('city.readback')}01{ID}{NONCE}"
    assert personalisation.handover(CARD, CHALLENGE).hex() == f"84{text('city.handover')}01{ID}{NONCE}"
    assert personalisation.presence(CARD, CHALLENGE).hex() == f"84{text('city.presence-check')}01{ID}{NONCE}"


def test_no_statement_is_another() -> None:
    made = {
        personalisation.readback(CARD, CHALLENGE),
        personalisation.handover(CARD, CHALLENGE),
        personalisation.presence(CARD, CHALLENGE),
        *(personalisation.possession(CARD, slot, CHALLENGE, POINT) for slot in (0x9A, 0x9C, 0x9E)),
    }
    assert len(made) == 6


@pytest.mark.parametrize("case", PUBLISHED["requests"], ids=lambda case: case["name"])
def test_a_published_request_keeps_its_verdict(case: dict[str, Any]) -> None:
    data = bytes.fromhex(case["hex"])
    if case["error"] is None:
        assert SecretRequest.decode(data).encode() == data
        return
    with pytest.raises(CryptoError) as refused:
        SecretRequest.decode(data)
    assert refused.value.code == case["error"]


@pytest.mark.parametrize("case", PUBLISHED["messages"], ids=lambda case: case["name"])
def test_a_published_message_keeps_its_verdict(case: dict[str, Any]) -> None:
    data, key = bytes.fromhex(case["hex"]), keys.load_spki(bytes.fromhex(PUBLISHED["terminal_key"]))
    if case["error"] is None:
        assert personalisation.open_request(data, key) == personalisation.peek_request(data)
        return
    with pytest.raises(CryptoError) as refused:
        personalisation.open_request(data, key)
    assert refused.value.code == case["error"]


@pytest.mark.parametrize("case", PUBLISHED["seals"], ids=lambda case: case["name"])
def test_a_published_seal_opens_or_stays_shut(case: dict[str, Any]) -> None:
    one_time = OneTimeKey(ec.derive_private_key(int(PUBLISHED["one_time_scalar"], 16), ec.SECP256R1()))
    request, sealed = SecretRequest.decode(bytes.fromhex(case["request"])), bytes.fromhex(case["hex"])
    if case["error"] is None:
        assert one_time.unseal(sealed, request).hex() == case["secret"]
        return
    with pytest.raises(CryptoError) as refused:
        one_time.unseal(sealed, request)
    assert refused.value.code == case["error"]


def test_the_file_is_what_its_maker_makes() -> None:
    assert make_personalisation.document() == TEXT


def test_a_seal_opens_with_its_own_key_and_for_its_own_request_only() -> None:
    mine, other = OneTimeKey.generate(), OneTimeKey.generate()
    request = SecretRequest(CardSecret.PUK, CARD, CARD, 3, mine.point)
    sealed = personalisation.seal(b"12345678", request)
    assert mine.unseal(sealed, request) == b"12345678"
    assert b"12345678" not in sealed
    assert personalisation.seal(b"12345678", request) != sealed
    with pytest.raises(InvalidSeal):
        other.unseal(sealed, request)
    for another in (
        SecretRequest(CardSecret.MANAGEMENT_KEY, CARD, CARD, 3, mine.point),
        SecretRequest(CardSecret.PUK, CARD, CARD, 4, mine.point),
        SecretRequest(CardSecret.PUK, CARD, UUID(int=5), 3, mine.point),
        SecretRequest(CardSecret.PUK, UUID(int=5), CARD, 3, mine.point),
    ):
        with pytest.raises(InvalidSeal):
            mine.unseal(sealed, another)
