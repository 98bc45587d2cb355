"""Watching that a terminal's chain holds: what is missing, came late, or exists twice. Nothing is refused for it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from cardsvc.devices.models import DeviceAnomalyRow, DeviceFilledRow, DeviceForkRow, DeviceMissingRow, DeviceRow
from cardsvc.devices.rules import (
    NO_HASH,
    NOBODY,
    Anomaly,
    AnomalyKind,
    Chain,
    DeviceKind,
    DeviceNotFound,
    Filled,
    Fork,
    Link,
    Missing,
    fill,
    grow,
)
from crypto.wire.transaction import UNCHAINED

Placed = Callable[[Session, UUID, Sequence[int]], Sequence[Link]]
"""The records of a terminal that stand at these places of its chain, as the room knows them that keeps records."""


def nothing_placed(_session: Session, _device_id: UUID, _sequences: Sequence[int]) -> Sequence[Link]:
    return ()


def track(
    session: Session, device_id: UUID, links: Sequence[Link], now: datetime, *, placed: Placed = nothing_placed
) -> tuple[Anomaly, ...]:
    """Move the end of the terminal's chain over its new records and note what is wrong.

    `links` are authenticated records that were never tracked before, in any order; of nothing else is anything
    noted, so that a stranger makes no fork and fills no memory. `placed` is asked about records out of order.
    Raises: DeviceNotFound.
    """
    if not links:
        return ()
    # the row is locked, so that two batches of one terminal are compared one after the other
    query = select(DeviceRow.kind, DeviceRow.last_sequence, DeviceRow.last_hash).where(DeviceRow.id == device_id)
    row = session.execute(query.with_for_update()).one_or_none()
    if row is None:
        raise DeviceNotFound
    if row.kind == DeviceKind.PORTAL:
        links = [link for link in links if link[0] != UNCHAINED]
    before = Chain(row.last_sequence, row.last_hash or NO_HASH)
    grown = grow(before, links)
    if grown.chain != before:
        end = {"last_sequence": grown.chain.sequence, "last_hash": grown.chain.record_hash}
        session.execute(update(DeviceRow).where(DeviceRow.id == device_id).values(**end))
    forks = [_named(session, device_id, fork, placed) for fork in grown.forks]
    _miss(session, device_id, grown.gaps, now)
    if grown.late:
        forks += _fill(session, device_id, grown.late, now, placed)
    found = (*grown.gaps, *_noted(session, device_id, forks, now))
    if found:
        _insert_once(session, DeviceAnomalyRow, [_anomaly(device_id, anomaly, now) for anomaly in found])
    return found


def _named(session: Session, device_id: UUID, fork: Fork, placed: Placed) -> Fork:
    """The fork with the id of the record that was the end of the chain when this batch came."""
    if fork.other_id != NOBODY or fork.sequence == 1:
        return fork
    for _, record_id, _, record_hash in placed(session, device_id, [fork.sequence - 1]):
        if record_hash == fork.other_hash:
            return Fork(fork.sequence, fork.why, fork.record_id, fork.record_hash, record_id, record_hash)
    return fork


def _miss(session: Session, device_id: UUID, gaps: Sequence[Anomaly], now: datetime) -> None:
    rows = [
        {"device_id": device_id, "sequence": gap.sequence, "until_sequence": gap.until, "since": now} for gap in gaps
    ]
    if rows:
        session.execute(insert(DeviceMissingRow), rows)


def _fill(session: Session, device_id: UUID, late: Sequence[Link], now: datetime, placed: Placed) -> tuple[Fork, ...]:
    places = sorted({link[0] + step for link in late for step in (-1, 0, 1)})
    missing = _missing(session, device_id, late[0][0], late[-1][0])
    done = fill(late, missing, placed(session, device_id, places))
    _shrink(session, device_id, missing, done)
    rows = [
        {"device_id": device_id, "sequence": link[0], "record_id": link[1], "since": since, "filled_at": now}
        for link, since in done.filled
    ]
    if rows:
        session.execute(insert(DeviceFilledRow), rows)
    return done.forks


def _missing(session: Session, device_id: UUID, first: int, last: int) -> tuple[Missing, ...]:
    """The gaps that reach into these places, in order."""
    query = (
        select(DeviceMissingRow)
        .where(DeviceMissingRow.device_id == device_id)
        .where(DeviceMissingRow.sequence <= last, DeviceMissingRow.until_sequence >= first)
        .order_by(DeviceMissingRow.sequence)
        .execution_options(populate_existing=True)
    )
    return tuple(Missing(row.sequence, row.until_sequence, row.since) for row in session.scalars(query))


def _shrink(session: Session, device_id: UUID, before: Sequence[Missing], done: Filled) -> None:
    gone, new = set(before) - set(done.missing), set(done.missing) - set(before)
    for gap in gone:
        place = (DeviceMissingRow.device_id == device_id) & (DeviceMissingRow.sequence == gap.first)
        session.execute(delete(DeviceMissingRow).where(place))
    rows = [
        {"device_id": device_id, "sequence": gap.first, "until_sequence": gap.last, "since": gap.since} for gap in new
    ]
    if rows:
        session.execute(insert(DeviceMissingRow), rows)


def _noted(session: Session, device_id: UUID, forks: Sequence[Fork], now: datetime) -> tuple[Anomaly, ...]:
    """Keep both records of each fork; a record that forks from several is one anomaly."""
    rows: list[dict[str, object]] = [
        {
            "device_id": device_id,
            "record_id": fork.record_id,
            "other_id": fork.other_id,
            "sequence": fork.sequence,
            "why": fork.why.value,
            "record_hash": fork.record_hash,
            "other_hash": fork.other_hash,
            "seen_at": now,
        }
        for fork in forks
    ]
    if rows:
        _insert_once(session, DeviceForkRow, rows)
    found = {fork.record_id: Anomaly(AnomalyKind.FORK, fork.sequence, fork.sequence, fork.record_id) for fork in forks}
    return tuple(found.values())


def _insert_once(
    session: Session, table: type[DeviceAnomalyRow] | type[DeviceForkRow], rows: Sequence[dict[str, object]]
) -> None:
    """A record that fills a gap can show what the one after it showed before."""
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    session.execute(dialect.insert(table).on_conflict_do_nothing(), rows)


def _anomaly(device_id: UUID, anomaly: Anomaly, now: datetime) -> dict[str, object]:
    return {
        "device_id": device_id,
        "record_id": anomaly.record_id,
        "kind": anomaly.kind.value,
        "sequence": anomaly.sequence,
        "until_sequence": anomaly.until,
        "seen_at": now,
    }
