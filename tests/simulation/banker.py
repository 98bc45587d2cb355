"""One teller of the bank test: a process that moves money between accounts until it is killed.

    python -m tests.simulation.banker DATABASE_URL FOLDER NUMBER [BATCHES]

What it is about to do stands in FOLDER/NUMBER.tried before the database hears of it, and in FOLDER/NUMBER.done only
after the commit. A transfer without an answer is tried again under the same id until there is one.
"""

import itertools
import os
import random
import sqlite3
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import db, ledger

ACCOUNTS = [f"bank:{number:02d}" for number in range(12)]
OPENING_CENTS = 1_000_00
CARELESS = "BANKER_CARELESS"  # a planted fault: SQLite is told not to wait for the disk
START = datetime(2026, 11, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Transfer:
    entry_id: UUID
    debit: str
    credit: str
    cents: int

    def __str__(self) -> str:
        return f"{self.entry_id} {self.debit} {self.credit} {self.cents}"

    @classmethod
    def parse(cls, line: str) -> "Transfer":
        entry_id, debit, credit, cents = line.split()
        return cls(UUID(entry_id), debit, credit, int(cents))

    def draft(self) -> ledger.Draft:
        lines = ledger.Line(self.debit, self.cents), ledger.Line(self.credit, -self.cents)
        return ledger.Draft(self.entry_id, ledger.EntryKind.ADJUSTMENT, lines, START, "bank test")


def post(session: Session, transfers: list[Transfer]) -> list[ledger.Posted | ledger.Refused]:
    """Post the transfers behind the newest entry, as whoever owns the log would."""
    ledger.lock(session)
    newest = session.scalar(sa.text("SELECT MAX(seq) FROM entry"))
    first_seq = 0 if newest is None else newest + 1
    recorded_at = START + timedelta(milliseconds=first_seq)
    return ledger.post(
        session, [transfer.draft() for transfer in transfers], first_seq=first_seq, recorded_at=recorded_at
    )


def outcome(answer: ledger.Posted | ledger.Refused) -> str:
    """An id that is in the ledger already is this teller's own, from a try whose answer was lost."""
    if isinstance(answer, ledger.Posted) or answer.reason is ledger.Reason.DUPLICATE_ENTRY:
        return "posted"
    return answer.reason.value


def main(url: str, folder: Path, number: int, batches: int | None = None) -> None:
    engine = db.make_engine(url)
    if CARELESS in os.environ:
        event.listen(engine, "connect", _do_not_sync)
    chance = random.Random(number)
    with (folder / f"{number}.tried").open("a") as tried, (folder / f"{number}.done").open("a") as done:
        for _ in itertools.count() if batches is None else range(batches):
            transfers = [_next(chance) for _ in range(chance.choice((1, 1, 1, 5, 40)))]
            tried.writelines(f"{transfer}\n" for transfer in transfers)
            tried.flush()
            answers = _until_answered(engine, transfers)
            done.writelines(
                f"{transfer.entry_id} {outcome(answer)}\n" for transfer, answer in zip(transfers, answers, strict=True)
            )
            done.flush()


def _do_not_sync(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _next(chance: random.Random) -> Transfer:
    debit, credit = chance.sample(ACCOUNTS, 2)
    return Transfer(UUID(int=chance.getrandbits(128)), debit, credit, chance.randint(1, 400_00))


def _until_answered(engine: sa.Engine, transfers: list[Transfer]) -> list[ledger.Posted | ledger.Refused]:
    while True:
        try:
            return db.run(engine, lambda session: post(session, transfers))
        except DBAPIError as error:  # the server is down; what became of the transfers is not known
            sys.stderr.write(f"{error}\n")
            engine.dispose()
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
