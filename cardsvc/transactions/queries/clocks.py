"""How far the terminals' clocks are off, estimated from the batches that they sent."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import devices
from cardsvc.devices import CLOCK_WINDOW, Arrival, Clock, estimate
from cardsvc.transactions.models import Batch


def clock(session: Session, device_id: UUID) -> Clock | None:
    """The clock of one terminal; None before its first batch."""
    query = (
        sa.select(Batch.sent_at, Batch.received_at)
        .where(Batch.device_id == device_id, Batch.sent_at.is_not(None))
        .order_by(Batch.received_at.desc())
        .limit(2 * CLOCK_WINDOW)
    )
    rows = session.execute(query)
    return estimate([Arrival(sent_at, received_at) for sent_at, received_at in rows if sent_at is not None])


def clocks(session: Session, device_ids: Sequence[UUID]) -> dict[UUID, Clock]:
    """The clocks of those of the terminals that sent something. A city has hundreds of them."""
    found = ((device_id, clock(session, device_id)) for device_id in device_ids)
    return {device_id: one for device_id, one in found if one is not None}


def clocks_off(session: Session, _now: datetime) -> int:
    """How many terminals in service have a clock that people should set."""
    serving = [device.id for device in devices.listed(session) if device.status is devices.DeviceStatus.ENROLLED]
    return sum(clock.is_off for clock in clocks(session, serving).values())
