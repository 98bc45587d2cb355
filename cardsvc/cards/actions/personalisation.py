"""Making a card, step by step, at the counter.

A card may be pulled out, or an answer lost, between any two steps. Each step may be asked again: with the same proof it
gives the same answer, and `begin_personalisation` starts over with a new challenge, which makes every earlier proof
worthless. A card is `ready` and `active` only after its keys signed for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.cards import queries
from cardsvc.cards.actions.issuing import Press, management_key
from cardsvc.cards.actions.moves import RandomBytes, move
from cardsvc.cards.models import CardKeyRow, CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    CHALLENGE_BYTES,
    DEFAULT_PRODUCT,
    CardNotActive,
    CardNotFound,
    CardState,
    InvalidHandover,
    InvalidMove,
    InvalidReadback,
    KeyProof,
    Move,
    NotCertified,
    PresenceNotProven,
    ProvenKey,
    PublicKey,
    ReusedKey,
    expiry,
    handover_statement,
    not_after,
    presence_statement,
    product,
    prove,
    readback_statement,
    slot_name,
)
from cardsvc.errors import CityError
from cardsvc.vault import Vault
from crypto import keys
from crypto.errors import InvalidSignature
from crypto.pki import CardSlot

_PERSONALISABLE = frozenset({CardState.PERSONALISING, CardState.READY})


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a card is to become. `management_key` is its own 9B key, `algorithm` that key's identifier (SP 800-78-5).

    The keys sign `challenge`; `expires_on` is the card's last day; `name` and `number` are for the print.
    """

    card_id: UUID
    attempt: int
    management_key: bytes
    algorithm: int
    challenge: bytes
    expires_on: date
    name: str
    number: str


@dataclass(frozen=True, slots=True)
class Issued:
    """What goes onto the card, byte for byte. `challenge` is what the finished card signs (readback and handover)."""

    certificates: Mapping[CardSlot, bytes]
    chuid: bytes
    challenge: bytes


def begin_personalisation(
    session: Session,
    vault: Vault,
    card_id: UUID,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    product_name: str = DEFAULT_PRODUCT,
) -> Instructions:
    """Start an attempt to make the card, the first or, after a tear, another. Keys of an earlier attempt lose effect.

    Raises: CardNotFound, InvalidMove, UnknownProduct.
    """
    card = queries.find(session, card_id)
    kind = product(product_name)
    challenge = random_bytes(CHALLENGE_BYTES)
    card = move(
        session,
        card,
        Move.BEGIN,
        by=by,
        now=now,
        attempt=card.attempt + 1,
        product=kind.name,
        challenge=challenge,
        readback_challenge=None,
        chuid=None,
        expires_on=expiry(now),
        personalised_by=by,
        personalised_at=now,
    )
    session.execute(update(CardKeyRow).where(CardKeyRow.card_id == card_id, CardKeyRow.active).values(active=False))
    resident = residents.find(session, card.resident_id)
    assert card.expires_on is not None
    return Instructions(
        card_id=card_id,
        attempt=card.attempt,
        management_key=management_key(vault, card_id, kind),
        algorithm=kind.algorithm,
        challenge=challenge,
        expires_on=card.expires_on,
        name=resident.full_name,
        number=resident.number,
    )


def certify(
    session: Session,
    vault: Vault,
    card_id: UUID,
    proofs: Sequence[KeyProof],
    *,
    now: datetime,
    random_bytes: RandomBytes,
) -> Issued:
    """Certify the keys the card made, once each has proven itself. The same keys again: the same answer.

    Raises: CardNotFound, InvalidMove, WrongSlots, InvalidPublicKey, InvalidPossession, ReusedKey.
    """
    row = _present_attempt(session, card_id, frozenset({CardState.PERSONALISING}), "certify")
    assert row.challenge is not None
    assert row.expires_on is not None
    proven = prove(card_id, row.challenge, proofs)
    present = queries.active_keys(session, card_id)
    if present:
        _same_keys(proven, present)
        assert row.chuid is not None
        assert row.readback_challenge is not None
        return Issued({slot: der for slot, (_, der) in present.items()}, row.chuid, row.readback_challenge)
    _never_seen(session, proven)
    press = Press.of(vault)
    certificates = press.certificates(card_id, proven, row.expires_on, now=now, random_bytes=random_bytes)
    chuid = press.chuid(card_id, row.expires_on)
    challenge = random_bytes(CHALLENGE_BYTES)
    session.execute(
        insert(CardKeyRow),
        [
            {
                "key_id": key.key_id,
                "card_id": card_id,
                "attempt": row.attempt,
                "slot": slot_name(key.slot),
                "public_key": key.spki,
                "certificate": certificates[key.slot],
                "not_after": not_after(row.expires_on),
                "active": True,
            }
            for key in proven
        ],
    )
    session.execute(update(CardRow).where(CardRow.id == card_id).values(chuid=chuid, readback_challenge=challenge))
    return Issued(certificates, chuid, challenge)


