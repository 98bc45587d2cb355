"""Watching that a terminal's chain of records holds: what is missing, what exists twice."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from cardsvc.devices.models import DeviceAnomalyRow, DeviceRow
from cardsvc.devices.rules import NO_HASH, Anomaly, AnomalyKind, Chain, DeviceNotFound, Gap, Link, follow


def track(session: Session, device_id: UUID, links: Sequence[Link], now: datetime) -> tuple[Anomaly, ...]:
    """Move the end of the terminal's chain over its new records and note what is wrong; nothing is refused for it.

    `links` are authenticated records that were never tracked before, in any order. Raises: DeviceNotFound.
    """
    if not links:
        return ()
    # the row is locked, so that two batches of one terminal are compared one after the other
    query = select(DeviceRow.last_sequence, DeviceRow.last_hash).where(DeviceRow.id == device_id).with_for_update()
    row = session.execute(query).one_or_none()
    if row is None:
        raise DeviceNotFound
    chain = Chain(row.last_sequence, row.last_hash or NO_HASH)
    late = any(link[0] <= chain.sequence for link in links)
    chain, found = follow(chain, links, _gaps(session, device_id) if late else ())
    session.execute(
        update(DeviceRow)
        .where(DeviceRow.id == device_id)
        .values(last_sequence=chain.sequence, last_hash=chain.record_hash if chain.sequence else None)
    )
    if found:
        session.execute(insert(DeviceAnomalyRow), [_row(device_id, anomaly, now) for anomaly in found])
    return found


def _gaps(session: Session, device_id: UUID) -> tuple[Gap, ...]:
    query = select(DeviceAnomalyRow.sequence, DeviceAnomalyRow.until_sequence).where(
        DeviceAnomalyRow.device_id == device_id, DeviceAnomalyRow.kind == AnomalyKind.GAP.value
    )
    return tuple(Gap(row.sequence, row.until_sequence) for row in session.execute(query))


def _row(device_id: UUID, anomaly: Anomaly, now: datetime) -> dict[str, object]:
    return {
        "device_id": device_id,
        "record_id": anomaly.record_id,
        "kind": anomaly.kind.value,
        "sequence": anomaly.sequence,
        "until_sequence": anomaly.until,
        "seen_at": now,
    }
