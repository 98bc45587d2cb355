"""The statements of a card that is made, byte for byte: cards in use signed these, so they can never change."""

from uuid import UUID

from crypto.wire import personalisation

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
