"""Disputes as finance sees them, and how each ended."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import devices
from cardsvc.transactions.models import Dispute, DisputeApproval, DisputeDecision
from cardsvc.transactions.models import Transaction as Row
from cardsvc.transactions.queries.reading import UnknownReceipt
from cardsvc.transactions.queries.twins import Moments, Twin, twin
from cardsvc.transactions.rules import UnknownDispute, believable, needs_two

OPEN, SETTLED, REFUSED, ALL = "open", "settled", "refused", "all"
STATES = (OPEN, SETTLED, REFUSED, ALL)


@dataclass(frozen=True, slots=True)
class DisputeView:
    """A disputed record. `happened_at` is its own time, `believed_at` the one it would count at; `offset_ms` how far
    its terminal's clock was thought to run ahead. `approved_action` is what two people signed for settling it; the
    last five are None while it is open, and `settled_by` where it was refused. `twin` is what counts already and
    seems to be the same thing; it is looked for while the dispute is open.
    """

    record_id: UUID
    record_hash: bytes
    device_id: UUID
    terminal: str
    kind: int
    reason: str
    happened_at: datetime
    received_at: datetime
    believed_at: datetime
    offset_ms: int | None
    amount_cents: int | None
    currency: str | None
    card_id: UUID | None
    resident_id: UUID | None
    approved_action: UUID | None
    state: str
    why: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    settled_by: UUID | None

    twin: Twin | None = None

    @property
    def needs_two(self) -> bool:
        """Whether two people settle it: for its amount, or because it looks like something that counts already."""
        return self.refusing_needs_two or self.twin is not None

    @property
    def refusing_needs_two(self) -> bool:
        return needs_two(self.amount_cents)

    @property
    def twin_of(self) -> UUID | None:
        return None if self.twin is None else self.twin.record_id


@dataclass(frozen=True, slots=True)
class Status:
    """The first answer to a record, which stays, and what finance decided later. `dispute` is None where its time
    was not in doubt.
    """

    record_id: UUID
    outcome: str
    reason: str | None
    recorded_at: datetime
    dispute: str | None
    settled_by: UUID | None


def dispute(session: Session, record_id: UUID) -> DisputeView:
    """Raises: UnknownDispute."""
    for found in _views(session, _query().where(Dispute.record_id == record_id)):
        return found
    raise UnknownDispute


def disputes(session: Session, *, state: str = OPEN, after: UUID | None = None, limit: int = 100) -> list[DisputeView]:
    """Disputes in this state (or ALL), the oldest first; `after` is the last record id of the page before."""
    query = _query().order_by(Dispute.received_at, Dispute.record_id).limit(limit)
    if state == OPEN:
        query = query.where(DisputeDecision.outcome.is_(None))
    elif state != ALL:
        query = query.where(DisputeDecision.outcome == state)
    if after is not None:
        at = sa.select(Dispute.received_at).where(Dispute.record_id == after).scalar_subquery()
        query = query.where(
            (Dispute.received_at > at) | ((Dispute.received_at == at) & (Dispute.record_id > after)),
        )
    return _views(session, query)


def status(session: Session, record_id: UUID) -> Status:
    """What became of a record. Raises: UnknownReceipt."""
    query = (
        sa.select(Row.record_id, Row.outcome, Row.reason, Row.recorded_at)
        .add_columns(Dispute.record_id.label("disputed"), DisputeDecision.outcome.label("decided"))
        .add_columns(DisputeDecision.settled_by)
        .outerjoin(Dispute, Dispute.record_id == Row.record_id)
        .outerjoin(DisputeDecision, DisputeDecision.record_id == Row.record_id)
        .where(Row.record_id == record_id)
    )
    row = session.execute(query).one_or_none()
    if row is None:
        raise UnknownReceipt
    state = None if row.disputed is None else row.decided or OPEN
    return Status(row.record_id, row.outcome, row.reason, row.recorded_at, state, row.settled_by)


def disputes_waiting(session: Session, _now: datetime) -> int:
    """How many nobody has decided about, however long they wait."""
    decided = sa.exists().where(DisputeDecision.record_id == Dispute.record_id)
    return int(session.scalars(sa.select(sa.func.count()).select_from(Dispute).where(~decided)).one())


def is_approved(session: Session, record_id: UUID, action_id: UUID, decision: str) -> bool:
    """Whether two people signed this action for this decision about the record."""
    row = session.get(DisputeApproval, (record_id, action_id))
    return row is not None and row.decision == decision


def _query() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(Dispute, DisputeDecision, Row.record_hash)
        .join(Row, Row.record_id == Dispute.record_id)
        .outerjoin(DisputeDecision, DisputeDecision.record_id == Dispute.record_id)
    )


def _views(session: Session, query: sa.Select[*tuple[Any, ...]]) -> list[DisputeView]:
    rows = session.execute(query).all()
    terminals = devices.by_ids(session, list({row[0].device_id for row in rows}))
    approved = _approved(session, [row[0].record_id for row in rows])
    views = [
        _view(found, decision, record_hash, terminals[found.device_id], approved.get(found.record_id))
        for found, decision, record_hash in rows
    ]
    return [view if view.state != OPEN else replace(view, twin=_twin(session, view)) for view in views]


def _twin(session: Session, found: DisputeView) -> Twin | None:
    moments = Moments(found.happened_at, found.believed_at, found.received_at)
    return None if found.card_id is None else twin(session, found.record_id, moments)


def _approved(session: Session, record_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    query = sa.select(DisputeApproval.record_id, DisputeApproval.action_id).where(
        DisputeApproval.record_id.in_(record_ids), DisputeApproval.decision == "settle"
    )
    return {row.record_id: row.action_id for row in session.execute(query)}


def _view(
    found: Dispute, decision: DisputeDecision | None, record_hash: bytes, device: devices.Device, action: UUID | None
) -> DisputeView:
    believed_at = believable(
        found.happened_at,
        offset_ms=found.offset_ms,
        enrolled_at=device.enrolled_at,
        received_at=found.received_at,
    )
    return DisputeView(
        record_id=found.record_id,
        record_hash=record_hash,
        device_id=found.device_id,
        terminal=device.name,
        kind=found.kind,
        reason=found.reason,
        happened_at=found.happened_at,
        received_at=found.received_at,
        believed_at=believed_at,
        offset_ms=found.offset_ms,
        amount_cents=found.amount_cents,
        currency=found.currency,
        card_id=found.card_id,
        resident_id=found.resident_id,
        approved_action=action,
        state=OPEN if decision is None else decision.outcome,
        why=None if decision is None else decision.why,
        decided_by=None if decision is None else decision.decided_by,
        decided_at=None if decision is None else decision.decided_at,
        settled_by=None if decision is None else decision.settled_by,
    )
