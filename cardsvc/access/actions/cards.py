"""Cards that stand for staff: taken in with proofs of both keys, taken away when the card is stopped."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from cardsvc.access.models import SignIn, StaffCard


def block_keys(session: Session, key_ids: Iterable[bytes], now: datetime, *, why: str = "card stopped") -> int:
    """The cards of these keys stand for no staff member any more, and sign-ins made with them end. How many they were.

    `cards` calls it for every card it suspends or revokes, with any of the card's keys, for one card or a hundred
    thousand: staff cards are few, so the few are looked up among the many. A card that is resumed is bound again.
    """
    stopped = frozenset(key_ids)
    bound = session.execute(
        select(StaffCard.id, StaffCard.sign_in_key_id, StaffCard.signature_key_id).where(StaffCard.unbound_at.is_(None))
    ).all()
    found = [row for row in bound if row.sign_in_key_id in stopped or row.signature_key_id in stopped]
    if found:
        session.execute(
            update(StaffCard)
            .where(StaffCard.id.in_([row.id for row in found]))
            .values(unbound_at=now, unbound_why=why)
            .execution_options(synchronize_session=False)
        )
        session.execute(delete(SignIn).where(SignIn.key_id.in_([row.sign_in_key_id for row in found])))
    return len(found)
