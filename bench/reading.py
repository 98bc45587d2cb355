"""`./city bench reading`: the trial balance beside the programs that could print it too, and pages of statements."""

import contextlib
import math
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench import postgres
from bench.frame import Figure, Options, Race, at_least, at_most, missing, race, seconds
from bench.ledger_books import START, Books, operator, wallet
from bench.peers import how_to_get, peer_python
from cardsvc import db, ledger

_SIZES: Final = (10_000, 100_000, 1_000_000)  # postings, two an entry
_JUDGED: Final = 100_000  # what the programs are asked without --long: a million takes them minutes
_WALLETS: Final = 5_000
_UNCACHED: Final = {**os.environ, "BEANCOUNT_DISABLE_LOAD_CACHE": "1"}  # each round reads the journal anew
_HOT, _QUIET = operator(0), operator(1)
_QUIET_POSTINGS: Final = 1_000
_PAGE: Final = 50
_LINEAR: Final = 1.15  # a power of 1 is linear; the rest is for caches that no longer hold everything
_FROM_ENTRIES, _FROM_ROWS = at_least(100), at_least(1000)
_PAGE_RATIO: Final = at_most(2)


# Fare number i, of the wallet i * 7919 modulo their number; the ids of wallets follow each other, as they were opened.
_NUMBERS: Final = """
WITH RECURSIVE numbers (i) AS (
  SELECT CAST(:first AS BIGINT) UNION ALL SELECT i + 1 FROM numbers WHERE i < :last
)
"""
_FARE: Final = """
INSERT INTO entry (id, seq, kind, currency, happened_at, recorded_at, rule)
{numbers} SELECT {id}, :seq + i - :first, 10, 'PHP', :at + i, :at + i, 'transit.fare.1' FROM numbers
"""
_FARES: Final = {
    "sqlite": _FARE.format(numbers=_NUMBERS, id="randomblob(16)"),
    "postgresql": _FARE.format(numbers=_NUMBERS, id="gen_random_uuid()"),
}
_LINES: Final = f"""
INSERT INTO posting (account_id, entry_seq, line, amount_cents)
{_NUMBERS} SELECT :wallet + i * 7919 % :wallets, :seq + i - :first, 0, 1300 FROM numbers
UNION ALL SELECT CASE WHEN i % :every = 0 THEN :quiet ELSE :hot END, :seq + i - :first, 1, -1300 FROM numbers
"""
_BALANCES: Final = """
UPDATE balance SET balance_cents =
  (SELECT -SUM(amount_cents) FROM posting WHERE posting.account_id = balance.account_id)
"""


@dataclass(slots=True)
class ReadingBooks(Books):
    """Fares to one operator, with one in so many to another, whose account stays small. How fast they are posted is
    another bench's question: here the database makes them, and `check_books` finds them right.
    """

    name: str = ""
    fares_made: int = 0
    times: dict[tuple[int, str], float] = field(default_factory=dict)

    def grow(self, entries: int, quiet_every: int) -> None:
        """Have so many fares in the books, written by the database itself, and the snapshots made."""
        with db.unit_of_work(self.engine) as session:
            made = _FARES[self.engine.dialect.name]
            given = {
                "first": self.fares_made,
                "last": entries - 1,
                "seq": self.seq,
                "at": db.to_ms(START),
                "wallet": self._first_id(session, wallet(0)),
                "wallets": self.wallets,
                "hot": self._first_id(session, _HOT),
                "quiet": self._first_id(session, _QUIET),
                "every": quiet_every,
            }
            for statement in (made, _LINES, _BALANCES):
                named = {name: value for name, value in given.items() if f":{name}" in statement}
                session.execute(sa.text(statement), named)
        self.seq += entries - self.fares_made
        self.fares_made = entries
        while db.run(self.engine, ledger.take_snapshots):
            pass
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")

    def _first_id(self, session: Session, code: str) -> int:
        found = session.scalar(sa.text("SELECT id FROM account WHERE code = :code"), {"code": code})
        assert isinstance(found, int)
        return found

    def ask(self, work: Callable[[Session], object]) -> float:
        """Seconds that a read takes, in a unit of its own."""
        return seconds(lambda: db.run(self.engine, work, read_only=True))


