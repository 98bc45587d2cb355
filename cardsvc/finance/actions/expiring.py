"""What ends by itself: holds whose time is over are given back, what is left of expired purses returns.

Both are records that the service signs, a batch at a time. Doing it again finds nothing left to do. A record that is
refused, because the books of the month are closed for instance, is not tried again within the hour.
"""

import hashlib
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, transactions, wallets
from cardsvc.db import to_ms
from cardsvc.money import CURRENCY
from crypto.wire.ids import uuid7
from crypto.wire.wallets import HoldReleased, PurseExpired

_BATCH: Final = 1000
_HOUR_MS: Final = 3600 * 1000


def end_holds(session: Session, desk: transactions.Desk, now: datetime) -> int:
    """Give back what stands held although its time is over. Returns how many holds ended."""
    ledger.lock(session)
    due = ledger.expired_holds(session, now, limit=_BATCH)
    bodies = [
        (_id("hold", str(hold.hold_id), now), HoldReleased(hold.hold_id, hold.left_cents, CURRENCY)) for hold in due
    ]
    return _accepted(transactions.serve(session, bodies, desk=desk, now=now))


def return_purses(session: Session, desk: transactions.Desk, now: datetime) -> int:
    """Return what is left of purses that expired `wallets.RETURN_AFTER` ago. Returns how many were emptied."""
    ledger.lock(session)
    due = ledger.expired_purses(session, now - wallets.RETURN_AFTER, limit=_BATCH)
    bodies = [
        (
            _id("purse", purse.code, now),
            PurseExpired(wallets.wallet_of_account(purse.code), purse.name, purse.balance_cents, CURRENCY),
        )
        for purse in due
    ]
    return _accepted(transactions.serve(session, bodies, desk=desk, now=now))


def _id(what: str, name: str, now: datetime) -> UUID:
    """One record id a thing and hour."""
    hour_ms = to_ms(now) // _HOUR_MS * _HOUR_MS
    return uuid7(hour_ms, hashlib.sha256(f"city.{what}-end|{name}|{hour_ms}".encode()).digest()[:10])


def _accepted(results: list[transactions.ItemResult]) -> int:
    return sum(result.outcome == "accepted" for result in results)
