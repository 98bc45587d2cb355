"""What terminals did lately: when each was last heard of, under which policy, and what of theirs was refused."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.devices import Device
from cardsvc.transactions.models import Batch, RefusedItem
from cardsvc.transactions.models import Transaction as Row
from crypto.wire.batch import open_batch


@dataclass(frozen=True, slots=True)
class Contact:
    """A terminal's newest batch that brought something: when it came, and the policy its terminal acted under."""

    received_at: datetime
    policy_number: int


def contacts(session: Session, devices: Iterable[Device]) -> dict[UUID, Contact]:
    """Those of the terminals that sent something. A city has hundreds of them."""
    found: dict[UUID, Contact] = {}
    for device in devices:
        newest = sa.select(Batch.received_at, Batch.bytes_).where(Batch.device_id == device.id)
        row = session.execute(newest.order_by(Batch.received_at.desc()).limit(1)).one_or_none()
        if row is not None:
            found[device.id] = Contact(row.received_at, open_batch(row[1], device.public_key).policy_number)
    return found


def refusals(session: Session, device_ids: Iterable[UUID], since: datetime) -> dict[str, int]:
    """How much of what these terminals sent since then was refused, by reason, the most frequent first."""
    wanted = frozenset(device_ids)
    counted: Counter[str] = Counter()
    rejected = sa.select(Row.device_id, Row.reason, sa.func.count()).where(
        Row.recorded_at >= since, Row.outcome == "rejected"
    )
    unheld = sa.select(RefusedItem.device_id, RefusedItem.reason, sa.func.count()).where(
        RefusedItem.received_at >= since
    )
    for query in (
        rejected.group_by(Row.device_id, Row.reason),
        unheld.group_by(RefusedItem.device_id, RefusedItem.reason),
    ):
        for device_id, reason, count in session.execute(query):
            if device_id in wanted and reason is not None:
                counted[reason] += count
    return dict(counted.most_common())
