"""Disputes: a record whose time nobody believes is kept for finance to decide about. Its rejection stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import access, ledger, money
from cardsvc.access import Role
from cardsvc.clock import business_date
from cardsvc.devices import Clock
from cardsvc.transactions import queries, rules
from cardsvc.transactions.models import Dispute, DisputeApproval, DisputeDecision
from cardsvc.transactions.queries import DisputeView
from cardsvc.transactions.rules import DisputeDecided, Item, Rejected, TwoMustDecide
from crypto.wire import kinds
from crypto.wire.disputes import DisputeSettled
from crypto.wire.reasons import DISPUTED

SETTLE, REFUSE = "settle", "refuse"
_DECIDERS = frozenset({Role.FINANCE, Role.TREASURER})
_REASON_LETTERS = range(3, 201)


def enter(session: Session, refused: Sequence[tuple[Item, Rejected]], *, now: datetime) -> None:
    """Put those of the refused items that finance decides about into the queue; their transactions are stored already.

    None of them was stored before.
    """
    disputed = [(item, refusal) for item, refusal in refused if refusal.reason in DISPUTED]
    if not disputed:
        return
    clocks = queries.clocks(session, list({item.device.id for item, _ in disputed}))
    rows = [_row(item, refusal, clocks.get(item.device.id), now) for item, refusal in disputed]
    session.execute(sa.insert(Dispute), rows)


def _row(item: Item, refusal: Rejected, clock: Clock | None, now: datetime) -> dict[str, object]:
    amount_cents, currency = rules.stated_amount(item.body)
    return {
        "record_id": item.record.record_id,
        "device_id": item.device.id,
        "kind": item.record.kind,
        "reason": refusal.reason.value,
        "happened_at": item.happened_at,
        "received_at": now,
        "offset_ms": None if clock is None else clock.offset_ms,
        "amount_cents": amount_cents,
        "currency": currency,
        "card_id": None if item.card is None else item.card.card_id,
        "resident_id": item.resident_id,
    }


def settlement(session: Session, record_id: UUID, *, reason: str, by: UUID) -> DisputeSettled:
    """What the staff member signs to settle the dispute. Whether it may be is decided when it is accepted.

    Raises: UnknownDispute.
    """
    found = queries.dispute(session, record_id)
    return DisputeSettled(by, record_id, found.record_hash, reason, found.approved_action)


def refuse(session: Session, record_id: UUID, *, reason: str, by: UUID, now: datetime) -> DisputeView:
    """The record does not count, for good. Raises: UnknownDispute, DisputeDecided, TwoMustDecide."""
    found = _open(session, record_id)
    if found.refusing_needs_two:
        raise TwoMustDecide
    return _refuse(session, record_id, reason=reason, by=by, now=now, action_id=None)


def _open(session: Session, record_id: UUID) -> DisputeView:
    """An open dispute, held until the unit ends. Raises: UnknownDispute, DisputeDecided."""
    ledger.lock(session)  # settling holds it too: of two decisions the second sees the first
    found = queries.dispute(session, record_id)
    if found.state != queries.OPEN:
        raise DisputeDecided
    return found


def _refuse(
    session: Session, record_id: UUID, *, reason: str, by: UUID, now: datetime, action_id: UUID | None
) -> DisputeView:
    row = {"record_id": record_id, "outcome": queries.REFUSED, "why": reason, "decided_by": by, "decided_at": now}
    session.execute(sa.insert(DisputeDecision).values(**row, settled_by=None, action_id=action_id))
    return queries.dispute(session, record_id)


# ---------------------------------------------------------------------------------------------------- two people


def _described(session: Session, payload: dict[str, Any]) -> str:
    record_id, decision, reason = _read(payload)
    found = queries.dispute(session, record_id)
    if found.state != queries.OPEN:
        raise DisputeDecided
    sum_ = "an amount it does not say" if found.amount_cents is None else money.show(found.amount_cents)
    verb = "Settle" if decision == SETTLE else "Refuse"
    at = business_date(found.received_at)
    twin = "" if found.twin is None else f" (it seems to be the twin of {found.twin_of})"
    what = f"{verb} the disputed {kinds.title(found.kind)} of {sum_}{twin}"
    return f"{what}, received {at} from {found.terminal}: {reason}"[:400]


def _read(payload: dict[str, Any]) -> tuple[UUID, str, str]:
    """Raises: access.UnsuitableAction."""
    given = payload.get("record_id"), payload.get("decision"), payload.get("reason")
    try:
        record_id = UUID(str(given[0]))
    except ValueError as error:
        raise access.UnsuitableAction("record_id is not an id.") from error
    if set(payload) != {"record_id", "decision", "reason"} or given[1] not in (SETTLE, REFUSE):
        raise access.UnsuitableAction("The payload is record_id, decision (settle or refuse) and reason.")
    if not isinstance(given[2], str) or len(given[2]) not in _REASON_LETTERS or not given[2].isprintable():
        raise access.UnsuitableAction("The reason is a text of 3 to 200 letters.")
    return record_id, str(given[1]), given[2]


def _approve(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    """Both signed. A refusal is done with it; settling moves money, so one of them signs a record that names this."""
    record_id, decision, reason = _read(payload)
    _open(session, record_id)
    row = {"record_id": record_id, "action_id": action.id, "decision": decision, "approved_at": now}
    session.execute(sa.insert(DisputeApproval), row)
    if decision == REFUSE:
        by = action.signatures[-1].staff_id
        _refuse(session, record_id, reason=reason, by=by, now=now, action_id=action.id)


DECIDING = access.ActionHandler("dispute.decide", _DECIDERS, _DECIDERS, _approve, _described)
"""A decision about a dispute above what one person may decide alone."""
