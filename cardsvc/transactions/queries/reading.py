"""What is known of transactions: looked up for replays, and walked through by whoever checks them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import devices
from cardsvc.db import from_ms, to_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.rows import id_of, matching, matching_plain
from cardsvc.transactions.models import Transaction as Row
from cardsvc.transactions.rules import Item
from crypto.wire.transaction import Record


class RecordIdConflict(CityError):
    """The id was used for something else."""

    code: ClassVar[str] = "record_id_conflict"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE

    def __init__(self, record_id: UUID) -> None:
        super().__init__(f"The id {record_id} was used for another transaction. Use a new id for a new transaction.")


class UnknownReceipt(CityError):
    code: ClassVar[str] = "unknown_receipt"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no transaction with this record id. Check the id on the receipt.")


class ReceiptNotReady(CityError):
    code: ClassVar[str] = "receipt_not_ready"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The transaction is stored; its checkpoint is not published yet. Ask again in a moment.")


@dataclass(frozen=True, slots=True)
class Known:
    """What a replay needs: the first answer, and the hash that tells whether it is one."""

    record_hash: bytes
    outcome: str
    reason: str | None
    detail: str | None
    leaf_index: int


@dataclass(frozen=True, slots=True)
class StoredTransaction:
    """A transaction as it was accepted or rejected. `amount_cents` is None where nothing could be planned."""

    record_id: UUID
    record_bytes: bytes
    record_hash: bytes
    authorisations: bytes
    kind: int
    device_id: UUID
    batch_id: UUID
    outcome: str
    reason: str | None
    detail: str | None
    entry_hash: bytes | None
    leaf_index: int
    happened_at: datetime
    recorded_at: datetime
    amount_cents: int | None
    currency: str | None
    card_id: UUID | None
    resident_id: UUID | None
    staff_id: UUID | None
    official_number: str | None

    @property
    def record(self) -> Record:
        """The record, read from its bytes each time: most who look at a transaction do without."""
        return Record.decode(self.record_bytes)


_CHUNK = 500


def known(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, Known]:
    """The stored ones of these ids."""
    table = Row.__table__.c
    columns = (table.record_id, table.record_hash, table.outcome, table.reason, table.detail, table.leaf_index)
    rows = matching(session, sa.select(*columns), table.record_id, record_ids)
    return {row.record_id: Known(row.record_hash, row.outcome, row.reason, row.detail, row.leaf_index) for row in rows}


def charged_moments(session: Session, items: Sequence[Item]) -> set[tuple[UUID, datetime]]:
    """Which cards were charged at which of these moments, by other records of the item's terminal and kind. No card and
    moment may be among the items twice.
    """
    tapped = [item for item in items if item.card is not None]
    if not tapped:
        return set()
    table, read = Row.__table__.c, id_of(session)
    moments = [item.happened_at for item in tapped]
    query = (
        sa.select(table.card_id, table.happened_at, table.device_id)
        .where(table.kind == tapped[0].record.kind)
        .where(table.happened_at.between(min(moments), max(moments)), table.outcome == "accepted")
    )
    wanted = {
        (item.card.card_id.int, to_ms(item.happened_at), item.device.id.int) for item in tapped if item.card is not None
    }  # numbers, because a UUID's own hash is made in Python
    cards = list({item.card.card_id for item in tapped if item.card is not None})
    return {
        (read(card), from_ms(at_ms))
        for card, at_ms, device in matching_plain(session, query, table.card_id, cards)
        if (read(card).int, at_ms, read(device).int) in wanted
    }


def placed(session: Session, device_id: UUID, sequences: Sequence[int]) -> list[devices.Link]:
    """The records of a terminal that stand at these places of its chain: several where it forked."""
    table = Row.__table__.c
    columns = (table.sequence, table.record_id, table.record_bytes, table.record_hash)
    found: list[devices.Link] = []
    for start in range(0, len(sequences), _CHUNK):
        chunk = sequences[start : start + _CHUNK]
        query = sa.select(*columns).where(table.device_id == device_id, table.sequence.in_(chunk))
        for sequence, record_id, record_bytes, record_hash in session.execute(query):
            found.append((sequence, record_id, Record.decode(record_bytes).previous, record_hash))
    return found


def stored(session: Session, record_id: UUID) -> StoredTransaction | None:
    row = session.execute(sa.select(Row.__table__).where(Row.__table__.c.record_id == record_id)).one_or_none()
    return None if row is None else _stored(row)


def stored_many(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, StoredTransaction]:
    """Those of the ids that are stored."""
    rows = matching(session, sa.select(Row.__table__), Row.__table__.c.record_id, record_ids)
    return {transaction.record_id: transaction for transaction in map(_stored, rows)}


def walk(session: Session) -> Iterator[StoredTransaction]:
    """Every transaction in the order of the log, in bounded memory."""
    table = Row.__table__
    after = -1
    while page := session.execute(
        sa.select(table).where(table.c.leaf_index > after).order_by(table.c.leaf_index).limit(_CHUNK)
    ).all():
        yield from map(_stored, page)
        after = page[-1].leaf_index


_FIELDS = tuple(StoredTransaction.__dataclass_fields__)


def _stored(row: sa.Row[tuple[object, ...]]) -> StoredTransaction:
    fields = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    return StoredTransaction(*(fields[name] for name in _FIELDS))
