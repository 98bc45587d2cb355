"""Reads of jobs."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.jobs.models import Job
from cardsvc.jobs.rules import State


@dataclass(frozen=True, slots=True)
class JobView:
    id: int
    kind: str
    state: State
    attempts: int
    run_after: datetime
    last_error: str | None


def waiting(session: Session) -> list[JobView]:
    """What is still to do or was given up, oldest first."""
    columns = (Job.id, Job.kind, Job.state, Job.attempts, Job.run_after, Job.last_error)
    rows = session.execute(select(*columns).where(Job.state != State.DONE.value).order_by(Job.id))
    return [JobView(row[0], row[1], State(row[2]), row[3], row[4], row[5]) for row in rows]
