"""Reads of the wallets: whose they are, what is in them, what happened to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.money import CURRENCY
from cardsvc.wallets.models import WalletRow
from cardsvc.wallets.rules import WalletNotFound, main_account, owed_account

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Wallet:
    """A resident's wallet; `is_open` is False once it was closed."""

    id: UUID
    resident_id: UUID
    opened_at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Purse:
    """One of a wallet's accounts: its name in the wallet, its code in the ledger, what is in it (cents)."""

    name: str
    account: str
    balance_cents: int
    currency: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What a holder asks first: `balance_cents` can be spent, `owed_cents` is repaid by the next top-up."""

    wallet_id: UUID
    balance_cents: int
    owed_cents: int
    currency: str


def by_residents(session: Session, resident_ids: Sequence[UUID]) -> dict[UUID, Wallet]:
    """The wallet of each resident who has one."""
    found: dict[UUID, Wallet] = {}
    wanted = list(set(resident_ids))
    columns = (WalletRow.id, WalletRow.resident_id, WalletRow.opened_at, WalletRow.status)
    for start in range(0, len(wanted), _CHUNK):
        query = select(*columns).where(WalletRow.resident_id.in_(wanted[start : start + _CHUNK]))
        for row in session.execute(query):
            found[row.resident_id] = Wallet(row.id, row.resident_id, row.opened_at, row.status == "open")
    return found


def of_resident(session: Session, resident_id: UUID) -> Wallet:
    """Raises: WalletNotFound."""
    found = by_residents(session, [resident_id]).get(resident_id)
    if found is None:
        raise WalletNotFound
    return found


def purses(session: Session, wallet_id: UUID) -> tuple[Purse, ...]:
    """The accounts that money can be spent from, in the order in which it is."""
    code = main_account(wallet_id)
    return (Purse("main", code, ledger.balances(session, [code])[code], CURRENCY),)


def summary(session: Session, wallet_id: UUID) -> Summary:
    """What is in the wallet, and what its holder owes."""
    main, owed = main_account(wallet_id), owed_account(wallet_id)
    cents = ledger.balances(session, [main, owed])
    return Summary(wallet_id, cents[main], cents[owed], CURRENCY)


def statement(session: Session, wallet_id: UUID, *, after: str | None = None, limit: int = 50) -> ledger.StatementPage:
    """The entries of the holder's money, newest first; `after` is the `next` of the page before.

    Raises: ledger.InvalidCursor.
    """
    return ledger.statement(session, main_account(wallet_id), after=after, limit=limit, newest_first=True)
