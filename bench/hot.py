"""A thousand clients that pay one account and each wait for their own durable commit: in groups, and each by itself."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench import postgres
from bench.frame import Figure, Options, at_least, at_most, race
from bench.ledger_books import Books
from cardsvc import db, ledger
from cardsvc.committing import GroupCommitter

_CLIENTS = 1000
_UNIT = "payments/s"
_NAIVE, _GROUPED = "1,000 clients, each updates the account's row", "1,000 clients on one account, group-committed"
_DIRECT, _LONE = "one client, posting directly", "one client through the group committer"
_P99 = 0.99


@dataclass(slots=True)
class _Waits:
    """How long each payment took, of every round."""

    seconds: list[float] = field(default_factory=list)

    def p99(self) -> float:
        return sorted(self.seconds)[int(len(self.seconds) * _P99)]


def figures(options: Options) -> Iterator[Figure]:
    with postgres.running_server() as server:
        engine = db.make_engine(server.create("hot"))
        naive = sa.create_engine(server.url("hot"), pool_size=40, max_overflow=0, pool_timeout=600)
        try:
            yield from _compared(options, engine, naive)
        finally:
            engine.dispose()
            naive.dispose()


def _compared(options: Options, engine: Engine, naive: Engine) -> Iterator[Figure]:
    books = Books(engine, options.size(2000, 200))
    books.open()
    with naive.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE naive (id INT PRIMARY KEY, cents BIGINT NOT NULL)")
        connection.exec_driver_sql("CREATE TABLE naive_payment (id BIGSERIAL PRIMARY KEY, cents BIGINT NOT NULL)")
        connection.exec_driver_sql("INSERT INTO naive VALUES (1, 0)")

    def post(session: Session, drafts: Sequence[ledger.Draft]) -> list[ledger.Posted | ledger.Refused | Exception]:
        results = ledger.post(session, drafts, first_seq=books.seq, recorded_at=books.now)
        books.seq += len(drafts)
        return [*results]

    def update(_draft: object) -> None:
        with naive.begin() as connection:
            connection.exec_driver_sql("INSERT INTO naive_payment (cents) VALUES (1300)")
            connection.exec_driver_sql("UPDATE naive SET cents = cents + 1300 WHERE id = 1")

    committer = GroupCommitter[ledger.Draft, ledger.Posted | ledger.Refused](engine, post)
    waits = {_NAIVE: _Waits(), _GROUPED: _Waits()}
    clients, alone = options.size(_CLIENTS, 100), options.size(300, 30)
    each = options.size(5, 2)

    def crowd(name: str, pay: Callable[[ledger.Draft], object], each: int) -> float:
        return _crowd(books, pay, clients, each, waits[name].seconds)

    won = race(
        {
            _NAIVE: lambda _turn: crowd(_NAIVE, update, 1),
            _GROUPED: lambda _turn: crowd(_GROUPED, committer.submit, each),
            _DIRECT: lambda _turn: _crowd(books, lambda d: db.run(engine, lambda s: post(s, [d])), 1, alone, []),
            _LONE: lambda _turn: _crowd(books, committer.submit, 1, alone, []),
        },
        options,
    )
    yield won.figure(_GROUPED, _UNIT, _NAIVE, at_least(30))
    grouped, single = waits[_GROUPED].p99(), waits[_NAIVE].p99()
    yield Figure(f"{_GROUPED}: p99", grouped * 1000, "ms", f"p99 of: {_NAIVE}", grouped / single, at_most(0.2))
    yield won.figure(_LONE, _UNIT, _DIRECT, at_least(0.9))
    yield Figure(f"{_GROUPED}: median wait", statistics.median(waits[_GROUPED].seconds) * 1000, "ms")


def _crowd(books: Books, pay: Callable[[ledger.Draft], object], clients: int, each: int, waits: list[float]) -> float:
    """Payments a second when so many clients make so many each, one after the other, all let go together."""
    wanted = [books.fares(each) for _ in range(clients)]
    gate = threading.Barrier(clients + 1)
    took: list[list[float]] = [[] for _ in range(clients)]

    def client(number: int) -> None:
        gate.wait()
        for draft in wanted[number]:
            began = time.perf_counter()
            pay(draft)
            took[number].append(time.perf_counter() - began)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    gate.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    spent = time.perf_counter() - began
    waits += [wait for one in took for wait in one]
    return clients * each / spent
