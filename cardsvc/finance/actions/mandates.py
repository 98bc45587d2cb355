"""Mandates: given by the holder or with their consent, followed by the service, taken back at once."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, transactions, wallets
from cardsvc.clock import business_date
from cardsvc.db import to_ms
from cardsvc.finance import queries
from cardsvc.finance.models import TopUpMandate, TopUpMandateEnd
from cardsvc.finance.rules.mandates import Mandate, NoMandate, UnfitMandate, fault
from cardsvc.money import CURRENCY
from crypto.wire.ids import uuid7
from crypto.wire.wallets import AutoTopUp

RandomBytes = Callable[[int], bytes]
_BATCH: Final = 1000
_HOUR_MS: Final = 3600 * 1000


def give_mandate(
    session: Session,
    wallet_id: UUID,
    *,
    source: str,
    threshold_cents: int,
    amount_cents: int,
    day_max: int,
    by: UUID,
    consent: str,
    now: datetime,
    random_bytes: RandomBytes,
) -> Mandate:
    """Let a wallet be topped up by itself from one of its purses, instead of as before. Raises: UnfitMandate."""
    ledger.lock(session)  # so that nothing is done by the mandate before while this one takes its place
    made = Mandate(uuid7(to_ms(now), random_bytes(10)), wallet_id, source, threshold_cents, amount_cents, day_max, now)
    purses = wallets.purse_accounts(session, [wallet_id])[wallet_id]
    problem = fault(made, next((purse for purse in purses if purse.name == source), None))
    if problem is not None:
        raise UnfitMandate(problem)
    _end(session, wallet_id, by, now)
    row = {
        "id": made.mandate_id,
        "wallet_id": wallet_id,
        "source": source,
        "threshold_cents": threshold_cents,
        "amount_cents": amount_cents,
        "day_max": day_max,
        "consent": consent,
        "given_by": by,
        "given_at": now,
    }
    session.execute(sa.insert(TopUpMandate).values(**row))
    return made


def end_mandate(session: Session, wallet_id: UUID, *, by: UUID, now: datetime) -> None:
    """Take the wallet's mandate back: from now on nothing is done by it. Raises: NoMandate."""
    ledger.lock(session)
    if not _end(session, wallet_id, by, now):
        raise NoMandate


def _end(session: Session, wallet_id: UUID, by: UUID, now: datetime) -> bool:
    before = queries.mandate_of(session, wallet_id)
    if before is not None:
        row = {"mandate_id": before.mandate_id, "ended_by": by, "ended_at": now}
        session.execute(sa.insert(TopUpMandateEnd).values(**row))
    return before is not None


def follow_mandates(session: Session, desk: transactions.Desk, now: datetime) -> int:
    """Top up every wallet whose balance is below its mandate and whose purse has the money, once each; at most a
    thousand. Returns how many were. Doing it again finds the balances as they are then.
    """
    ledger.lock(session)
    done = queries.followed(session, business_date(now))
    due = _due(session, done)[:_BATCH]
    bodies = [
        (
            _id(mandate, done.get(mandate.mandate_id, 0), now),
            AutoTopUp(mandate.wallet_id, mandate.mandate_id, mandate.source, mandate.amount_cents, CURRENCY),
        )
        for mandate in due
    ]
    results = transactions.serve(session, bodies, desk=desk, now=now)
    return sum(result.outcome == "accepted" for result in results)


def _due(session: Session, done: Mapping[UUID, int]) -> list[Mandate]:
    """Never where the purse lacks the money: nothing is refused that nobody asked for."""
    standing = queries.mandates(session)
    codes = [wallets.main_account(one.wallet_id) for one in standing]
    codes += [wallets.purse_account(one.wallet_id, one.source) for one in standing]
    money = ledger.balances(session, codes)
    return [
        one
        for one in standing
        if money[wallets.main_account(one.wallet_id)] < one.threshold_cents
        and money[wallets.purse_account(one.wallet_id, one.source)] >= one.amount_cents
        and done.get(one.mandate_id, 0) < one.day_max
    ]


def _id(mandate: Mandate, count: int, now: datetime) -> UUID:
    """One record id a mandate, hour and turn of the day: what was refused is not tried again within the hour."""
    hour_ms = to_ms(now) // _HOUR_MS * _HOUR_MS
    said = f"city.auto-top-up|{mandate.mandate_id}|{hour_ms}|{business_date(now)}|{count}"
    return uuid7(hour_ms, hashlib.sha256(said.encode()).digest()[:10])
