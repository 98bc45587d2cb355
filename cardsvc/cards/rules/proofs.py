"""How the service checks what a card signs while it is made (`crypto.wire.personalisation`)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from cardsvc.cards.rules.errors import InvalidPossession, InvalidPublicKey, ReusedKey, WrongSlots
from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.pki import CardSlot
from crypto.wire import personalisation

CHALLENGE_BYTES = 32

CARD_SLOTS = (CardSlot.AUTHENTICATION, CardSlot.SIGNATURE, CardSlot.CARD_AUTH)

PublicKey: TypeAlias = EllipticCurvePublicKey


@dataclass(frozen=True, slots=True)
class KeyProof:
    """A key the card says it made: the uncompressed point (65 bytes) and the key's signature over the possession."""

    slot: CardSlot
    point: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """A key that is a point of P-256 and signed this card's challenge."""

    slot: CardSlot
    public_key: PublicKey
    key_id: bytes
    spki: bytes


def prove(card_id: UUID, challenge: bytes, proofs: Sequence[KeyProof]) -> tuple[ProvenKey, ...]:
    """The keys, in the order of `CARD_SLOTS`, all of them proven.

    Raises: WrongSlots, InvalidPublicKey, ReusedKey (one key in two slots), InvalidPossession.
    """
    by_slot = {proof.slot: proof for proof in proofs}
    if len(proofs) != len(CARD_SLOTS) or set(by_slot) != set(CARD_SLOTS):
        raise WrongSlots
    proven: list[ProvenKey] = []
    for slot in CARD_SLOTS:
        key = _prove_one(card_id, challenge, by_slot[slot])
        if any(key.key_id == other.key_id for other in proven):
            raise ReusedKey(slot_name(slot))
        proven.append(key)
    return tuple(proven)


def _prove_one(card_id: UUID, challenge: bytes, proof: KeyProof) -> ProvenKey:
    name = slot_name(proof.slot)
    try:
        public_key = keys.load_point(proof.point)
    except MalformedMessage as error:
        raise InvalidPublicKey(name) from error
    statement = personalisation.possession(card_id, proof.slot, challenge, proof.point)
    try:
        keys.verify(public_key, statement, proof.signature)
    except InvalidSignature as error:
        raise InvalidPossession(name) from error
    return ProvenKey(proof.slot, public_key, keys.key_id(public_key), keys.spki(public_key))


def slot_number(slot: CardSlot) -> int:
    """The key reference (SP 800-73-5 part 1, table 4b): 0x9A, 0x9C or 0x9E."""
    return int(slot)


def slot_name(slot: CardSlot) -> str:
    """As people and the API write it: 9A, 9C or 9E."""
    return f"{slot_number(slot):02X}"


def slot_of(name: str) -> CardSlot:
    """The slot that `slot_name` wrote."""
    return _SLOTS[name]


_SLOTS = {slot_name(slot): slot for slot in CARD_SLOTS}
