"""What a card signs while it is made. The service builds the same bytes: CBOR, of which the card signs the SHA-256."""

import hashlib
from uuid import UUID

from crypto import cbor
from terminals.card import PivSession, Slot

_VERSION = 1


def possession(card_id: UUID, slot: Slot, challenge: bytes, point: bytes) -> bytes:
    """Signed by the key in `slot`, to show that the card holds it."""
    return cbor.encode(["city.possession", _VERSION, card_id.bytes, int(slot), challenge, point])


def readback(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9E after everything on the card was read back and compared."""
    return cbor.encode(["city.readback", _VERSION, card_id.bytes, challenge])


def handover(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9C with the PIN that the holder has just set."""
    return cbor.encode(["city.handover", _VERSION, card_id.bytes, challenge])


def signed_by(session: PivSession, slot: Slot, statement: bytes) -> bytes:
    """The card's signature over the statement, 64 bytes r || s."""
    return session.sign_digest(slot, hashlib.sha256(statement).digest())
