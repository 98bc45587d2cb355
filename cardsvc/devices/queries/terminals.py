"""The terminals themselves, and their chains."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Row, exists, func, select
from sqlalchemy.orm import Session

from cardsvc.devices.models import (
    DeviceAnomalyRow,
    DeviceFilledRow,
    DeviceForkRow,
    DeviceMissingRow,
    DeviceRow,
    PolicyNumberRow,
)
from cardsvc.devices.rules import (
    MISSING_OVERDUE,
    AnomalyKind,
    DeviceKind,
    DeviceNotFound,
    DeviceStatus,
    Fork,
    ForkWhy,
    Missing,
)
from crypto import keys

_CHUNK = 5000
_CACHED_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Device:
    """A terminal. `last_hash` is None before its first record; `revoked_at` while it is in service."""

    id: UUID
    kind: DeviceKind
    name: str
    public_key: EllipticCurvePublicKey
    key_id: bytes
    status: DeviceStatus
    enrolled_at: datetime
    revoked_at: datetime | None
    last_sequence: int
    last_hash: bytes | None


@dataclass(frozen=True, slots=True)
class SeenAnomaly:
    """A gap (from `sequence` to `until`) or a fork (at `sequence`) in a terminal's chain."""

    device_id: UUID
    kind: AnomalyKind
    sequence: int
    until: int
    record_id: UUID
    seen_at: datetime


_COLUMNS = tuple(getattr(DeviceRow, name) for name in Device.__slots__)


def by_ids(session: Session, device_ids: Sequence[UUID]) -> dict[UUID, Device]:
    """Those of the ids that are terminals', revoked ones too."""
    found: dict[UUID, Device] = {}
    for start in range(0, len(device_ids), _CHUNK):
        query = select(*_COLUMNS).where(DeviceRow.id.in_(device_ids[start : start + _CHUNK]))
        found |= {row.id: _device(row) for row in session.execute(query)}
    return found


def find(session: Session, device_id: UUID) -> Device:
    """Raises: DeviceNotFound."""
    found = by_ids(session, [device_id]).get(device_id)
    if found is None:
        raise DeviceNotFound
    return found


def by_key_id(session: Session, key_id: bytes) -> Device | None:
    row = session.execute(select(*_COLUMNS).where(DeviceRow.key_id == key_id)).one_or_none()
    return None if row is None else _device(row)


def listed(session: Session) -> tuple[Device, ...]:
    """Every terminal, by kind and name. A city has hundreds, not millions."""
    return tuple(
        _device(row)
        for row in session.execute(select(*_COLUMNS).order_by(DeviceRow.kind, DeviceRow.name, DeviceRow.id))
    )


def revoked(session: Session) -> tuple[Device, ...]:
    """Terminals that had a certificate and are out of service, in the order of their key ids."""
    query = select(*_COLUMNS).where(DeviceRow.status == DeviceStatus.REVOKED, DeviceRow.certificate.is_not(None))
    return tuple(_device(row) for row in session.execute(query.order_by(DeviceRow.key_id)))


def certificates(session: Session, key_ids: Sequence[bytes]) -> dict[bytes, bytes]:
    """The certificates (DER) of the terminals with these keys."""
    query = select(DeviceRow.key_id, DeviceRow.certificate).where(DeviceRow.certificate.is_not(None))
    wanted = frozenset(key_ids)
    return {row.key_id: row.certificate for row in session.execute(query) if row.key_id in wanted}


def anomalies(session: Session, device_id: UUID | None = None) -> tuple[SeenAnomaly, ...]:
    """Gaps and forks, of one terminal or of all, in the order of the chain."""
    query = select(DeviceAnomalyRow).order_by(DeviceAnomalyRow.device_id, DeviceAnomalyRow.sequence)
    if device_id is not None:
        query = query.where(DeviceAnomalyRow.device_id == device_id)
    return tuple(
        SeenAnomaly(row.device_id, AnomalyKind(row.kind), row.sequence, row.until_sequence, row.record_id, row.seen_at)
        for row in session.scalars(query)
    )


@dataclass(frozen=True, slots=True)
class ClosedGap:
    """A gap whose records all came late, the last of them at `closed_at`."""

    first: int
    last: int
    seen_at: datetime
    closed_at: datetime


