"""Disputes: a record whose time nobody believes is kept for finance to decide about. Its rejection stands."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.transactions import queries, rules
from cardsvc.transactions.models import Dispute
from cardsvc.transactions.rules import Item, Rejected
from crypto.wire.reasons import DISPUTED


def enter(session: Session, refused: Sequence[tuple[Item, Rejected]], *, now: datetime) -> None:
    """Put those of the refused items that finance decides about into the queue; their transactions are stored already.

    All are of one terminal and were never stored before.
    """
    disputed = [(item, refusal) for item, refusal in refused if refusal.reason in DISPUTED]
    if not disputed:
        return
    clock = queries.clock(session, disputed[0][0].device.id)
    rows = [_row(item, refusal, None if clock is None else clock.offset_ms, now) for item, refusal in disputed]
    session.execute(sa.insert(Dispute), rows)


def _row(item: Item, refusal: Rejected, offset_ms: int | None, now: datetime) -> dict[str, object]:
    amount_cents, currency = rules.stated_amount(item.body)
    card_id: UUID | None = None if item.card is None else item.card.card_id
    return {
        "record_id": item.record.record_id,
        "device_id": item.device.id,
        "kind": item.record.kind,
        "reason": refusal.reason.value,
        "happened_at": item.happened_at,
        "received_at": now,
        "offset_ms": offset_ms,
        "amount_cents": amount_cents,
        "currency": currency,
        "card_id": card_id,
        "resident_id": item.resident_id,
    }
