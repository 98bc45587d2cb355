"""Who may have a card: an active resident, whose last card did not end for a reason that forbids the next one."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.cards import queries
from cardsvc.cards.models import CardRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import HELD, ResidentNotEligible, RevocationReason, check_plain_order
from cardsvc.residents import ResidentStatus


def check_resident(session: Session, resident_id: UUID) -> None:
    """The register may have changed since the order. Raises: residents.ResidentNotFound, ResidentNotEligible."""
    resident = residents.find(session, resident_id)
    if resident.status != ResidentStatus.ACTIVE:
        raise ResidentNotEligible(resident.number, resident.status)


def find_eligible(session: Session, card_id: UUID) -> Card:
    """The card, of a resident who may have one. Raises: CardNotFound, ResidentNotEligible."""
    card = queries.find(session, card_id)
    check_resident(session, card.resident_id)
    return card


def check_order(session: Session, resident_id: UUID, *, identity_checked: bool) -> RevocationReason | None:
    """For which reason the resident's last card ended, where that asks for something before a new one.

    The card in use is held still meanwhile: whoever revokes it waits, and then finds the order.
    Raises: residents.ResidentNotFound, ResidentNotEligible, IdentityNotChecked.
    """
    check_resident(session, resident_id)
    in_use = CardRow.state.in_([state.value for state in HELD])
    session.execute(select(CardRow.id).where(CardRow.resident_id == resident_id, in_use).with_for_update())
    reason = queries.ended_for(session, resident_id)
    return None if reason is None else check_plain_order(reason, identity_checked=identity_checked)
