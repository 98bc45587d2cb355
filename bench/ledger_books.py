"""Books to race on: wallets with money, and batches of drafts that nobody posted yet."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db, ledger

START: Final = datetime(2026, 11, 2, tzinfo=UTC)
OPERATORS: Final = 4
FUNDED_CENTS: Final = 1_000_000_00
_CHUNK = 10_000


def wallet(number: int) -> str:
    return f"wallet:{UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128)}:main"


def operator(number: int) -> str:
    return f"revenue:transit:{number}"


@dataclass(slots=True)
class Books:
    """A database with `wallets` funded wallets; `seq` is the next place in its log."""

    engine: Engine
    wallets: int
    chance: random.Random = field(default_factory=lambda: random.Random(2026))
    seq: int = 0
    now: datetime = START

    def open(self) -> None:
        """Make the ledger's tables and accounts, and put money into every wallet."""
        db.Base.metadata.create_all(self.engine)
        derived, general = ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL
        revenues = [operator(number) for number in range(OPERATORS)]
        specs = [ledger.AccountSpec(code, ledger.AccountKind.REVENUE, derived, general) for code in revenues]
        specs.append(ledger.AccountSpec("cash:bank", ledger.AccountKind.ASSET, derived, general))
        checked = ledger.AccountKind.LIABILITY, ledger.AccountPolicy.CHECKED, general, 0
        specs += [ledger.AccountSpec(wallet(number), *checked) for number in range(self.wallets)]
        with db.unit_of_work(self.engine) as session:
            ledger.open_accounts(session, specs, START)
        for start in range(0, self.wallets, _CHUNK):
            numbers = range(start, min(start + _CHUNK, self.wallets))
            self.post([self._draft("cash:bank", wallet(number), FUNDED_CENTS) for number in numbers])

    def fares(self, count: int) -> list[ledger.Draft]:
        """Each from a random wallet to one of few operators, whose accounts are derived."""
        return [
            self._draft(wallet(self.chance.randrange(self.wallets)), operator(number % OPERATORS), 1300)
            for number in range(count)
        ]

    def transfers(self, count: int) -> list[ledger.Draft]:
        """Each between two random wallets, both checked."""
        pairs = (self.chance.sample(range(self.wallets), 2) for _ in range(count))
        return [self._draft(wallet(one), wallet(other), 1300) for one, other in pairs]

    def post(self, drafts: list[ledger.Draft]) -> int:
        """Post a batch in one durable transaction; answers how many were posted, which is all of them."""

        def work(session: Session) -> list[ledger.Posted | ledger.Refused]:
            return ledger.post(session, drafts, first_seq=self.seq, recorded_at=self.now)

        results = db.run(self.engine, work)
        self.seq += len(drafts)
        assert all(isinstance(result, ledger.Posted) for result in results)
        return len(results)

    def _draft(self, debit: str, credit: str, cents: int) -> ledger.Draft:
        self.now += timedelta(milliseconds=1)
        lines = ledger.Line(debit, cents), ledger.Line(credit, -cents)
        return ledger.Draft(self._id(), ledger.EntryKind.TAP, lines, self.now, "transit.fare.1")

    def _id(self) -> UUID:
        """A UUID of version 7 (RFC 9562 5.7), as senders make them: the time, then chance."""
        bits = db.to_ms(self.now) << 80 | self.chance.getrandbits(80)
        return UUID(int=bits & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def batches(drafts: list[ledger.Draft], size: int) -> Iterator[list[ledger.Draft]]:
    for start in range(0, len(drafts), size):
        yield drafts[start : start + size]
