import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db, jobs
from cardsvc.clock import FixedClock
from cardsvc.errors import CityError


class Recorder:
    """Does jobs by remembering them; fails as often as it is told."""

    def __init__(self, failures: int = 0) -> None:
        self.done: list[Any] = []
        self.failures = failures
        self._lock = threading.Lock()

    def __call__(self, _session: Session, payload: Mapping[str, Any], _now: datetime) -> None:
        if self.failures:
            self.failures -= 1
            raise CityError("not today")
        with self._lock:
            self.done.append(payload["number"])


def enqueue(engine: Engine, clock: FixedClock, *numbers: int) -> None:
    with db.unit_of_work(engine) as session:
        for number in numbers:
            jobs.enqueue(session, "count", {"number": number}, clock.now())


def waiting(engine: Engine) -> list[jobs.JobView]:
    return db.run(engine, jobs.waiting, read_only=True)


def test_jobs_are_done_in_order_and_once(engine: Engine, clock: FixedClock) -> None:
    recorder = Recorder()
    enqueue(engine, clock, 1, 2)
    worked = [jobs.work_once(engine, {"count": recorder}, clock.now()) for _ in range(3)]
    assert (worked, recorder.done, waiting(engine)) == ([True, True, False], [1, 2], [])


def test_a_job_of_a_transaction_that_failed_never_was(engine: Engine, clock: FixedClock) -> None:
    def change_of_mind(session: Session) -> None:
        jobs.enqueue(session, "count", {"number": 1}, clock.now())
        raise CityError("no")

    with pytest.raises(CityError):
        db.run(engine, change_of_mind)
    assert not jobs.work_once(engine, {}, clock.now())


def test_a_failed_job_is_tried_again_later(engine: Engine, clock: FixedClock) -> None:
    recorder = Recorder(failures=1)
    enqueue(engine, clock, 1)
    assert jobs.work_once(engine, {"count": recorder}, clock.now())
    (job,) = waiting(engine)
    assert (job.state, job.attempts, job.last_error) == ("waiting", 1, "CityError (city_error)")
    assert not jobs.work_once(engine, {"count": recorder}, clock.now())
    clock.advance(timedelta(seconds=10))
    assert jobs.work_once(engine, {"count": recorder}, clock.now())
    assert recorder.done == [1]


def test_what_a_failed_job_wrote_is_undone(engine: Engine, clock: FixedClock) -> None:
    def write_and_fail(session: Session, _payload: Mapping[str, Any], now: datetime) -> None:
        jobs.enqueue(session, "left behind", {}, now)
        raise CityError("after writing")

    enqueue(engine, clock, 1)
    jobs.work_once(engine, {"count": write_and_fail}, clock.now())
    assert [job.kind for job in waiting(engine)] == ["count"]


def test_a_job_that_fails_too_often_is_given_up_and_stays_to_be_seen(engine: Engine, clock: FixedClock) -> None:
    enqueue(engine, clock, 1)
    for _ in range(jobs.ATTEMPTS_MAX):
        assert jobs.work_once(engine, {"count": Recorder(failures=1)}, clock.now())
        clock.advance(timedelta(hours=1))
    assert not jobs.work_once(engine, {"count": Recorder()}, clock.now())
    assert [job.state for job in waiting(engine)] == ["failed"]


def test_a_kind_that_nobody_does_is_kept_not_lost(engine: Engine, clock: FixedClock) -> None:
    enqueue(engine, clock, 1)
    jobs.work_once(engine, {}, clock.now())
    assert [(job.kind, job.last_error) for job in waiting(engine)] == [("count", "KeyError")]


def test_workers_at_the_same_time_do_each_job_once(engine: Engine, clock: FixedClock) -> None:
    recorder = Recorder()
    enqueue(engine, clock, *range(12))

    def work() -> None:
        while jobs.work_once(engine, {"count": recorder}, clock.now()):
            pass

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(recorder.done) == list(range(12))


def test_a_worker_does_periodic_tasks_and_jobs_until_it_is_told_to_stop(engine: Engine, clock: FixedClock) -> None:
    stop, times = threading.Event(), []

    def tick(_session: Session, now: datetime) -> None:
        times.append(now)
        clock.advance(timedelta(minutes=1))
        if len(times) == 3:
            stop.set()

    def fail(_session: Session, _now: datetime) -> None:
        raise CityError("always")

    enqueue(engine, clock, 1, 2)
    recorder = Recorder()
    jobs.work_until(
        stop,
        engine,
        clock=clock,
        handlers={"count": recorder},
        periodic=[
            jobs.Periodic("fail", timedelta(minutes=1), fail),
            jobs.Periodic("tick", timedelta(minutes=1), tick),
        ],
    )
    assert len(times) == 3
    assert recorder.done == [1, 2]
