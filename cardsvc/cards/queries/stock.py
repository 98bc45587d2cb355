"""Reads of the stock of blanks: one blank and its history, the spoilage register, and whether the books agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from cardsvc.cards.models import BlankBatchRow, BlankEventRow, BlankRow
from cardsvc.cards.rules import BlankNotFound, BlankState, SpoilageReason

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Blank:
    """A blank by the serial printed on it. `batch` is its delivery's name; `card_id` the card made of it, if any."""

    serial: str
    batch: str
    product: str
    state: BlankState
    card_id: UUID | None


@dataclass(frozen=True, slots=True)
class BlankStep:
    """One move of a blank. `reason` stands where it was spoiled."""

    serial: str
    to_state: BlankState
    card_id: UUID | None
    actor: UUID
    at: datetime
    reason: SpoilageReason | None
    note: str | None


@dataclass(frozen=True, slots=True)
class BlankPage:
    """Some blanks in the order of their serials; `next` asks for those after them, None at the end."""

    blanks: tuple[Blank, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A delivery against its note. It agrees when every card delivered is in stock, used, spoiled or returned."""

    batch_id: UUID
    name: str
    product: str
    delivered_by: str
    delivered_on: date
    transport_key_reference: str | None
    delivered: int
    in_stock: int
    used: int
    spoiled: int
    returned: int

    @property
    def difference(self) -> int:
        """Cards in the books beyond the delivery note; negative where the note says more than was taken in."""
        return self.in_stock + self.used + self.spoiled + self.returned - self.delivered


def blank(session: Session, serial: str) -> Blank:
    """Raises: BlankNotFound."""
    row = session.execute(_select().where(BlankRow.serial == serial)).one_or_none()
    if row is None:
        raise BlankNotFound(serial)
    return _blank(row)


def blank_of_card(session: Session, card_id: UUID) -> Blank | None:
    """The blank that the card is made of, where stock is kept."""
    used = (BlankRow.card_id == card_id, BlankRow.state == BlankState.USED.value)
    row = session.execute(_select().where(*used)).one_or_none()
    return None if row is None else _blank(row)


def blanks(
    session: Session,
    *,
    batch: str | None = None,
    state: BlankState | None = None,
    after: str | None = None,
    limit: int = 100,
) -> BlankPage:
    """Blanks, of a delivery and state or all; `after` is the `next` of the page before."""
    query = _select().order_by(BlankRow.serial).limit(limit + 1)
    if batch is not None:
        query = query.where(BlankBatchRow.name == batch)
    if state is not None:
        query = query.where(BlankRow.state == state.value)
    if after is not None:
        query = query.where(BlankRow.serial > after)
    rows = session.execute(query).all()
    shown = tuple(_blank(row) for row in rows[:limit])
    return BlankPage(shown, shown[-1].serial if len(rows) > limit else None)


def blank_history(session: Session, serial: str) -> tuple[BlankStep, ...]:
    """Every move of the blank, oldest first."""
    query = select(BlankEventRow).where(BlankEventRow.serial == serial).order_by(BlankEventRow.number)
    return tuple(_step(event) for event in session.scalars(query))


def spoilage(session: Session, *, since: datetime | None = None, limit: int = 500) -> tuple[BlankStep, ...]:
    """The spoilage register, newest first."""
    query = select(BlankEventRow).where(BlankEventRow.to_state == BlankState.SPOILED.value)
    if since is not None:
        query = query.where(BlankEventRow.at >= since)
    newest = query.order_by(BlankEventRow.at.desc(), BlankEventRow.serial).limit(limit)
    return tuple(_step(event) for event in session.scalars(newest))


def reconciliation(session: Session, batch_id: UUID | None = None) -> tuple[Reconciliation, ...]:
    """Every delivery, or one, against its note; by the day it came."""
    query = select(BlankBatchRow).order_by(BlankBatchRow.delivered_on, BlankBatchRow.name)
    counted = select(BlankRow.batch_id, BlankRow.state, func.count()).group_by(BlankRow.batch_id, BlankRow.state)
    if batch_id is not None:
        query = query.where(BlankBatchRow.id == batch_id)
        counted = counted.where(BlankRow.batch_id == batch_id)
    counts = {(found, state): count for found, state, count in session.execute(counted)}
    return tuple(
        Reconciliation(
            batch_id=batch.id,
            name=batch.name,
            product=batch.product,
            delivered_by=batch.delivered_by,
            delivered_on=batch.delivered_on,
            transport_key_reference=batch.transport_key_reference,
            delivered=batch.delivered,
            **{state.value: counts.get((batch.id, state.value), 0) for state in BlankState},
        )
        for batch in session.scalars(query)
    )


def known_serials(session: Session, serials: Sequence[str]) -> set[str]:
    """Which of the serials were taken in before."""
    found: set[str] = set()
    for start in range(0, len(serials), _CHUNK):
        chosen = BlankRow.serial.in_(serials[start : start + _CHUNK])
        found |= set(session.scalars(select(BlankRow.serial).where(chosen)))
    return found


def keeps_stock(session: Session) -> bool:
    """Whether the city ever took a delivery in."""
    return session.execute(select(BlankBatchRow.id).limit(1)).first() is not None


def _select() -> Select[*tuple[Any, ...]]:
    columns = (BlankRow.serial, BlankBatchRow.name, BlankBatchRow.product, BlankRow.state, BlankRow.card_id)
    return select(*columns).join(BlankBatchRow, BlankBatchRow.id == BlankRow.batch_id)


def _blank(row: Row[*tuple[Any, ...]]) -> Blank:
    return Blank(row.serial, row.name, row.product, BlankState(row.state), row.card_id)


def _step(event: BlankEventRow) -> BlankStep:
    reason = SpoilageReason(event.reason) if event.reason else None
    return BlankStep(event.serial, BlankState(event.to_state), event.card_id, event.actor, event.at, reason, event.note)