def figures(options: Options) -> Iterator[Figure]:
    """The targets of reading, on both databases. `quick` stops at a hundred thousand postings."""
    sizes = options.size(_SIZES, _SIZES[:2])
    judged = sizes[-1] if options.long else min(_JUDGED, sizes[-1])
    with postgres.running_server() as server, tempfile.TemporaryDirectory(prefix="cardsvc-bench-") as folder:
        engines = {
            "PostgreSQL": db.make_engine(server.create("reading")),
            "SQLite": db.make_engine(f"sqlite:///{Path(folder) / 'books.sqlite'}"),
        }
        with contextlib.ExitStack() as closing:
            every = [_opened(closing, name, engine) for name, engine in engines.items()]
            programs: dict[str, list[str] | None] = {}
            for size in sizes:
                for books in every:
                    options.say(f"posting up to {size:,} postings, {books.name}")
                    books.grow(size // 2, sizes[-1] // _QUIET_POSTINGS)
                    _time(books, size, options.rounds)
                if size == judged:
                    options.say("exporting the journal")
                    programs = _programs(every[-1].engine, Path(folder), options)
            yield from _beside_programs(options, every, programs, sizes[-1], judged)
            for books in every:
                yield from _growth(books, sizes)
                options.say(f"posting up to {sizes[-1]:,} on one account, {books.name}")
                books.grow(sizes[-1], sizes[-1] // _QUIET_POSTINGS)
                yield from _pages(options, books, sizes[-1])
                name = f"check_books, {2 * sizes[-1]:,} postings and every snapshot, {books.name}"
                yield Figure(name, books.ask(ledger.check_books), "s")


def _opened(closing: contextlib.ExitStack, name: str, engine: Engine) -> ReadingBooks:
    closing.callback(engine.dispose)
    books = ReadingBooks(engine, _WALLETS, name=name)
    books.open()
    return books


# ------------------------------------------------------------------------------------------------ the trial balance


def _from_entries(session: Session) -> object:
    return ledger.trial_balance(session, from_entries=True)


def _from_rows(session: Session) -> object:
    return ledger.trial_balance(session)


def _by_account(session: Session) -> object:
    return ledger.trial_balance(session, by_account=True)


def _time(books: ReadingBooks, size: int, rounds: int) -> None:
    for way in (_from_entries, _from_rows):
        taken = [books.ask(way) for _ in range(rounds + 1)][1:]
        books.times[size, way.__name__] = statistics.median(taken)


def _beside_programs(
    options: Options,
    every: Sequence[ReadingBooks],
    programs: Mapping[str, list[str] | None],
    size: int,
    judged: int,
) -> Iterator[Figure]:
    """The programs read `judged` postings; where ours has more, theirs count as if they grew linearly, which flatters
    them. The targets are of a million.
    """
    factor = size // judged
    runners: dict[str, Callable[[int], float]] = {
        name: lambda _turn, arguments=arguments: seconds(  # type: ignore[misc]
            lambda: subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, env=_UNCACHED)
        )
        for name, arguments in programs.items()
        if arguments is not None
    }
    ways = {"from entries": _from_entries, "from balance rows": _from_rows, "by account": _by_account}
    for books in every:
        for said, way in ways.items():
            runners[f"{books.name} {said}"] = lambda _turn, ask=books.ask, way=way: ask(way)  # type: ignore[misc]
    ran = race(runners, options)
    whole = size == _SIZES[-1]
    targets = {
        "from entries": _FROM_ENTRIES if whole else None,
        "from balance rows": _FROM_ROWS if whole else None,
        "by account": None,
    }
    against = (
        f"hledger on the exported journal{f' of {judged:,}, times {factor}' if factor > 1 else ''}, how often faster"
    )
    for books in every:
        for said, target in targets.items():
            name = f"trial balance of {size:,} postings {said}, {books.name}"
            if "hledger" not in ran.values:
                yield missing(name, "s", "hledger is not installed (apt-get install hledger)", target)
                continue
            faster = ran.ratio("hledger", f"{books.name} {said}") * factor
            taken = ran.median(f"{books.name} {said}")
            yield Figure(name, taken, "s", against, faster, target)
    for name, arguments in programs.items():
        told = f"the balances of {judged:,} postings by {name}"
        if arguments is None:
            yield missing(told, "s", how_to_get(name) if name == "beancount" else f"apt-get install {name}")
        else:
            yield Figure(told, ran.median(name), "s")


def _programs(engine: Engine, folder: Path, options: Options) -> dict[str, list[str] | None]:
    """What each program is asked: to read the journal and add it up. None: it is not here."""
    hledger, ledger_cli, beancount = shutil.which("hledger"), shutil.which("ledger"), peer_python("beancount")
    found: dict[str, list[str] | None] = {"hledger": None, "ledger": None}
    for name, program, tool in (("hledger", hledger, ledger.Tool.HLEDGER), ("ledger", ledger_cli, ledger.Tool.LEDGER)):
        if program is not None:
            found[name] = [program, "-f", _export(engine, tool, folder), "balance", "--flat"]
    if not options.quick:  # the slowest by far
        sums = (
            "import sys, collections; from beancount import loader; entries, errors, _ = loader.load_file(sys.argv[1]);"
            "assert not errors; sums = collections.Counter();"
            "[sums.update({p.account: p.units.number}) for e in entries for p in getattr(e, 'postings', ())]"
        )
        arguments = ["-c", sums, _export(engine, ledger.Tool.BEANCOUNT, folder)]
        found["beancount"] = [beancount, *arguments] if beancount else None
    return found


def _export(engine: Engine, tool: ledger.Tool, folder: Path) -> str:
    path = folder / f"books.{tool}"
    with path.open("w") as file, db.unit_of_work(engine, read_only=True) as session:
        file.writelines(ledger.journal(session, tool))
    return str(path)


def _growth(books: ReadingBooks, sizes: Sequence[int]) -> Iterator[Figure]:
    for way, said, target in (
        (_from_entries, "from entries", at_most(_LINEAR)),
        (_from_rows, "from balance rows", None),
    ):
        taken = [books.times[size, way.__name__] for size in sizes]
        for size, one in zip(sizes, taken, strict=True):
            yield Figure(f"trial balance of {size:,} postings {said}, {books.name}", one, "s")
        slope = math.log(taken[-1] / taken[0]) / math.log(sizes[-1] / sizes[0])
        name = f"growth of the trial balance's time {said}, {sizes[0]:,} to {sizes[-1]:,}, {books.name}"
        yield Figure(name, slope, "power", "linear growth", slope, target)


# ------------------------------------------------------------------------------------------------ pages of statements


def _pages(options: Options, books: ReadingBooks, size: int) -> Iterator[Figure]:
    """Pages from anywhere, either way, of the large and the small account by turns."""
    chance = random.Random(1)
    count = options.size(300, 60)
    reached: dict[str, list[float]] = {_HOT: [], _QUIET: []}
    for turn in range(options.rounds + 1):
        options.say(f"statements, round {turn} of {options.rounds}, {books.name}")
        taken: dict[str, list[float]] = {_HOT: [], _QUIET: []}
        with db.unit_of_work(books.engine, read_only=True) as session:
            for _ in range(count):
                after = None if chance.random() < 0.1 else f"{chance.randrange(books.seq)}-1"  # noqa: PLR2004
                newest_first = chance.random() < 0.5  # noqa: PLR2004
                for code in (_HOT, _QUIET) if chance.random() < 0.5 else (_QUIET, _HOT):  # noqa: PLR2004
                    started = time.perf_counter()
                    ledger.statement(session, code, after=after, limit=_PAGE, newest_first=newest_first)
                    taken[code].append(time.perf_counter() - started)
        if turn:
            for code, times in taken.items():
                reached[code].append(statistics.quantiles(times, n=100)[98])
    ran = Race({code: tuple(values) for code, values in reached.items()})
    name = f"p99 of a statement's page, account with {size:,} postings, {books.name}"
    against = f"the same page of an account with {_QUIET_POSTINGS:,}"
    yield Figure(name, ran.median(_HOT), "s", against, ran.ratio(_HOT, _QUIET), _PAGE_RATIO)
