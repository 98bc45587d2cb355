"""The last hour of the gates: what came, what was refused, who is silent, whose list is old."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import devices, ledger, transactions
from cardsvc.transit.models import RideTap

SPAN: Final = timedelta(hours=1)
SILENT_AFTER: Final = timedelta(minutes=15)
OFFLINE_AFTER: Final = timedelta(hours=4)
"""A gate with a network sends each tap within minutes, and none where nobody rides: silence may be an empty street.
After this long it is taken for offline; with an old list it stops after four days in any case.
"""
_MINUTE: Final = timedelta(minutes=1)


class Hearing(StrEnum):
    """When a gate was last heard of."""

    HEARD = "heard"
    SILENT = "silent"
    OFFLINE = "offline"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class BoardLine:
    """A network. `minutes` has the taps that came in each, the oldest first; `late` were made before the span."""

    network: str
    minutes: tuple[int, ...]
    late: int

    @property
    def taps(self) -> int:
        return sum(self.minutes)


@dataclass(frozen=True, slots=True)
class Gate:
    """A validator in service. `list_age` is how long a newer policy and deny list than its own has been there: nothing
    where it has the newest, None where it was never heard of.
    """

    device_id: UUID
    name: str
    hearing: Hearing
    last_contact: datetime | None
    taps: int
    policy_number: int | None
    list_age: timedelta | None


@dataclass(frozen=True, slots=True)
class Refusals:
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Board:
    """`since` to `until`: by the time at which records came."""

    since: datetime
    until: datetime
    lines: tuple[BoardLine, ...]
    gates: tuple[Gate, ...]
    refusals: tuple[Refusals, ...]

    @property
    def quiet(self) -> int:
        """How many gates were not heard of lately."""
        return sum(gate.hearing is not Hearing.HEARD for gate in self.gates)


def board(session: Session, now: datetime) -> Board:
    """The last hour, minute by minute."""
    until = now.replace(second=0, microsecond=0) + _MINUTE
    since = until - SPAN
    gates = [
        device
        for device in devices.listed(session)
        if device.kind is devices.DeviceKind.VALIDATOR and device.status is devices.DeviceStatus.ENROLLED
    ]
    by_network, late, by_gate = _taps(session, since, until)
    heard = transactions.contacts(session, gates)
    refused = transactions.refusals(session, [gate.id for gate in gates], since)
    return Board(
        since,
        until,
        tuple(BoardLine(name, tuple(counts), late[name]) for name, counts in sorted(by_network.items())),
        tuple(_gate(session, gate, heard.get(gate.id), by_gate[gate.id], now) for gate in gates),
        tuple(Refusals(reason, count) for reason, count in refused.items()),
    )


def _taps(
    session: Session, since: datetime, until: datetime
) -> tuple[dict[str, list[int]], Counter[str], Counter[UUID]]:
    """By network and minute, those that were made before, and by device."""
    by_network: dict[str, list[int]] = {}
    late: Counter[str] = Counter()
    by_gate: Counter[UUID] = Counter()
    for network, device_id, at, recorded_at in _rows(session, since, until):
        minutes = by_network.setdefault(network, [0] * (SPAN // _MINUTE))
        minutes[(recorded_at - since) // _MINUTE] += 1
        late[network] += at < since
        by_gate[device_id] += 1
    return by_network, late, by_gate


def _rows(session: Session, since: datetime, until: datetime) -> Iterator[tuple[str, UUID, datetime, datetime]]:
    entry = ledger.recorded_between(since, until)
    query = sa.select(RideTap.network, RideTap.device_id, RideTap.at, entry.c.recorded_at)
    for row in session.execute(query.join(entry, entry.c.id == RideTap.record_id)):
        yield row.network, row.device_id, row.at, row.recorded_at


def _gate(
    session: Session, device: devices.Device, contact: transactions.Contact | None, taps: int, now: datetime
) -> Gate:
    if contact is None:
        return Gate(device.id, device.name, Hearing.NEVER, None, taps, None, None)
    outdated = devices.outdated_since(session, contact.policy_number)
    age = timedelta(0) if outdated is None else now - outdated
    quiet = now - contact.received_at
    hearing = Hearing.HEARD if quiet < SILENT_AFTER else Hearing.SILENT if quiet < OFFLINE_AFTER else Hearing.OFFLINE
    return Gate(device.id, device.name, hearing, contact.received_at, taps, contact.policy_number, age)
