"""What makes the log grow, keeps it from going back, and lets others watch it."""

from cardsvc.audit.actions.cosigning import Asked, Seen, State, check_start, cosign, seen_heads
from cardsvc.audit.actions.growing import append, erase, publish
from cardsvc.audit.actions.keeping import check_kept, keep, read_kept
from cardsvc.audit.actions.outside import Outside, outside
from cardsvc.audit.actions.recovering import RECOVER, finish_recovery, propose_recovery

__all__ = [
    "RECOVER",
    "Asked",
    "Outside",
    "Seen",
    "State",
    "append",
    "check_kept",
    "check_start",
    "cosign",
    "erase",
    "finish_recovery",
    "keep",
    "outside",
    "propose_recovery",
    "publish",
    "read_kept",
    "seen_heads",
]
