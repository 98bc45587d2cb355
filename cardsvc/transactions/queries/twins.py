"""Twins: the same thing made twice, once in a record whose time is disputed and once in one that counts already.

A refusal says not to make the record again; where somebody did, both would count. Which one is the twin is said, never
guessed away: two records that say the same within half an hour may still be two things.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from cardsvc import ledger
from cardsvc.transactions.models import Dispute, DisputeDecision
from cardsvc.transactions.models import Transaction as Row
from cardsvc.transactions.queries.reading import stored_many

SPAN = timedelta(minutes=30)
"""How far apart in time the same card, terminal and words are still taken for one thing."""


@dataclass(frozen=True, slots=True)
class Twin:
    """`record_id` counts already, posted as `entry_id`. `same_moment`: it is of the very moment that both say, so it
    cannot be another thing.
    """

    record_id: UUID
    entry_id: UUID
    same_moment: bool


@dataclass(frozen=True, slots=True)
class Moments:
    """When a disputed record was made by its own clock, as far as that is believed, and when its refusal was told."""

    stated: datetime
    believed: datetime
    received: datetime

    @property
    def spans(self) -> tuple[tuple[datetime, datetime], ...]:
        """When it may have been made again."""
        told = self.received, self.received + SPAN
        return told, *((at - SPAN, at + SPAN) for at in (self.stated, self.believed))


def twin(session: Session, record_id: UUID, moments: Moments) -> Twin | None:
    """What counts already of the same card, terminal and kind: at the same moment, or saying the same near it.

    What was taken back since does not count any more.
    """
    found = [*_accepted(session, record_id, moments), *_settled(session, record_id, moments)]
    if not found:
        return None
    stored = stored_many(session, [record_id, *(each.record_id for each in found)])
    body = stored[record_id].record.body
    alike = [each for each in found if each.same_moment or stored[each.record_id].record.body == body]
    alike.sort(key=lambda each: not each.same_moment)
    return next((each for each in alike if ledger.reversal_of(session, each.entry_id) is None), None)


def _accepted(session: Session, record_id: UUID, moments: Moments) -> Iterator[Twin]:
    other, own = aliased(Row), aliased(Row)
    spans = [other.happened_at.between(first, last) for first, last in moments.spans]
    query = (
        sa.select(other.record_id, other.happened_at)
        .join(own, (own.card_id == other.card_id) & (own.device_id == other.device_id) & (own.kind == other.kind))
        .where(own.record_id == record_id, other.outcome == "accepted", sa.or_(*spans))
        .order_by(other.happened_at, other.record_id)
    )
    for row in session.execute(query):
        yield Twin(row.record_id, row.record_id, row.happened_at == moments.stated)


def _settled(session: Session, record_id: UUID, moments: Moments) -> Iterator[Twin]:
    # both by the terminal's own clock: what came in one batch was received at one time, but not made at one
    other, own = aliased(Dispute), aliased(Dispute)
    query = (
        sa.select(other.record_id, other.happened_at, DisputeDecision.settled_by)
        .join(own, (own.card_id == other.card_id) & (own.device_id == other.device_id) & (own.kind == other.kind))
        .join(DisputeDecision, DisputeDecision.record_id == other.record_id)
        .where(own.record_id == record_id, other.record_id != record_id, DisputeDecision.settled_by.is_not(None))
        .where(other.happened_at.between(moments.stated - SPAN, moments.stated + SPAN))
        .order_by(other.happened_at, other.record_id)
    )
    for row in session.execute(query):
        yield Twin(row.record_id, row.settled_by, row.happened_at == moments.stated)
