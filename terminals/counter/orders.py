"""Which order is made into a card: the one that is named, or a resident's, ordered and approved if need be."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from terminals.client import CardView, ResidentView, StaffClient
from terminals.counter.errors import HoldsACard, NotApproved, ResidentUnknown

REQUESTED: Final = "requested"
MAKEABLE: Final = frozenset({"approved", "personalising", "ready"})
_HELD: Final = frozenset({"active", "suspended"})

Approver = Callable[[], StaffClient | None]
"""Signs the second person in; None when nobody was named."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Why the card held until now ends. `identity_checked`: the person was identified anew, from documents."""

    reason: str
    identity_checked: bool = False


def find_resident(staff: StaffClient, wanted: str) -> ResidentView:
    """By number or id. Raises: ResidentUnknown, ServiceRefused, ServiceUnreachable."""
    try:
        return staff.resident(UUID(wanted))
    except ValueError:
        pass
    for resident in staff.find_residents(wanted):
        if resident.number == wanted:
            return resident
    raise ResidentUnknown(wanted)


def order_of(staff: StaffClient, resident_id: UUID, replacement: Replacement | None = None) -> CardView:
    """The resident's order that is on its way, else a new one. Raises: HoldsACard: nothing says what becomes of it."""
    cards = staff.cards_of(resident_id)
    for card in cards:
        if card.state in MAKEABLE or card.state == REQUESTED:
            return card
    for card in cards:
        if card.state in _HELD:
            if replacement is None:
                raise HoldsACard(card.card_id, card.state)
            return staff.replace_card(card.card_id, replacement.reason, identity_checked=replacement.identity_checked)
    return staff.request_card(resident_id)


def approved(order: CardView, approver: Approver) -> CardView:
    """The order, approved by a second person where it still waits for that. Raises: NotApproved, ServiceRefused."""
    if order.state != REQUESTED:
        return order
    second = approver()
    if second is None:
        raise NotApproved(order.card_id)
    try:
        return second.approve_card(order.card_id)
    finally:
        second.sign_out()
