"""Purses by their owner, those whose time is over, and what happened to several accounts as one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.ledger.models import Account, Balance
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.rules import Purse, PurseAccount

_COLUMNS: tuple[Any, ...] = (
    Account.owner,
    Account.code,
    Account.purpose,
    Account.expires_at,
    Account.priority,
    Account.returns_to,
    Balance.balance_cents,
)


def purses_of(session: Session, owners: Sequence[str]) -> dict[str, tuple[PurseAccount, ...]]:
    """The open purses of each owner that has one, in no order; one statement for up to 10,000 owners."""
    found: dict[str, tuple[PurseAccount, ...]] = {}
    for some in chunks(owners):
        rows = session.execute(
            sa.select(*_COLUMNS).join_from(Account, Balance).where(Account.owner.in_(some), Account.closed_at.is_(None))
        )
        for row in rows:
            found[str(row.owner)] = (*found.get(str(row.owner), ()), _purse(row))
    return found


def expired_purses(session: Session, at: datetime, *, limit: int) -> tuple[PurseAccount, ...]:
    """The open purses with money in them whose time is over at that moment, the longest expired first."""
    rows = session.execute(
        sa.select(*_COLUMNS)
        .join_from(Account, Balance)
        .where(Account.expires_at <= at, Account.closed_at.is_(None), Balance.balance_cents > 0)
        .order_by(Account.expires_at, Account.id)
        .limit(limit)
    )
    return tuple(map(_purse, rows))


def _purse(row: sa.Row[Any]) -> PurseAccount:
    return PurseAccount(row.code, Purse(row.purpose, row.expires_at, row.priority, row.returns_to), row.balance_cents)
