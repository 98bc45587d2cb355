"""Making a card, step by step, at the counter.

A card may be pulled out, or an answer lost, between any two steps. Each step may be asked again: with the same proof it
gives the same answer, and `begin_personalisation` starts over with a new challenge, which makes every earlier proof
worthless. A card is `ready` and `active` only after its keys signed for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.cards import queries
from cardsvc.cards.actions.attempts import present_attempt
from cardsvc.cards.actions.eligible import find_eligible
from cardsvc.cards.actions.issuing import Press, management_key
from cardsvc.cards.actions.moves import RandomBytes, move
from cardsvc.cards.actions.objects import lay_out, sign_objects, written
from cardsvc.cards.actions.stock import use_blank
from cardsvc.cards.models import CardKeyRow, CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    CAPABILITIES,
    CHALLENGE_BYTES,
    DEFAULT_PRODUCT,
    DISCOVERY,
    PRINTED_TAG,
    SECURITY_TAG,
    CardState,
    InvalidMove,
    KeyProof,
    Move,
    Printed,
    ProvenKey,
    PublicKey,
    ReusedKey,
    expiry,
    management_algorithm,
    not_after,
    printed,
    product,
    prove,
    slot_name,
)
from cardsvc.settings import CardSettings
from cardsvc.vault import Vault
from crypto import keys
from crypto.pki import CardSlot

_PERSONALISABLE = frozenset({CardState.PERSONALISING, CardState.READY})


PLAIN = CardSettings()


@dataclass(frozen=True, slots=True)
class Instructions:
    """What a card is to become. `management_key` is its own 9B key, `algorithm` that key's identifier (SP 800-78-5).

    The keys sign `challenge`; `expires_on` is the card's last day; `name` and `number` are for the print. `printed` is
    the text that the chip repeats, `face` the content of its facial image object (CBEFF): None where the city does not
    write them onto chips.
    """

    card_id: UUID
    attempt: int
    management_key: bytes = field(repr=False)
    algorithm: int
    challenge: bytes
    expires_on: date
    name: str
    number: str
    printed: Printed | None = None
    face: bytes | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """What goes onto the card, byte for byte. `challenge` is what the finished card signs (readback and handover).

    `capabilities` (5FC107), `discovery` (7E, the whole object), `printed_information` (5FC109) and the facial image of
    the instructions are what the hashes of `security_object` (5FC106) stand for. None: the card gets no such object.
    """

    certificates: Mapping[CardSlot, bytes]
    chuid: bytes
    challenge: bytes
    capabilities: bytes = CAPABILITIES
    discovery: bytes = DISCOVERY
    printed_information: bytes | None = None
    security_object: bytes | None = None


def begin_personalisation(
    session: Session,
    vault: Vault,
    card_id: UUID,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    product_name: str = DEFAULT_PRODUCT,
    algorithm: int | None = None,
    blank_serial: str | None = None,
    terminal_id: UUID | None = None,
    settings: CardSettings = PLAIN,
    production: bool = False,
) -> Instructions:
    """Start an attempt to make the card, the first or, after a tear, another. Keys of an earlier attempt lose effect.

    `algorithm` is that of the card's management key where it is not the product's. Another blank than last time: the
    one of last time is spoiled.
    Raises: CardNotFound, InvalidMove, UnknownProduct, UnknownAlgorithm, WithdrawnAlgorithm, BlankNeeded, BlankNotFound,
    BlankInUse, WrongBlank, UnsuitablePhoto, ResidentNotEligible.
    """
    card = find_eligible(session, card_id)
    kind = product(product_name)
    chosen = management_algorithm(kind, algorithm, production=production)
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
        authority=None,
        management_algorithm=chosen,
        management_key=None,
        terminal_id=terminal_id,
        expires_on=expiry(now),
        personalised_by=by,
        personalised_at=now,
    )
    session.execute(update(CardKeyRow).where(CardKeyRow.card_id == card_id, CardKeyRow.active).values(active=False))
    required = settings.blanks_required
    serial = use_blank(session, card, blank_serial, kind.name, by=by, now=now, required=required)
    return _instructions(session, vault, card, chosen, challenge, serial, settings)


def _instructions(
    session: Session,
    vault: Vault,
    card: Card,
    algorithm: int,
    challenge: bytes,
    blank_serial: str | None,
    settings: CardSettings,
) -> Instructions:
    resident = residents.find(session, card.resident_id)
    assert card.expires_on is not None
    assert card.personalised_by is not None
    assert card.personalised_at is not None
    text = printed(
        card.id,
        name=resident.full_name,
        expires_on=card.expires_on,
        blank_serial=blank_serial,
        city_name=vault.city_name,
    )
    face = lay_out(session, vault, card, text, settings, card.personalised_at)
    residents.note_look(
        session,
        resident.id,
        actor=card.personalised_by,
        purpose="personalising a card",
        fields=("name", "photo") if face else ("name",),
        device_id=card.terminal_id,
        now=card.personalised_at,
    )
    return Instructions(
        card_id=card.id,
        attempt=card.attempt,
        management_key=management_key(vault, card.id, algorithm),
        algorithm=algorithm,
        challenge=challenge,
        expires_on=card.expires_on,
        name=resident.full_name,
        number=resident.number,
        printed=text if settings.printed_information else None,
        face=face,
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
    row = present_attempt(session, card_id, frozenset({CardState.PERSONALISING}), "certify")
    assert row.challenge is not None
    assert row.expires_on is not None
    proven = prove(card_id, row.challenge, proofs)
    present = queries.active_keys(session, card_id)
    if present:
        _same_keys(proven, present)
        assert row.chuid is not None
        assert row.readback_challenge is not None
        certified = {slot: der for slot, (_, der) in present.items()}
        return _issued(session, card_id, certified, row.chuid, row.readback_challenge)
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
    values = {"chuid": chuid, "readback_challenge": challenge, "authority": press.authority_id}
    session.execute(update(CardRow).where(CardRow.id == card_id).values(values))
    sign_objects(session, press, card_id, now)
    return _issued(session, card_id, certificates, chuid, challenge)


def _issued(
    session: Session, card_id: UUID, certificates: Mapping[CardSlot, bytes], chuid: bytes, challenge: bytes
) -> Issued:
    objects = written(session, card_id)
    return Issued(
        certificates,
        chuid,
        challenge,
        printed_information=objects.get(PRINTED_TAG),
        security_object=objects.get(SECURITY_TAG),
    )


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
