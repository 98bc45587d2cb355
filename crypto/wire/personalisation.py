"""What a card's keys sign while it is made, and when it shows that it is there: the service and the counter build the
same bytes here.

Each is deterministic CBOR under a domain of its own, so that none is ever a record, a sign-in or another of these. The
card signs the SHA-256; the signature travels as 64 bytes r || s with low s. Evolution: version 1 is fixed for ever.
"""

from uuid import UUID

from crypto import cbor

_VERSION = 1


def possession(card_id: UUID, slot: int, challenge: bytes, point: bytes) -> bytes:
    """Signed by the key in `slot` (its key reference, SP 800-73-5 part 1, table 4b), to show that the card holds it."""
    return cbor.encode(["city.possession", _VERSION, card_id.bytes, int(slot), challenge, point])


def readback(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9E after everything on the card was read back and compared."""
    return cbor.encode(["city.readback", _VERSION, card_id.bytes, challenge])


def handover(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9C with the PIN that the holder has just set."""
    return cbor.encode(["city.handover", _VERSION, card_id.bytes, challenge])


def presence(card_id: UUID, challenge: bytes) -> bytes:
    """Signed by 9E to show that the card is in the reader now; the challenge is fresh."""
    return cbor.encode(["city.presence-check", _VERSION, card_id.bytes, challenge])
