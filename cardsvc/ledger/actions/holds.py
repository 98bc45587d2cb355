"""The state of holds moves with the entries that move their money."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc.db import insert_columns
from cardsvc.ledger.models import Hold
from cardsvc.ledger.rules import Draft, HoldVerb, KnownHold, holds


def move(session: Session, drafts: Sequence[Draft], known: Mapping[UUID, KnownHold], at: datetime) -> None:
    """Write what the posted drafts did to holds, each once, whatever they did to it together."""
    state = dict(known)
    placed: list[UUID] = []
    for draft in drafts:
        step = draft.hold
        if step is not None:
            state[step.hold_id] = holds.after(draft, state.get(step.hold_id))
            if step.verb is HoldVerb.PLACE:
                placed.append(step.hold_id)
    if placed:
        _insert(session, [state[hold_id] for hold_id in placed], at)
    moved = {draft.hold.hold_id for draft in drafts if draft.hold is not None} - set(placed)
    if moved:
        _update(session, [state[hold_id] for hold_id in sorted(moved)], at)


def _insert(session: Session, new: Sequence[KnownHold], at: datetime) -> None:
    insert_columns(
        session,
        Hold.__table__,
        {
            "id": [hold.hold_id for hold in new],
            "account": [hold.account for hold in new],
            "beneficiary": [hold.terms.beneficiary for hold in new],
            "purpose": [hold.terms.purpose for hold in new],
            "placed_cents": [hold.placed_cents for hold in new],
            "captured_cents": [hold.captured_cents for hold in new],
            "left_cents": [hold.left_cents for hold in new],
            "limit_cents": [hold.terms.limit_cents for hold in new],
            "expires_at": [hold.terms.expires_at for hold in new],
            "placed_at": [at] * len(new),
            "ended_at": [at if hold.ended else None for hold in new],
        },
    )


def _update(session: Session, moved: Sequence[KnownHold], at: datetime) -> None:
    table = Hold.__table__
    assert isinstance(table, sa.Table)
    statement = (
        sa.update(table)
        .where(table.c.id == sa.bindparam("b_id"))
        .values(
            captured_cents=sa.bindparam("b_captured"),
            left_cents=sa.bindparam("b_left"),
            ended_at=sa.bindparam("b_ended"),
        )
    )
    rows = [
        {
            "b_id": hold.hold_id,
            "b_captured": hold.captured_cents,
            "b_left": hold.left_cents,
            "b_ended": at if hold.ended else None,
        }
        for hold in moved
    ]
    session.connection().execute(statement, rows)
