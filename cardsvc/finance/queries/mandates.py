"""Mandates that stand, and how often each was followed today."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.finance.models import AutoTopUpDone, TopUpMandate, TopUpMandateEnd
from cardsvc.finance.rules.mandates import Mandate


def mandate_of(session: Session, wallet_id: UUID) -> Mandate | None:
    """The mandate of a wallet; None: it has none."""
    row = session.scalars(_standing().where(TopUpMandate.wallet_id == wallet_id)).one_or_none()
    return None if row is None else _mandate(row)


def mandates(session: Session, wallet_ids: Sequence[UUID] | None = None) -> list[Mandate]:
    """The mandates that stand, of these wallets or of all, the oldest first."""
    query = _standing().order_by(TopUpMandate.given_at, TopUpMandate.id)
    if wallet_ids is not None:
        query = query.where(TopUpMandate.wallet_id.in_(wallet_ids))
    return [_mandate(row) for row in session.scalars(query)]


def followed(session: Session, day: date) -> dict[UUID, int]:
    """How often each mandate was followed on that day."""
    count = sa.func.count()
    query = sa.select(AutoTopUpDone.mandate_id, count).where(AutoTopUpDone.day == day)
    return {row[0]: row[1] for row in session.execute(query.group_by(AutoTopUpDone.mandate_id))}


def _standing() -> sa.Select[TopUpMandate]:
    ended = sa.exists().where(TopUpMandateEnd.mandate_id == TopUpMandate.id)
    return sa.select(TopUpMandate).where(~ended)


def _mandate(row: TopUpMandate) -> Mandate:
    return Mandate(row.id, row.wallet_id, row.source, row.threshold_cents, row.amount_cents, row.day_max, row.given_at)
