"""Putting work aside, and doing it."""

import json
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.orm import Session

from cardsvc import db
from cardsvc.clock import Clock
from cardsvc.jobs import rules
from cardsvc.jobs.models import Job
from cardsvc.jobs.rules import State

Handlers = Mapping[str, Callable[[Session, Mapping[str, Any], datetime], None]]
"""What does a job of each kind: (session, payload, now). It may run more than once, and never commits."""

IDLE_SECONDS = 1.0
_log = logging.getLogger("cardsvc.jobs")


@dataclass(frozen=True, slots=True)
class Periodic:
    """Something done again and again while a worker runs. Several workers may do it at once: it must be repeatable."""

    name: str
    every: timedelta
    work: Callable[[Session, datetime], object]


@dataclass(frozen=True, slots=True)
class Errand:
    """The same for what waits for other machines: no session is open meanwhile, so nobody waits for them but it."""

    name: str
    every: timedelta
    run: Callable[[datetime], object]


def enqueue(session: Session, kind: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Have it done soon after the caller's transaction commits, and not at all if it does not. `payload` is JSON."""
    session.execute(
        insert(Job).values(
            kind=kind,
            payload=json.dumps(payload, sort_keys=True),
            run_after=now,
            attempts=0,
            state=State.WAITING.value,
            last_error=None,
        )
    )


def work_once(engine: Engine, handlers: Handlers, now: datetime) -> bool:
    """Do the oldest job that is due, if there is one and nobody else is at it. Returns whether there was one.

    Claim, work and "done" are one database transaction: if we stop anywhere in it, the job waits as before.
    """
    claimed: list[tuple[int, str, int]] = []

    def work(session: Session) -> None:
        claimed.clear()  # a unit may be done again from its start
        job = _claim(session, now)
        if job is not None:
            claimed.append((job.id, job.kind, job.attempts))
            handlers[job.kind](session, json.loads(job.payload), now)

    try:
        db.run(engine, work)
    except Exception as error:
        if not claimed:
            raise  # the database, not the job
        (job_id, kind, attempts), text = claimed[0], rules.error_text(error)
        _log.exception("job %s of kind %s failed", job_id, kind)
        db.run(engine, lambda session: _note_failure(session, job_id, attempts + 1, text, now))
    return bool(claimed)


def work_until(
    stop: threading.Event, engine: Engine, *, clock: Clock, handlers: Handlers, periodic: Sequence[Periodic | Errand]
) -> None:
    """Work until told to stop: every job that is due, and each periodic task when its time has come."""
    next_at = {task.name: clock.now() for task in periodic}
    while not stop.is_set():
        now = clock.now()
        for task in periodic:
            if now >= next_at[task.name]:
                next_at[task.name] = now + task.every
                _do_periodic(engine, task, now)
        try:
            found = work_once(engine, handlers, now)
        except Exception:  # noqa: BLE001 - the worker outlives whatever happens to the database
            _log.exception("the database did not let a job be claimed")
            found = False
        if not found:
            stop.wait(IDLE_SECONDS)


def _do_periodic(engine: Engine, task: Periodic | Errand, now: datetime) -> None:
    """One that fails is tried again at its next time; the others must not suffer."""
    try:
        if isinstance(task, Errand):
            task.run(now)
            return
        db.run(engine, lambda session: task.work(session, now))
    except Exception:  # noqa: BLE001 - a task may fail in any way
        _log.exception("periodic task %s failed", task.name)


def _claim(session: Session, now: datetime) -> Job | None:
    """The oldest due job, marked done in this transaction. Others skip its lock (PostgreSQL) or wait (SQLite)."""
    due = (
        select(Job.id)
        .where(Job.state == State.WAITING.value, Job.run_after <= now)
        .order_by(Job.run_after, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    claim = update(Job).where(Job.id == due.scalar_subquery()).values(state=State.DONE.value).returning(Job)
    return session.scalars(claim, execution_options={"synchronize_session": False}).one_or_none()


def _note_failure(session: Session, job_id: int, attempts: int, error_text: str, now: datetime) -> None:
    state, pause = rules.after_failure(attempts)
    session.execute(
        update(Job)
        .where(Job.id == job_id)
        .values(
            state=state.value,
            attempts=attempts,
            run_after=now + pause,
            last_error=error_text,
        )
    )
