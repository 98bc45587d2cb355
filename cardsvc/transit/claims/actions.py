"""Verbs of claims: a rider opens one, staff refuse it or sign a refund, two of them where it is large."""

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, db, ledger, money
from cardsvc.access import Role
from cardsvc.transit import queries as tariffs
from cardsvc.transit.claims import queries
from cardsvc.transit.claims.queries import ClaimView
from cardsvc.transit.models import ClaimApproval, ClaimDecision, RideClaim
from cardsvc.transit.rules import claiming as rules
from cardsvc.transit.rules.claiming import ClaimDecided, ClaimReason, ClaimRefused
from crypto.wire.ids import uuid7
from crypto.wire.transit import FareRefunded

_DECIDERS = frozenset({Role.FINANCE, Role.TREASURER})
_REASON_LETTERS = range(3, 201)


def open_claim(
    session: Session,
    ride_id: UUID,
    reason: ClaimReason,
    *,
    stop_id: str | None,
    said: str,
    wallet_id: UUID,
    now: datetime,
    random_bytes: Callable[[int], bytes],
) -> ClaimView:
    """The owner of the wallet says that the ride was charged wrongly; one open claim a ride.

    Raises: UnknownRide, ClaimRefused.
    """
    ledger.lock(session)  # of two claims about one ride the second sees the first
    cost = queries.cost(session, ride_id)
    if cost.wallet_id != wallet_id:
        raise rules.UnknownRide
    rules.check_claim(cost, reason, stop_id, already_open=queries.open_claim_of(session, ride_id) is not None, now=now)
    if stop_id is not None and not tariffs.stop_names(session, [stop_id]):
        raise ClaimRefused("There is no such stop. Choose one from the list of stops.")
    said = " ".join(said.split())
    if len(said) > rules.SAID_MAX or not said.isprintable():
        raise ClaimRefused(f"Say it in at most {rules.SAID_MAX} letters.")
    claim_id = uuid7(db.to_ms(now), random_bytes(10))
    row = {"id": claim_id, "wallet_id": wallet_id, "ride_id": ride_id, "reason": reason.value, "stop_id": stop_id}
    session.execute(sa.insert(RideClaim), row | {"said": said, "fare_cents": cost.fare_cents, "opened_at": now})
    return queries.claim(session, claim_id)


def refund(session: Session, claim_id: UUID, fare_cents: int, *, reason: str, by: UUID) -> FareRefunded:
    """What the staff member signs to grant the claim. Whether it may be is decided when it is accepted.

    Raises: UnknownClaim, ClaimDecided; ClaimRefused where the ride does not come to so much.
    """
    found = queries.claim(session, claim_id)
    if found.state != rules.OPEN:
        raise ClaimDecided
    if problem := rules.check_refund(found.ride, fare_cents):
        raise ClaimRefused(problem)
    action = found.approved_action if found.approved_cents == fare_cents else None
    return FareRefunded(
        staff_id=by,
        claim_id=claim_id,
        wallet_id=found.wallet_id,
        ride_id=found.ride.ride_id,
        fare_cents=fare_cents,
        subsidy_cents=found.ride.subsidy_back(fare_cents),
        currency=money.CURRENCY,
        reason=reason,
        action_id=action,
    )


def refuse(session: Session, claim_id: UUID, *, reason: str, by: UUID, now: datetime) -> ClaimView:
    """The charge stays, for the reason that the rider will read. Raises: UnknownClaim, ClaimDecided, ClaimRefused."""
    if len(reason) not in _REASON_LETTERS or not reason.isprintable() or reason.isspace():
        raise ClaimRefused("Say why, in 3 to 200 letters: the rider reads it.")
    ledger.lock(session)  # granting holds it too: of two decisions the second sees the first
    found = queries.claim(session, claim_id)
    if found.state != rules.OPEN:
        raise ClaimDecided
    decide(session, found, rules.REFUSED, reason=reason, by=by, now=now)
    return queries.claim(session, claim_id)


def decide(
    session: Session,
    found: ClaimView,
    outcome: str,
    *,
    reason: str,
    by: UUID,
    now: datetime,
    granted: FareRefunded | None = None,
    record_id: UUID | None = None,
) -> None:
    """Write down how a claim ended; the table takes one end only."""
    ride = found.ride
    row = {
        "claim_id": found.id,
        "outcome": outcome,
        "why": reason,
        "decided_by": by,
        "decided_at": now,
        "record_id": record_id,
        "action_id": None if granted is None else granted.action_id,
        "fare_cents": 0 if granted is None else granted.fare_cents,
        "subsidy_cents": 0 if granted is None else granted.subsidy_cents,
        "fare_day": ride.fare_day,
        "network": ride.network,
        "agency": ride.agency,
        "paid_by": ride.paid_by,
        "product": ride.product,
    }
    session.execute(sa.insert(ClaimDecision), row)


# ---------------------------------------------------------------------------------------------------- two people


def _described(session: Session, payload: dict[str, Any]) -> str:
    claim_id, fare_cents, reason = _read(payload)
    found = queries.claim(session, claim_id)
    if found.state != rules.OPEN:
        raise ClaimDecided
    if problem := rules.check_refund(found.ride, fare_cents):
        raise access.UnsuitableAction(problem)
    ride = f"the {found.ride.network} ride of {found.ride.fare_day} from {found.ride.from_stop}"
    return f"Give {money.show(fare_cents)} of {ride} back ({found.reason.value}): {reason}"[:400]


def _read(payload: dict[str, Any]) -> tuple[UUID, int, str]:
    """Raises: access.UnsuitableAction."""
    try:
        claim_id = UUID(str(payload.get("claim_id")))
    except ValueError as error:
        raise access.UnsuitableAction("claim_id is not an id.") from error
    cents, reason = payload.get("fare_cents"), payload.get("reason")
    if set(payload) != {"claim_id", "fare_cents", "reason"} or type(cents) is not int or cents <= 0:
        raise access.UnsuitableAction("The payload is claim_id, fare_cents (more than 0) and reason.")
    if not isinstance(reason, str) or len(reason) not in _REASON_LETTERS or not reason.isprintable():
        raise access.UnsuitableAction("The reason is a text of 3 to 200 letters.")
    return claim_id, cents, reason


def _approve(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    """Both signed. Money moves when one of them then signs a record that names this."""
    claim_id, fare_cents, _ = _read(payload)
    ledger.lock(session)
    found = queries.claim(session, claim_id)
    if found.state != rules.OPEN:
        raise ClaimDecided
    row = {"claim_id": claim_id, "action_id": action.id, "fare_cents": fare_cents, "approved_at": now}
    session.execute(sa.insert(ClaimApproval), row)


REFUNDING = access.ActionHandler("transit.refund", _DECIDERS, _DECIDERS, _approve, _described)
"""A refund above what one person may give back alone."""
