"""Claims as staff and riders see them, and what the ride comes to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.transit.models import ClaimApproval, ClaimDecision, RideCharge, RideClaim, RideTap
from cardsvc.transit.rules import claiming, explaining
from cardsvc.transit.rules.claiming import ClaimReason, RideCost, UnknownClaim, UnknownRide


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim and its ride as it comes to now. `approved_action` is what two people signed for `approved_cents`; the
    last six say how it ended and are empty while it is open.
    """

    id: UUID
    wallet_id: UUID
    reason: ClaimReason
    stop_id: str | None
    said: str
    fare_cents: int
    opened_at: datetime
    ride: RideCost
    approved_action: UUID | None
    approved_cents: int
    state: str
    why: str
    decided_by: UUID | None
    decided_at: datetime | None
    record_id: UUID | None
    refunded_cents: int


def cost(session: Session, ride_id: UUID) -> RideCost:
    """What a ride comes to now. Raises: UnknownRide."""
    found = costs(session, [ride_id]).get(ride_id)
    if found is None:
        raise UnknownRide
    return found


def costs(session: Session, ride_ids: Iterable[UUID]) -> dict[UUID, RideCost]:
    """What rides come to now, by their first tap. A charge whose entry was taken back does not count."""
    wanted = list(ride_ids)
    query = (
        sa.select(RideCharge, RideTap.at, RideTap.stop_id)
        .join(RideTap, RideTap.record_id == RideCharge.ride_id)
        .where(RideCharge.ride_id.in_(wanted))
        .order_by(RideCharge.id)
    )
    charges: dict[UUID, list[Any]] = {}
    for row in session.execute(query):
        charges.setdefault(row[0].ride_id, []).append(row)
    refunded = _refunded(session, wanted)
    return {ride_id: _cost(session, rows, *refunded.get(ride_id, (0, 0))) for ride_id, rows in charges.items()}


def _cost(session: Session, rows: Sequence[Any], refunded_cents: int, subsidy_back_cents: int) -> RideCost:
    standing = [row[0] for row in rows if ledger.reversal_of(session, row[0].entry_id) is None]
    last, at, stop_id = rows[-1]
    payer = next((row[0].paid_by for row in reversed(rows) if row[0].paid_by), "")
    return RideCost(
        ride_id=last.ride_id,
        wallet_id=last.wallet_id,
        fare_day=last.fare_day,
        network=last.network,
        agency=last.agency,
        fare_cents=sum(charge.fare_cents for charge in standing) - refunded_cents,
        subsidy_cents=sum(charge.subsidy_cents for charge in standing) - subsidy_back_cents,
        paid_by=payer,
        product=explaining.product(last.explanation),
        began_at=at,
        from_stop=stop_id,
    )


def _refunded(session: Session, ride_ids: Sequence[UUID]) -> dict[UUID, tuple[int, int]]:
    query = (
        sa.select(RideClaim.ride_id, sa.func.sum(ClaimDecision.fare_cents), sa.func.sum(ClaimDecision.subsidy_cents))
        .join(ClaimDecision, ClaimDecision.claim_id == RideClaim.id)
        .where(RideClaim.ride_id.in_(ride_ids), ~ledger.is_reversed(ClaimDecision.__table__.c.record_id))
        .group_by(RideClaim.ride_id)
    )
    return {ride_id: (int(fare), int(subsidy)) for ride_id, fare, subsidy in session.execute(query)}


def refunded_before(session: Session, entry_id: UUID) -> str:
    """Why what the entry charged may not go back now: a claim gave something of it back, and a ride would come to less
    than nothing. Empty: it may.
    """
    charged = sa.select(
        RideCharge.ride_id, sa.func.sum(RideCharge.fare_cents), sa.func.sum(RideCharge.subsidy_cents)
    ).where(RideCharge.entry_id == entry_id)
    moved = {row[0]: (int(row[1]), int(row[2])) for row in session.execute(charged.group_by(RideCharge.ride_id))}
    given_back = _refunded(session, list(moved))
    for ride_id, ride in costs(session, given_back).items():
        fare_cents, subsidy_cents = moved[ride_id]
        if ride.fare_cents < fare_cents or ride.subsidy_cents < subsidy_cents:
            return "A claim gave some of this ride back before. Give the rest back by a claim of the rider too."
    return ""


