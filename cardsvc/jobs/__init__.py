"""Work for later, kept in the same database and put there in the same transaction as what asks for it."""

from cardsvc.jobs.actions import Errand, Handlers, Periodic, enqueue, work_once, work_until
from cardsvc.jobs.queries import JobView, waiting
from cardsvc.jobs.rules import ATTEMPTS_MAX, State

__all__ = [
    "ATTEMPTS_MAX",
    "Errand",
    "Handlers",
    "JobView",
    "Periodic",
    "State",
    "enqueue",
    "waiting",
    "work_once",
    "work_until",
]
