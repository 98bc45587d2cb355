"""Reads of the terminals: small frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from cardsvc.devices.models import DeviceAnomalyRow, DeviceRow
from cardsvc.devices.rules import AnomalyKind, DeviceKind, DeviceNotFound, DeviceStatus
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


def anomalies(session: Session, device_id: UUID | None = None) -> tuple[SeenAnomaly, ...]:
    """Gaps and forks, of one terminal or of all, in the order of the chain."""
    query = select(DeviceAnomalyRow).order_by(DeviceAnomalyRow.device_id, DeviceAnomalyRow.sequence)
    if device_id is not None:
        query = query.where(DeviceAnomalyRow.device_id == device_id)
    return tuple(
        SeenAnomaly(row.device_id, AnomalyKind(row.kind), row.sequence, row.until_sequence, row.record_id, row.seen_at)
        for row in session.scalars(query)
    )


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
