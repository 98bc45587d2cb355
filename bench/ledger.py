"""`./city bench ledger`: posting, against what the database could do at most and what others do."""

import contextlib
import math
import resource
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from bench import postgres
from bench.frame import Figure, Options, Race, at_least, at_most, missing, race, rate, seconds
from bench.ledger_books import Books, batches
from bench.ledger_floor import Floor
from bench.ledger_peers import OneRowAtATime, start_hordak
from bench.limits import pgbench_commits, pgbench_init
from bench.peers import how_to_get
from cardsvc import db, ledger

LARGE: Final = 4096
SMALL: Final = 1000
_FLOOR: Final = "COPY of the same rows into the same indexes"
_UNIT: Final = "entries/s"
_WALLETS: Final = 50_000
_WALLETS_QUICK: Final = 5_000
_HORDAK_ACCOUNTS: Final = 300
_LINEAR: Final = 1.15  # a power of 1 is linear; the rest is for caches that no longer hold everything


def figures(options: Options) -> Iterator[Figure]:
    """The targets of posting; a million entries with `options.long`."""
    with postgres.running_server() as server, _sqlite() as file:
        engine = db.make_engine(server.create("books"))
        small = db.make_engine(server.create("small_books"))
        embedded = db.make_engine(f"sqlite:///{file}")
        try:
            wallets = options.size(_WALLETS, _WALLETS_QUICK)
            options.say("opening accounts")
            books = _opened(engine, wallets)
            yield from _against_the_floor(options, books)
            yield from _against_commits(options, books, server)
            few = options.size(_WALLETS_QUICK, _WALLETS_QUICK // 5)
            yield from _against_peers(options, _opened(small, few), server, _opened(embedded, few))
            yield from _growth(options, books)
        finally:
            for one in (engine, small, embedded):
                one.dispose()


def _opened(engine: Engine, wallets: int) -> Books:
    books = Books(engine, wallets)
    books.open()
    return books


@contextlib.contextmanager
def _sqlite() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="cardsvc-bench-") as folder:
        yield Path(folder) / "books.sqlite"


def _against_the_floor(options: Options, books: Books) -> Iterator[Figure]:
    floor = Floor(books.engine)
    count = options.size(4, 1)

    def copied(_turn: int) -> float:
        work = [books.fares(LARGE) for _ in range(count)]
        first, books.seq = books.seq, books.seq + LARGE * count  # one sequence for both, so that rows are alike
        return floor.copy(work, first)

    ran = race(
        {
            "floor": copied,
            "fares": lambda _: _posting(books, books.fares, LARGE, count),
            "transfers": lambda _: _posting(books, books.transfers, LARGE, count),
        },
        options,
    )
    yield _figure(ran, "fares", f"posting fares to derived accounts, batch {LARGE}, PostgreSQL", "floor", 0.65)
    yield _figure(
        ran, "transfers", f"posting between random checked accounts, batch {LARGE}, PostgreSQL", "floor", 0.45
    )


def _posting(books: Books, make: Callable[[int], list[ledger.Draft]], size: int, count: int) -> float:
    """Entries a second; the drafts are made before."""
    work = list(batches(make(size * count), size))
    return rate(lambda: sum(map(books.post, work)))


def _against_commits(options: Options, books: Books, server: postgres.Server) -> Iterator[Figure]:
    pgbench_init(server)
    count = options.size(200, 40)
    ran = race(
        {
            "pgbench": lambda _: pgbench_commits(server, duration_seconds=options.size(2, 1)),
            "singles": lambda _: _posting(books, books.fares, 1, count),
        },
        options,
    )
    yield _figure(ran, "singles", "posting one entry a commit, PostgreSQL", "pgbench", None)


def _against_peers(options: Options, books: Books, server: postgres.Server, embedded: Books) -> Iterator[Figure]:
    name = f"posting, batch {SMALL}, PostgreSQL"
    count = options.size(8, 2)
    orm = OneRowAtATime(db.make_engine(server.create("orm")))
    server.create("hordak")
    hordak = start_hordak(server.socket_dir, "hordak", _HORDAK_ACCOUNTS)
    runners: dict[str, Callable[[int], float]] = {
        "ours": lambda _: _posting(books, books.transfers, SMALL, count),
        "sqlite": lambda _: _posting(embedded, embedded.transfers, SMALL, count),
        "orm": lambda _: orm.run(options.size(200, 40)),
    }
    if hordak is not None:
        runners["hordak"] = lambda _: hordak.run(options.size(2, 1), SMALL)
    ran = race(runners, options)
    if hordak is not None:
        hordak.close()
        yield _figure(ran, "ours", name, "hordak", 6)
    else:
        yield missing(f"{name}, against django-hordak in bulk", _UNIT, how_to_get("hordak"), at_least(6))
    yield _figure(ran, "ours", name, "orm", 50)
    yield _figure(ran, "sqlite", f"posting, batch {SMALL}, SQLite (synchronous FULL)", "ours", 1)


_AGAINST: Final = {
    "floor": _FLOOR,
    "pgbench": "pgbench -N, one client",
    "hordak": "django-hordak in bulk, batch 1000",
    "orm": "one ORM row at a time",
    "ours": "the same on PostgreSQL",
}


def _figure(ran: Race, runner: str, name: str, against: str, bound: float | None) -> Figure:
    target = None if bound is None else at_least(bound)
    return Figure(name, ran.median(runner), _UNIT, _AGAINST[against], ran.ratio(runner, against), target)


def _growth(options: Options, books: Books) -> Iterator[Figure]:
    """How the cost of posting grows with how much is posted, and whether memory does."""
    sizes = (10_000, 100_000, *((1_000_000,) if options.long else ())) if not options.quick else (2_000, 20_000)
    taken: list[float] = []
    peaks: list[int] = []
    for size in sizes:
        options.say(f"posting {size:,} entries")
        taken.append(seconds(lambda size=size: _post_all(books, size)))  # type: ignore[misc]
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        yield Figure(f"posting {size:,} entries, batch {LARGE}, PostgreSQL", size / taken[-1], _UNIT)
    slope = math.log(taken[-1] / taken[0]) / math.log(sizes[-1] / sizes[0])
    name = f"growth of the time with the entries, {sizes[0]:,} to {sizes[-1]:,}"
    yield Figure(name, slope, "power", "linear growth", slope, at_most(_LINEAR))
    name = f"peak memory after {sizes[-1]:,} entries"
    megabytes = peaks[-1] / (2**20 if sys.platform == "darwin" else 2**10)
    yield Figure(name, megabytes, "MB", f"after {sizes[0]:,}", peaks[-1] / peaks[0], at_most(1.5))


def _post_all(books: Books, size: int) -> None:
    """Drafts are made a batch at a time, as a service would get them."""
    for start in range(0, size, LARGE):
        books.post(books.fares(min(LARGE, size - start)))
