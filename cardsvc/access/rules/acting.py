"""Actions of two: where one stands, and who may sign it next."""

from datetime import datetime, timedelta
from enum import StrEnum

ACTION_VALIDITY = timedelta(days=1)
ACTION_VALIDITY_MAX = timedelta(days=14)
SIGNATURES_NEEDED = 2


class ActionState(StrEnum):
    """`proposed` waits for its proposer's signature, `signed` for another person's."""

    PROPOSED = "proposed"
    SIGNED = "signed"
    DONE = "done"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


WAITING = frozenset({ActionState.PROPOSED, ActionState.SIGNED})


def state_of(outcome: str | None, signatures: int, expires_at: datetime, now: datetime) -> ActionState:
    """Where an action stands: what ended it comes before the time that ran out."""
    if outcome is not None:
        return ActionState(outcome)
    if now >= expires_at:
        return ActionState.EXPIRED
    return ActionState.SIGNED if signatures else ActionState.PROPOSED
