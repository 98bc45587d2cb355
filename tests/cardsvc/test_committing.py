"""The group committer: one commit for many, and each caller hears of its own job alone, never before it is durable."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from cardsvc.committing import GroupCommitter

THREADS = 8


class RefusedError(Exception):
    """What a job is told that cannot be done."""


class PoisonError(Exception):
    """What ends the transaction of everybody in the group."""


@pytest.fixture
def notes(engine: Engine) -> Engine:
    """A database with a table of this test's own."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE committed (job INTEGER PRIMARY KEY)")
    return engine


def stored(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT job FROM committed ORDER BY job")))


class Desk:
    """Work that can be held up and looked into."""

    def __init__(self, engine: Engine, *, group_max: int = 512) -> None:
        self.engine = engine
        self.groups: list[list[int]] = []
        self.committer = GroupCommitter[int, int](engine, self.work, group_max=group_max)
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def work(self, session: Session, jobs: Sequence[int]) -> list[int | Exception]:
        self.entered.set()
        assert self.open.wait(30)
        self.groups.append(list(jobs))
        good = [job for job in jobs if job >= 0]
        if 666 in good:
            raise PoisonError
        if good:
            session.execute(sa.text("INSERT INTO committed VALUES (:job)"), [{"job": job} for job in good])
        return [job * 2 if job >= 0 else RefusedError(job) for job in jobs]

    def while_held(self, first: int, others: Sequence[int]) -> list[Future[int]]:
        """Let the others queue up behind the first, then let all go; what each was told."""
        self.open.clear()
        self.entered.clear()
        with ThreadPoolExecutor(len(others) + 1) as pool:
            futures = [pool.submit(self.committer.submit, first)]
            assert self.entered.wait(30)
            for number, job in enumerate(others, start=1):
                futures.append(pool.submit(self.committer.submit, job))
                while len(self.committer._waiting) < number:
                    pass
            self.open.set()
        return futures


@pytest.fixture
def desk(notes: Engine) -> Desk:
    return Desk(notes)


def test_a_lone_job_is_done_at_once_in_its_callers_thread(desk: Desk) -> None:
    threads: list[int] = []

    def work(session: Session, jobs: Sequence[int]) -> list[int | Exception]:
        threads.append(threading.get_ident())
        return desk.work(session, jobs)

    watched = GroupCommitter[int, int](desk.engine, work)
    assert watched.submit(7) == 14
    assert threads == [threading.get_ident()]
    assert stored(desk.engine) == [7]


def test_who_comes_meanwhile_is_committed_together_in_order(desk: Desk) -> None:
    told = desk.while_held(1, [2, 3, 4, 5])
    assert [future.result() for future in told] == [2, 4, 6, 8, 10]
    assert desk.groups == [[1], [2, 3, 4, 5]]
    assert stored(desk.engine) == [1, 2, 3, 4, 5]


def test_a_group_is_not_larger_than_it_may_be(notes: Engine) -> None:
    desk = Desk(notes, group_max=2)
    told = desk.while_held(1, [2, 3, 4, 5, 6])
    assert [future.result() for future in told] == [2, 4, 6, 8, 10, 12]
    assert desk.groups == [[1], [2, 3], [4, 5], [6]]


def test_a_job_heavier_than_a_group_may_be_goes_alone(notes: Engine) -> None:
    desk = Desk(notes)
    desk.committer = GroupCommitter(notes, desk.work, group_max=10, weigh=lambda job: job)
    told = desk.while_held(1, [50, 4, 6, 3])
    assert [future.result() for future in told] == [2, 100, 8, 12, 6]
    assert desk.groups == [[1], [50], [4, 6], [3]]


def test_a_refusal_is_its_own_callers_alone(desk: Desk) -> None:
    one, two, three, four = desk.while_held(1, [2, -3, 4])
    assert (one.result(), two.result(), four.result()) == (2, 4, 8)
    with pytest.raises(RefusedError):
        three.result()
    assert desk.groups == [[1], [2, -3, 4]]
    assert stored(desk.engine) == [1, 2, 4]


def test_one_poisoned_job_fails_alone(desk: Desk) -> None:
    one, two, three, four = desk.while_held(1, [2, 666, 4])
    assert (one.result(), two.result(), four.result()) == (2, 4, 8)
    with pytest.raises(PoisonError):
        three.result()
    assert desk.groups == [[1], [2, 666, 4], [2], [666], [4]]
    assert stored(desk.engine) == [1, 2, 4]


def test_a_job_that_the_database_refuses_fails_alone(desk: Desk) -> None:
    desk.committer.submit(3)
    told = desk.while_held(1, [2, 3, 4])
    assert [future.exception() is None for future in told] == [True, True, False, True]
    assert stored(desk.engine) == [1, 2, 3, 4]


def failing(engine: Engine, name: str, times: int, make: Callable[[], Exception]) -> Callable[[], None]:
    """Let the event of the engine's connections fail so many times; returns what stops it."""
    left = [times]

    def fail(*_: object) -> None:
        if left[0]:
            left[0] -= 1
            raise make()

    event.listen(engine, name, fail)
    return lambda: event.remove(engine, name, fail)


def test_nobody_is_told_of_success_when_the_commit_fails(desk: Desk) -> None:
    stop = failing(desk.engine, "commit", 100, PoisonError)
    told = desk.while_held(1, [2, 3])
    stop()
    assert all(isinstance(future.exception(), PoisonError) for future in told)
    assert stored(desk.engine) == []
    assert desk.committer.submit(1) == 2


def test_a_commit_that_fails_for_the_group_is_tried_for_each(desk: Desk) -> None:
    commits = iter([True, False])

    def fail(*_: object) -> None:
        if not next(commits, True):
            raise PoisonError

    event.listen(desk.engine, "commit", fail)
    told = desk.while_held(1, [2, 3])
    event.remove(desk.engine, "commit", fail)
    assert [future.result() for future in told] == [2, 4, 6]
    assert desk.groups == [[1], [2, 3], [2], [3]]
    assert stored(desk.engine) == [1, 2, 3]


class Serialization(Exception):
    """A failure that PostgreSQL reports when another writer was in the way."""

    sqlstate = "40001"


def test_a_serialization_failure_is_retried_and_nobody_hears_of_it(desk: Desk) -> None:
    stop = failing(desk.engine, "commit", 2, lambda: OperationalError("COMMIT", None, Serialization()))
    told = desk.while_held(1, [2, 3])
    stop()
    assert [future.result() for future in told] == [2, 4, 6]
    assert stored(desk.engine) == [1, 2, 3]


def test_no_job_is_answered_before_its_commit(desk: Desk) -> None:
    """Looked at from outside at the moment of each answer, the job is there."""
    missing: list[int] = []

    def one(job: int) -> None:
        desk.committer.submit(job)
        if job not in stored(desk.engine):
            missing.append(job)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(one, range(200)))
    assert missing == []
    assert stored(desk.engine) == list(range(200))


def test_every_job_of_many_threads_is_done_once(desk: Desk) -> None:
    gate = threading.Barrier(THREADS)

    def many(first: int) -> list[int]:
        gate.wait()
        return [desk.committer.submit(first * 1000 + number) for number in range(50)]

    with ThreadPoolExecutor(THREADS) as pool:
        told = list(pool.map(many, range(THREADS)))
    assert told == [[2 * (first * 1000 + number) for number in range(50)] for first in range(THREADS)]
    assert sorted(job for group in desk.groups for job in group) == stored(desk.engine)
    assert len(stored(desk.engine)) == THREADS * 50


def test_a_leader_that_is_ended_leaves_nobody_waiting(desk: Desk) -> None:
    class EndError(BaseException):
        """Like a worker's shutdown."""

    def ends(*_: object) -> None:
        event.remove(desk.engine, "commit", ends)
        raise EndError

    event.listen(desk.engine, "commit", ends)
    told = desk.while_held(1, [2, 3])
    assert isinstance(told[0].exception(), EndError)
    assert [future.result() for future in told[1:]] == [4, 6]