@dataclass(frozen=True, slots=True)
class SeenFork:
    """Two records of which a whole chain has one, and when that was seen."""

    fork: Fork
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class ChainReport:
    """All that is known of a terminal's chain. `overdue`: something was missing for longer than `MISSING_OVERDUE`."""

    device: Device
    missing: tuple[Missing, ...]
    closed: tuple[ClosedGap, ...]
    forks: tuple[SeenFork, ...]
    overdue: bool

    @property
    def missing_count(self) -> int:
        return sum(gap.last - gap.first + 1 for gap in self.missing)

    @property
    def is_whole(self) -> bool:
        return not self.missing and not self.forks


SHOWN_MAX = 200
"""How many gaps and forks of a terminal are told one by one, the newest of each kind."""


def chain_report(session: Session, device_id: UUID, now: datetime) -> ChainReport:
    """Raises: DeviceNotFound."""
    return _chain(session, find(session, device_id), now)


def chain_reports(session: Session, now: datetime) -> tuple[ChainReport, ...]:
    """Every terminal's chain; the service's own portal has one too."""
    return tuple(_chain(session, device, now) for device in listed(session))


def _chain(session: Session, device: Device, now: datetime) -> ChainReport:
    missing = _missing(session, device.id)
    overdue = any(gap.since <= now - MISSING_OVERDUE for gap in missing)
    return ChainReport(device, missing, _closed(session, device.id), _forks(session, device.id), overdue)


def _missing(session: Session, device_id: UUID) -> tuple[Missing, ...]:
    query = select(DeviceMissingRow).where(DeviceMissingRow.device_id == device_id)
    rows = session.scalars(query.order_by(DeviceMissingRow.sequence).limit(SHOWN_MAX))
    return tuple(Missing(row.sequence, row.until_sequence, row.since) for row in rows)


def _closed(session: Session, device_id: UUID) -> tuple[ClosedGap, ...]:
    gap, late, open_ = DeviceAnomalyRow, DeviceFilledRow, DeviceMissingRow
    came = (
        select(func.max(late.filled_at))
        .where(late.device_id == gap.device_id, late.sequence.between(gap.sequence, gap.until_sequence))
        .scalar_subquery()
    )
    still = exists().where(
        open_.device_id == gap.device_id,
        open_.sequence <= gap.until_sequence,
        open_.until_sequence >= gap.sequence,
    )
    query = (
        select(gap.sequence, gap.until_sequence, gap.seen_at, came)
        .where(gap.device_id == device_id, gap.kind == AnomalyKind.GAP.value, ~still)
        .order_by(gap.seen_at.desc())
        .limit(SHOWN_MAX)
    )
    return tuple(ClosedGap(*row) for row in session.execute(query.where(came.is_not(None))))


def _forks(session: Session, device_id: UUID) -> tuple[SeenFork, ...]:
    query = select(DeviceForkRow).where(DeviceForkRow.device_id == device_id)
    return tuple(
        SeenFork(
            Fork(row.sequence, ForkWhy(row.why), row.record_id, row.record_hash, row.other_id, row.other_hash),
            row.seen_at,
        )
        for row in session.scalars(query.order_by(DeviceForkRow.seen_at.desc()).limit(SHOWN_MAX))
    )


def terminals_missing(session: Session, now: datetime) -> int:
    """How many terminals have had records missing for longer than `MISSING_OVERDUE`."""
    query = select(func.count(DeviceMissingRow.device_id.distinct()))
    return int(session.scalars(query.where(DeviceMissingRow.since <= now - MISSING_OVERDUE)).one())


def terminals_forked(session: Session, _now: datetime) -> int:
    """How many terminals in service have a fork in their chain, whenever it was seen."""
    query = select(func.count(DeviceForkRow.device_id.distinct())).join(
        DeviceRow, DeviceRow.id == DeviceForkRow.device_id
    )
    return int(session.scalars(query.where(DeviceRow.status == DeviceStatus.ENROLLED.value)).one())


def outdated_since(session: Session, policy_number: int) -> datetime | None:
    """When a policy with a higher number was first issued; None: this one, and with it its deny list, is the newest."""
    later = select(func.min(PolicyNumberRow.first_issued_at)).where(PolicyNumberRow.number > policy_number)
    return session.scalars(later).one()


def _device(row: Row[*tuple[Any, ...]]) -> Device:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name begins so
    return Device(
        **{
            **values,
            "kind": DeviceKind(row.kind),
            "status": DeviceStatus(row.status),
            "public_key": _loaded(row.public_key),
        }
    )


@lru_cache(maxsize=_CACHED_KEYS)
def _loaded(spki: bytes) -> EllipticCurvePublicKey:
    """The same terminals come back with every batch."""
    key = keys.load_spki(spki)
    assert isinstance(key, EllipticCurvePublicKey)
    return key
