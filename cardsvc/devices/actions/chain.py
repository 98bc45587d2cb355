"""Watching that a terminal's chain holds: what is missing, came late, or exists twice. Nothing is refused for it."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select, update
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
    Grown,
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
    return track_many(session, {device_id: links}, now, placed=placed)


def track_many(
    session: Session, links_of: Mapping[UUID, Sequence[Link]], now: datetime, *, placed: Placed = nothing_placed
) -> tuple[Anomaly, ...]:
    """`track` for several terminals: chains that hold cost one read and one write, however many they are."""
    wanted = [device_id for device_id, links in links_of.items() if links]
    columns = (DeviceRow.id, DeviceRow.kind, DeviceRow.last_sequence, DeviceRow.last_hash)
    # the rows are locked, so that two batches of one terminal are compared one after the other
    query = select(*columns).where(DeviceRow.id.in_(wanted)).order_by(DeviceRow.id).with_for_update()
    rows = session.execute(query).all() if wanted else []
    if len(rows) != len(wanted):
        raise DeviceNotFound
    ends: list[dict[str, object]] = []
    grown_of: dict[UUID, Grown] = {}
    for device_id, kind, last_sequence, last_hash in rows:
        links = links_of[device_id]
        if kind == DeviceKind.PORTAL:
            links = [link for link in links if link[0] != UNCHAINED]
        before = Chain(last_sequence, last_hash or NO_HASH)
        grown = grown_of[device_id] = grow(before, links)
        if grown.chain != before:
            ends.append({"of": device_id, "sequence": grown.chain.sequence, "hash": grown.chain.record_hash})
    if ends:
        session.connection().execute(_MOVE, ends)
    return tuple(
        found for device_id, grown in grown_of.items() for found in _wrong(session, device_id, grown, now, placed)
    )


_MOVE = (
    update(DeviceRow.__table__)  # type: ignore[arg-type]  # a declarative class's table is one
    .where(DeviceRow.id == bindparam("of"))
    .values(last_sequence=bindparam("sequence"), last_hash=bindparam("hash"))
)


def _wrong(session: Session, device_id: UUID, grown: Grown, now: datetime, placed: Placed) -> tuple[Anomaly, ...]:
    """Note what is wrong with a terminal's new records."""
    if not (grown.forks or grown.gaps or grown.late):
        return ()
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