def claim(session: Session, claim_id: UUID) -> ClaimView:
    """Raises: UnknownClaim."""
    for found in _views(session, _query().where(RideClaim.id == claim_id)):
        return found
    raise UnknownClaim


def claims(
    session: Session,
    *,
    state: str = claiming.OPEN,
    wallet_id: UUID | None = None,
    after: UUID | None = None,
    limit: int = 100,
) -> list[ClaimView]:
    """Claims in this state (or ALL), the oldest first; `after` is the last id of the page before."""
    query = _query().order_by(RideClaim.opened_at, RideClaim.id).limit(limit)
    if state == claiming.OPEN:
        query = query.where(ClaimDecision.outcome.is_(None))
    elif state != claiming.ALL:
        query = query.where(ClaimDecision.outcome == state)
    if wallet_id is not None:
        query = query.where(RideClaim.wallet_id == wallet_id)
    if after is not None:
        at = sa.select(RideClaim.opened_at).where(RideClaim.id == after).scalar_subquery()
        query = query.where((RideClaim.opened_at > at) | ((RideClaim.opened_at == at) & (RideClaim.id > after)))
    return _views(session, query)


def claims_waiting(session: Session, _now: datetime) -> int:
    """How many nobody has decided about."""
    decided = sa.exists().where(ClaimDecision.claim_id == RideClaim.id)
    return int(session.scalars(sa.select(sa.func.count()).select_from(RideClaim).where(~decided)).one())


def open_claim_of(session: Session, ride_id: UUID) -> UUID | None:
    """The claim about this ride that nobody has decided about."""
    query = _query().where(RideClaim.ride_id == ride_id, ClaimDecision.outcome.is_(None))
    row = session.execute(query.limit(1)).one_or_none()
    return None if row is None else row[0].id


def is_approved(session: Session, claim_id: UUID, action_id: UUID, fare_cents: int) -> bool:
    """Whether two people signed this action for giving so much back."""
    row = session.get(ClaimApproval, (claim_id, action_id))
    return row is not None and row.fare_cents == fare_cents


def _query() -> sa.Select[*tuple[Any, ...]]:
    return sa.select(RideClaim, ClaimDecision).outerjoin(ClaimDecision, ClaimDecision.claim_id == RideClaim.id)


def _views(session: Session, query: sa.Select[*tuple[Any, ...]]) -> list[ClaimView]:
    rows = session.execute(query).all()
    rides = costs(session, {found.ride_id for found, _ in rows})
    approvals = sa.select(ClaimApproval).where(ClaimApproval.claim_id.in_([found.id for found, _ in rows]))
    approved = {row.claim_id: row for row in session.scalars(approvals.order_by(ClaimApproval.approved_at))}
    return [_view(found, ended, rides[found.ride_id], approved.get(found.id)) for found, ended in rows]


def _view(found: RideClaim, ended: ClaimDecision | None, ride: RideCost, approval: ClaimApproval | None) -> ClaimView:
    return ClaimView(
        id=found.id,
        wallet_id=found.wallet_id,
        reason=ClaimReason(found.reason),
        stop_id=found.stop_id,
        said=found.said,
        fare_cents=found.fare_cents,
        opened_at=found.opened_at,
        ride=ride,
        approved_action=None if approval is None else approval.action_id,
        approved_cents=0 if approval is None else approval.fare_cents,
        state=claiming.OPEN if ended is None else ended.outcome,
        why="" if ended is None else ended.why,
        decided_by=None if ended is None else ended.decided_by,
        decided_at=None if ended is None else ended.decided_at,
        record_id=None if ended is None else ended.record_id,
        refunded_cents=0 if ended is None else ended.fare_cents,
    )
