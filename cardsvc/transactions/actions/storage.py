"""Writing down what became of a batch: set-based, no ORM row on the way."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import audit, ledger
from cardsvc.db import from_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.rows import insert
from cardsvc.transactions import rules
from cardsvc.transactions.models import Batch as BatchRow
from cardsvc.transactions.models import ReceiptSeries, RefusedItem
from cardsvc.transactions.models import Transaction as TransactionRow
from cardsvc.transactions.rules import Item, Rejected
from crypto.wire.batch import Batch

Place = TypeVar("Place", bound=Hashable)


class BatchIdConflict(CityError):
    code: ClassVar[str] = "batch_id_conflict"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self, batch_id: UUID) -> None:
        super().__init__(f"Another batch has the id {batch_id} already. Send the records again in a new batch.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """An authenticated item and its end: `posted` when accepted, `refusal` when rejected."""

    item: Item
    record_bytes: bytes
    authorisations: bytes  # as they stand in the batch
    batch_id: UUID
    refusal: Rejected | None
    posted: ledger.Posted | None
    amount_cents: int | None
    currency: str | None
    official_number: str | None
    leaf_index: int


def leaf(outcome: Outcome, salt: bytes) -> audit.Leaf:
    return audit.Leaf(
        record_id=outcome.item.record.record_id,
        record_hash=outcome.item.record_hash,
        outcome="accepted" if outcome.refusal is None else "rejected",
        reason=None if outcome.refusal is None else outcome.refusal.reason.value,
        entry_hash=None if outcome.posted is None else outcome.posted.entry_hash,
        salt=salt,
    )


def draw_numbers(session: Session, series_of: Mapping[Place, str | None]) -> dict[Place, str]:
    """The next official receipt number for each place that has a series, in order.

    Gapless: the counter moves in the transaction of the receipts, under the shard's lock.
    """
    wanted: dict[str, list[Place]] = {}
    for position, series in series_of.items():
        if series is not None:
            wanted.setdefault(series, []).append(position)
    numbers: dict[Place, str] = {}
    for series, positions in wanted.items():
        first = session.scalar(sa.select(ReceiptSeries.next_number).where(ReceiptSeries.series == series))
        if first is None:
            first = 1
            session.execute(sa.insert(ReceiptSeries).values(series=series, next_number=1 + len(positions)))
        else:
            statement = sa.update(ReceiptSeries).where(ReceiptSeries.series == series)
            session.execute(statement.values(next_number=first + len(positions)))
        numbers |= {position: f"{series}-{first + offset:07d}" for offset, position in enumerate(positions)}
    return numbers


def kept_batches(session: Session, batch_ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The signed bytes of those of the batches that are kept already."""
    rows = session.execute(sa.select(BatchRow.id, BatchRow.bytes_).where(BatchRow.id.in_(batch_ids)))
    return {row.id: row.bytes_ for row in rows}


def keep_batches(session: Session, batches: Sequence[tuple[Batch, bytes, int]], now: datetime) -> None:
    """Keep the signed bytes of these batches, none of which is kept, each with how many of its items are new."""
    rows = {
        batch.batch_id: {
            "id": batch.batch_id,
            "device_id": batch.terminal_id,
            "received_at": now,
            "item_count": item_count,
            "bytes_": raw,
            "sent_at": from_ms(batch.sent_at_ms),
        }
        for batch, raw, item_count in batches
    }
    if rows:
        session.execute(sa.insert(BatchRow), list(rows.values()))


def keep(session: Session, outcomes: Sequence[Outcome], *, now: datetime) -> None:
    """Write the transactions down."""
    rows = [_row(outcome, now) for outcome in outcomes]
    insert(session, TransactionRow.__table__, {name: [row[name] for row in rows] for name in rows[0]})


def _row(outcome: Outcome, now: datetime) -> dict[str, Any]:
    item, refusal = outcome.item, outcome.refusal
    return {
        "record_id": item.record.record_id,
        "kind": item.record.kind,
        "device_id": item.device.id,
        "sequence": item.record.sequence,
        "record_hash": item.record_hash,
        "record_bytes": outcome.record_bytes,
        "authorisations": outcome.authorisations,
        "batch_id": outcome.batch_id,
        "outcome": "accepted" if refusal is None else "rejected",
        "reason": None if refusal is None else refusal.reason.value,
        "detail": None if refusal is None else refusal.detail[:400],
        "entry_hash": None if outcome.posted is None else outcome.posted.entry_hash,
        "leaf_index": outcome.leaf_index,
        "happened_at": item.happened_at,
        "recorded_at": now,
        "amount_cents": outcome.amount_cents,
        "currency": outcome.currency,
        "card_id": None if item.card is None else item.card.card_id,
        "resident_id": item.resident_id,
        "staff_id": None if item.staff is None else item.staff.staff_id,
        "official_number": outcome.official_number,
    }


def keep_refused(
    session: Session,
    refused: Sequence[tuple[rules.Received, Rejected]],
    device_id: UUID,
    batch_id: UUID,
    now: datetime,
) -> None:
    """Note what nobody can be held to; the same item from the same terminal is noted once."""
    if not refused:
        return
    hashes = sorted({received.item_hash for received, _ in refused})
    query = sa.select(RefusedItem.item_hash).where(
        RefusedItem.device_id == device_id, RefusedItem.item_hash.in_(hashes)
    )
    noted = set(session.scalars(query))
    rows: dict[bytes, dict[str, Any]] = {}
    for received, refusal in refused:
        if received.item_hash not in noted:
            rows[received.item_hash] = {
                "item_hash": received.item_hash,
                "device_id": device_id,
                "batch_id": batch_id,
                "record_id": None if received.record is None else received.record.record_id,
                "reason": refusal.reason.value,
                "received_at": now,
            }
    if rows:
        session.execute(sa.insert(RefusedItem), list(rows.values()))
