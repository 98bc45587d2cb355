"""Is this card genuine, and may it be used? A fresh challenge to 9E, the chain, and what the service says of it."""

from dataclasses import dataclass
from uuid import UUID

from terminals.card import NotAllowed, PivSession, Slot
from terminals.client import ServiceRefused, ServiceUnreachable, StaffClient
from terminals.station import CardDenied, Station, read_card


@dataclass(frozen=True, slots=True)
class VerifiedCard:
    """A genuine card of this city. `denied` by the policy here; `state` is the service's word, None when it was not
    asked or cannot be reached; `attempts_left` for the PIN, 0 is blocked, None over contactless.
    """

    card_id: UUID
    denied: bool
    state: str | None
    attempts_left: int | None


def verify_card(session: PivSession, station: Station, staff: StaffClient | None = None) -> VerifiedCard:
    """Raises: NotAPivCard, ObjectMissing, ForeignCard, CardNotGenuine: each says what to do."""
    policy = station.fresh_policy()
    session.select()
    card = read_card(session, policy, station.now_ms())
    session.prove_possession(Slot.CARD_AUTHENTICATION, card.public_key)
    try:
        station.check_not_denied(card)
        denied = False
    except CardDenied:
        denied = True
    return VerifiedCard(card.card_id, denied, _state(staff, card.card_id), _attempts_left(session))


def _state(staff: StaffClient | None, card_id: UUID) -> str | None:
    if staff is None:
        return None
    try:
        return staff.card(card_id).state
    except (ServiceUnreachable, ServiceRefused):
        return None


def _attempts_left(session: PivSession) -> int | None:
    try:
        return session.pin_status().attempts_left
    except NotAllowed:
        return None
