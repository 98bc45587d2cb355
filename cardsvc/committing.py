"""One durable commit for everybody who waits for one: a group committer.

A commit to disk costs the same for one change as for hundreds. So while one group is being committed those who come
queue up, and the first of them leads the next group: does the work of all in one database transaction and hands each
its own result. Nobody waits for company: where nobody else is there, a caller does its own work at once, in its own
thread. One committer stands for each log shard, which has one writer at a time anyway.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db

Job = TypeVar("Job")
Result = TypeVar("Result")

GROUP_MAX: Final = 512


class _Place(Generic[Job, Result]):
    """A caller's place in the queue. `wake` is held until the place is settled, or its caller is to lead."""

    __slots__ = ("error", "job", "result", "settled", "wake")

    def __init__(self, job: Job) -> None:
        self.job = job
        self.wake = threading.Lock()
        self.wake.acquire()
        self.settled = False
        self.result: Result | None = None
        self.error: BaseException | None = None

    def settle(self, result: Result | Exception) -> None:
        if isinstance(result, Exception):
            self.error = result
        else:
            self.result = result
        self.settled = True

    def outcome(self) -> Result:
        assert self.settled
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # settled without an error: there is one


class Group(Generic[Job, Result]):
    """Jobs from any number of threads, done together. Use the same one for all that compete for the same writer.

    `work` does a group's jobs and returns one result for each, in order, once they are durable; an exception among them
    is that caller's alone. Where it raises, every job of the group is done again by itself, so that a poisoned one
    fails alone. So a job must bear being done twice: if the group's commit was durable and only the news of it lost,
    doing it again must find it done. `weigh` bounds a group by what its jobs cost, `group_max` at most.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Job]], Sequence[Result | Exception]],
        *,
        group_max: int = GROUP_MAX,
        weigh: Callable[[Job], int] = lambda _job: 1,
    ) -> None:
        self._work = work
        self._group_max = group_max
        self._weigh = weigh
        self._lock = threading.Lock()
        self._waiting: deque[_Place[Job, Result]] = deque()
        self._led = False

    def submit(self, job: Job) -> Result:
        """Do the job and return its result once it is durable. Raises: what its work raised; then nothing of it was
        stored, or, where the database was lost in the commit, nobody knows: send it again.
        """
        place = _Place[Job, Result](job)
        with self._lock:
            self._waiting.append(place)
            leads, self._led = not self._led, True
        if not leads:
            place.wake.acquire()
        if not place.settled:
            self._lead()
        return place.outcome()

    def _lead(self) -> None:
        """Do the group at the head of the queue; its first place is this thread's own."""
        group = self._next_group()
        try:
            self._settle(group)
        except BaseException as error:
            # this thread is being ended: those who wait are told, instead of waiting for ever
            for place in group:
                if not place.settled:
                    place.error, place.settled = error, True
            raise
        finally:
            with self._lock:
                successor = self._waiting[0] if self._waiting else None
                self._led = successor is not None
            if successor is not None:
                successor.wake.release()  # first, so that the database is not left waiting
            for place in group[1:]:
                place.wake.release()

    def _next_group(self) -> list[_Place[Job, Result]]:
        with self._lock:
            group = [self._waiting.popleft()]
            weight = self._weigh(group[0].job)
            while self._waiting and (weight := weight + self._weigh(self._waiting[0].job)) <= self._group_max:
                group.append(self._waiting.popleft())
        return group

    def _settle(self, group: Sequence[_Place[Job, Result]]) -> None:
        jobs = [place.job for place in group]
        try:
            results = self._work(jobs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is handed to whom it belongs to
            if len(group) == 1:
                group[0].settle(error)
                return
            for place in group:
                self._settle([place])
            return
        # If we stop here the work is durable and nobody was told: each caller's next try finds it done.
        for place, result in zip(group, results, strict=True):
            place.settle(result)


class GroupCommitter(Group[Job, Result]):
    """A group whose work is done in one session, which is committed behind it."""

    def __init__(
        self,
        engine: Engine,
        work: Callable[[Session, Sequence[Job]], Sequence[Result | Exception]],
        *,
        group_max: int = GROUP_MAX,
        weigh: Callable[[Job], int] = lambda _job: 1,
    ) -> None:
        def commit(jobs: Sequence[Job]) -> Sequence[Result | Exception]:
            # what another writer was in the way of is done again in there, and nobody hears of it
            return db.run(engine, lambda session: work(session, jobs))

        super().__init__(commit, group_max=group_max, weigh=weigh)