def report_ready(session: Session, card_id: UUID, signature: bytes, *, by: UUID, now: datetime) -> Card:
    """The counter read everything back and compared; 9E signed for it. Reported again, nothing changes.

    Raises: CardNotFound, InvalidMove, NotCertified, InvalidReadback.
    """
    row = _present_attempt(session, card_id, _PERSONALISABLE, Move.READY)
    statement = readback_statement(card_id, _readback_challenge(row))
    _verify(session, card_id, CardSlot.CARD_AUTH, statement, signature, InvalidReadback())
    card = queries.find(session, card_id)
    return card if card.state is CardState.READY else move(session, card, Move.READY, by=by, now=now)


def hand_over(session: Session, card_id: UUID, signature: bytes, *, by: UUID, now: datetime) -> Card:
    """The holder set the PIN and used it: 9C signed for it, and the card is active. Reported again, nothing changes.

    Raises: CardNotFound, InvalidMove, InvalidHandover; ActiveCardExists where the resident holds another card.
    """
    row = _present_attempt(session, card_id, frozenset({CardState.READY, CardState.ACTIVE}), Move.HAND_OVER)
    statement = handover_statement(card_id, _readback_challenge(row))
    _verify(session, card_id, CardSlot.SIGNATURE, statement, signature, InvalidHandover())
    card = queries.find(session, card_id)
    if card.state is CardState.ACTIVE:
        return card
    return move(session, card, Move.HAND_OVER, by=by, now=now, handed_over_by=by, handed_over_at=now)


def verify_presence(session: Session, card_id: UUID, challenge: bytes, signature: bytes, *, now: datetime) -> Card:
    """The card, when 9E signed the fresh challenge and the card may be used now.

    Raises: CardNotFound, PresenceNotProven, CardNotActive.
    """
    card = queries.find(session, card_id)
    statement = presence_statement(card_id, challenge)
    _verify(session, card_id, CardSlot.CARD_AUTH, statement, signature, PresenceNotProven())
    if card.state is not CardState.ACTIVE:
        raise CardNotActive(card.state)
    assert card.expires_on is not None
    if now > not_after(card.expires_on):
        raise CardNotActive(CardState.EXPIRED)
    return card


def _present_attempt(session: Session, card_id: UUID, states: frozenset[CardState], move_name: str) -> CardRow:
    query = select(CardRow).where(CardRow.id == card_id).with_for_update()
    row = session.execute(query.execution_options(populate_existing=True)).scalar_one_or_none()
    if row is None:
        raise CardNotFound
    if CardState(row.state) not in states:
        raise InvalidMove(move_name, row.state)
    return row


def _readback_challenge(row: CardRow) -> bytes:
    if row.readback_challenge is None:
        raise NotCertified
    return row.readback_challenge


def _verify(
    session: Session, card_id: UUID, slot: CardSlot, statement: bytes, signature: bytes, failure: CityError
) -> None:
    found = queries.active_keys(session, card_id).get(slot)
    if found is None:
        raise NotCertified
    try:
        keys.verify(found[0], statement, signature)
    except InvalidSignature as error:
        raise failure from error


def _same_keys(proven: Sequence[ProvenKey], present: Mapping[CardSlot, tuple[PublicKey, bytes]]) -> None:
    """In one attempt a card is certified once: other keys need another attempt, with its own challenge."""
    for key in proven:
        if keys.spki(present[key.slot][0]) != key.spki:
            raise InvalidMove("certify other keys", CardState.PERSONALISING)


def _never_seen(session: Session, proven: Sequence[ProvenKey]) -> None:
    query = select(CardKeyRow.key_id).where(CardKeyRow.key_id.in_([key.key_id for key in proven]))
    seen = set(session.scalars(query))
    for key in proven:
        if key.key_id in seen:
            raise ReusedKey(slot_name(key.slot))
