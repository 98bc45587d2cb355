"""What goes onto the chip beside certificates and CHUID: decided when an attempt begins, kept until it is finished."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.cards.actions.issuing import Press
from cardsvc.cards.models import CardObjectRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    CAPABILITIES,
    CAPABILITIES_TAG,
    DISCOVERY,
    DISCOVERY_HEADER_BYTES,
    DISCOVERY_TAG,
    FACE_CREATOR,
    FACE_TAG,
    PRINTED_TAG,
    SECURITY_TAG,
    Printed,
    UnsuitablePhoto,
    not_after,
)
from cardsvc.settings import CardSettings
from cardsvc.vault import Vault
from crypto import pki
from crypto.errors import MalformedMessage

_HEX = 16


def lay_out(
    session: Session, vault: Vault, card: Card, text: Printed, settings: CardSettings, now: datetime
) -> bytes | None:
    """Keep what this attempt writes, instead of what the last one did; returns the facial image, if there is one.

    Raises: UnsuitablePhoto.
    """
    forget(session, card.id)
    if settings.printed_information:
        information = pki.PrintedInformation(text.name, text.affiliation, text.expires_on, text.serial, text.issuer)
        _keep(session, card.id, PRINTED_TAG, pki.printed_information(information))
    photo = residents.photo(session, card.resident_id) if settings.face else None
    if photo is None:
        return None
    assert card.expires_on is not None
    face = pki.Face(photo.content, photo.width, photo.height, now, not_after(card.expires_on), FACE_CREATOR)
    try:
        content = pki.face_object(face, card.id, vault.signer("content"), vault.certificate("content"))
    except MalformedMessage as error:
        raise UnsuitablePhoto from error
    _keep(session, card.id, FACE_TAG, content)
    return content


def sign_objects(session: Session, press: Press, card_id: UUID, now: datetime) -> None:
    """Sign the hashes of what is written: the security object is made once an attempt and kept."""
    kept = written(session, card_id)
    objects = {
        CAPABILITIES_TAG: CAPABILITIES,
        DISCOVERY_TAG: DISCOVERY[DISCOVERY_HEADER_BYTES:],
        **{tag: content for tag, content in kept.items() if tag != SECURITY_TAG},
    }
    numbered = {int(tag, _HEX): content for tag, content in objects.items()}
    signed = pki.security_object(numbered, press.content_signer, press.content, now)
    _keep(session, card_id, SECURITY_TAG, signed)


def written(session: Session, card_id: UUID) -> dict[str, bytes]:
    """What the present attempt writes, by its tag in hex; empty once the card is ready."""
    query = select(CardObjectRow.tag, CardObjectRow.content).where(CardObjectRow.card_id == card_id)
    return {row.tag: row.content for row in session.execute(query)}


def forget(session: Session, card_id: UUID) -> None:
    """What is on the chip need not be in the database too: a face least of all."""
    session.execute(delete(CardObjectRow).where(CardObjectRow.card_id == card_id))


def _keep(session: Session, card_id: UUID, tag: str, content: bytes) -> None:
    session.execute(insert(CardObjectRow).values(card_id=card_id, tag=tag, content=content))
