"""What a card signs while it is made: the statements that the service checks, of which the card signs the SHA-256."""

import hashlib

from crypto.wire.personalisation import handover, possession, readback
from terminals.card import PivSession, Slot

__all__ = ["handover", "possession", "readback", "signed_by"]


def signed_by(session: PivSession, slot: Slot, statement: bytes) -> bytes:
    """The card's signature over the statement, 64 bytes r || s."""
    return session.sign_digest(slot, hashlib.sha256(statement).digest())
