"""A bank under fire: tellers and the database server are killed at any moment, and no centavo is lost or doubled.

After Jepsen's bank workload: transfers between accounts, readers that add all of them up in one snapshot, and faults.
`CITY_BANK_SECONDS` says for how long; continuous integration runs the whole minute.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import app, db, ledger
from tests import postgres
from tests.simulation import banker
from tests.simulation.banker import ACCOUNTS, OPENING_CENTS, Transfer

ALL_ROOMS = app  # importing it is what fills the metadata with every room's tables
TELLERS = 16
SECONDS = float(os.environ.get("CITY_BANK_SECONDS", "60"))
RECOVERY_SECONDS = 60
TOTAL_CENTS = OPENING_CENTS * len(ACCOUNTS)


@pytest.fixture
def server() -> Iterator[postgres.Server]:
    """A server of the test's own: it will not survive."""
    with postgres.running_server() as started:
        yield started


def open_the_bank(session: Session) -> None:
    kind, checked = ledger.AccountKind.LIABILITY, ledger.AccountPolicy.CHECKED
    specs = [ledger.AccountSpec(code, kind, checked, ledger.Fund.GENERAL, floor_cents=0) for code in ACCOUNTS]
    equity = ledger.AccountSpec("founder", ledger.AccountKind.ASSET, ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL)
    ledger.open_accounts(session, [*specs, equity], banker.START)
    founding = [Transfer(UUID(int=number + 1), "founder", code, OPENING_CENTS) for number, code in enumerate(ACCOUNTS)]
    assert {banker.outcome(answer) for answer in banker.post(session, founding)} == {"posted"}


class Tellers:
    """The processes; one that is killed is followed by another, with a number of its own."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.hired = 0
        for _ in range(TELLERS):
            self.hire()

    def hire(self) -> None:
        self.hired += 1
        command = [sys.executable, "-m", "tests.simulation.banker", self._url, str(self._folder), str(self.hired)]
        with (self._folder / f"{self.hired}.log").open("wb") as log:
            self._processes.append(subprocess.Popen(command, stdout=log, stderr=log))

    def kill_one(self, chance: random.Random) -> None:
        victim = self._processes.pop(chance.randrange(len(self._processes)))
        assert victim.poll() is None, f"a teller ended by itself: {self._last_words()}"
        victim.kill()
        victim.wait()
        self.hire()

    def answered(self) -> int:
        """How many transfers the tellers have an answer for."""
        return sum(path.read_text().count("\n") for path in self._folder.glob("*.done"))

    def _last_words(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in sorted(self._folder.glob("*.log")))[-10_000:]

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.wait()


def kill_a_session(server: postgres.Server, chance: random.Random, database: str = "bank") -> None:
    """SIGKILL for one session's process: PostgreSQL then ends all the others and recovers from its journal."""
    with psycopg.connect(host=str(server.socket_dir), user="cardsvc", dbname=database, autocommit=True) as connection:
        query = "SELECT pid FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
        pids = [row[0] for row in connection.execute(query, (database,))]
    if pids:
        os.kill(chance.choice(pids), signal.SIGKILL)


def total_in_one_snapshot(engine: Engine) -> int | None:
    """The sum of all balances, as a reader sees it; None while the server recovers."""
    try:
        return sum(db.run(engine, lambda session: ledger.balances(session, ACCOUNTS), read_only=True).values())
    except (DBAPIError, psycopg.Error):
        engine.dispose()
        return None


def under_fire(server: postgres.Server, engine: Engine, tellers: Tellers) -> Counter[int | None]:
    """Kill and read for the whole time, and on a slow machine until enough was done; what the readers saw.

    Whoever is killed before anybody did anything proves nothing: each kill waits for work done since the last.
    """
    chance = random.Random(20261122)
    sums: Counter[int | None] = Counter()
    kills = crashes = worked = 0
    end, next_kill, next_crash = time.monotonic() + SECONDS, time.monotonic() + 3, time.monotonic() + 8
    while time.monotonic() < end or not (kills and crashes and sums[TOTAL_CENTS] > 10 and worked > 20 * TELLERS):
        sums[total_in_one_snapshot(engine)] += 1
        has_worked = tellers.answered() > worked
        if has_worked and time.monotonic() > next_kill:
            worked = tellers.answered()
            tellers.kill_one(chance)
            kills += 1
            next_kill = time.monotonic() + chance.uniform(0.5, 2)
        elif has_worked and time.monotonic() > next_crash:
            worked = tellers.answered()
            kill_a_session(server, chance)
            crashes += 1
            next_crash = time.monotonic() + chance.uniform(6, 10)
        time.sleep(0.02)
    return sums


@pytest.mark.postgres
@pytest.mark.timeout(SECONDS + 240)
def test_no_kill_loses_or_doubles_a_centavo(server: postgres.Server, tmp_path: Path) -> None:
    url = server.create("bank")
    engine = db.make_engine(url)
    db.Base.metadata.create_all(engine)
    db.run(engine, open_the_bank)
    tellers = Tellers(url, tmp_path)
    try:
        seen = under_fire(server, engine, tellers)
    finally:
        tellers.stop()
    deadline = time.monotonic() + RECOVERY_SECONDS
    while (total := total_in_one_snapshot(engine)) is None and time.monotonic() < deadline:
        time.sleep(0.1)  # it recovers from the last crash
    assert total == TOTAL_CENTS
    assert set(seen) <= {TOTAL_CENTS, None}
    try:
        assert check_what_is_kept(engine, tmp_path) > 10 * TELLERS
    finally:
        engine.dispose()


def check_what_is_kept(engine: Engine, folder: Path) -> int:
    """Compare the books with what the tellers noted; how many transfers there are."""
    tried = {t.entry_id: t for path in folder.glob("*.tried") for t in map(Transfer.parse, whole_lines(path))}
    done = dict(line.split() for path in folder.glob("*.done") for line in whole_lines(path))
    with db.unit_of_work(engine, read_only=True) as session:
        ledger.check_books(session)
        kept = {entry.entry_id: entry for entry in ledger.entries(session, limit=10_000_000)}
        balances = ledger.balances(session, ACCOUNTS)
    expected = dict.fromkeys(ACCOUNTS, OPENING_CENTS)
    for entry_id, entry in kept.items():
        if entry_id.int <= len(ACCOUNTS):
            continue  # the founding
        transfer = tried[entry_id]  # nothing is there that nobody tried
        assert [(line.account, line.amount_cents) for line in entry.lines] == [
            (transfer.debit, transfer.cents),
            (transfer.credit, -transfer.cents),
        ]
        expected[transfer.debit] -= transfer.cents
        expected[transfer.credit] += transfer.cents
    assert balances == expected
    for told, answer in done.items():
        assert (UUID(told) in kept) == (answer == "posted"), f"{told} was answered {answer}"
    assert {"posted", "insufficient_funds"} == set(done.values())
    return len(kept)


def whole_lines(path: Path) -> list[str]:
    """The lines that were written to their end; a kill may have cut the last one."""
    return [line for line in path.read_text().splitlines(keepends=True) if line.endswith("\n")]
