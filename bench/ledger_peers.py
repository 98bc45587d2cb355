"""What others do with the same transfers: django-hordak in an environment of its own, and one ORM row at a time."""

import json
import subprocess
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from bench.frame import rate
from bench.peers import peer_python

_HORDAK: Final = Path(__file__).parent / "hordak_peer.py"


class Hordak:
    """django-hordak's transactions and legs, made in bulk, one durable transaction a batch."""

    def __init__(self, python: str, socket_dir: Path, database: str, accounts: int) -> None:
        # -P: the folder of the script is ours, and what lies in it must not pass for the standard library
        self._process = subprocess.Popen(
            [python, "-P", str(_HORDAK), str(socket_dir), database, str(accounts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._answer()

    def run(self, batches: int, size: int) -> float:
        """Transfers a second, by the peer's own clock."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"batches": batches, "size": size}) + "\n")
        self._process.stdin.flush()
        return float(self._answer()["rate"])

    def close(self) -> None:
        self._process.communicate()

    def _answer(self) -> dict[str, float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the peer ended; its message is above"
        answer: dict[str, float] = json.loads(line)
        return answer


def start_hordak(socket_dir: Path, database: str, accounts: int) -> Hordak | None:
    """None: it is not installed."""
    python = peer_python("hordak")
    return None if python is None else Hordak(python, socket_dir, database, accounts)


class _Base(DeclarativeBase):
    pass


class _Account(_Base):
    __tablename__ = "orm_account"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    balance_cents: Mapped[int] = mapped_column(sa.BigInteger)


class _Transfer(_Base):
    __tablename__ = "orm_transfer"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    rule: Mapped[str]


class _Leg(_Base):
    __tablename__ = "orm_leg"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    transfer_id: Mapped[int] = mapped_column(sa.ForeignKey(_Transfer.id), index=True)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey(_Account.id), index=True)
    amount_cents: Mapped[int] = mapped_column(sa.BigInteger)


class OneRowAtATime:
    """The way it is first written: objects, a flush for each, a commit for each transfer."""

    ACCOUNTS: Final = 1000

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._next = 0
        _Base.metadata.create_all(engine)
        with Session(engine) as session:
            session.add_all(_Account(id=number, balance_cents=10**9) for number in range(self.ACCOUNTS))
            session.commit()

    def run(self, count: int) -> float:
        """Transfers a second."""

        def work() -> int:
            for _ in range(count):
                self._transfer()
            return count

        return rate(work)

    def _transfer(self) -> None:
        self._next += 1
        debit, credit = self._next % self.ACCOUNTS, (self._next * 7 + 1) % self.ACCOUNTS
        with Session(self._engine) as session:
            transfer = _Transfer(rule="transit.fare.1")
            session.add(transfer)
            session.flush()
            for account_id, cents in ((debit, 1300), (credit, -1300)):
                account = session.get_one(_Account, account_id, with_for_update=True)
                account.balance_cents += cents
                session.add(_Leg(transfer_id=transfer.id, account_id=account_id, amount_cents=cents))
                session.flush()
            session.commit()
