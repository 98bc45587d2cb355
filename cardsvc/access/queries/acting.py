"""Actions of two as they stand: who proposed, who signed, how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.access.models import ActionEnd, ActionRow, ActionSignature, Staff
from cardsvc.access.rules import ActionState, NoSuchAction, StaffId, state_of
from crypto.wire.action import Action


@dataclass(frozen=True, slots=True)
class Signed:
    """One of the two signatures. `roles` are the signer's at that moment; None where they were not kept yet."""

    staff_id: StaffId
    name: str
    signed_at: datetime
    roles: tuple[str, ...] | None
    signature: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action as it stands at the time of asking. `signatures` are in order, the proposer's first.

    `ended_by` and `ended_at` are who signed second or withdrew it, and when; None while it waits or when it ran out.
    """

    id: UUID
    kind: str
    payload: Mapping[str, Any]
    summary: str
    proposed_by: StaffId
    proposer: str
    proposed_at: datetime
    expires_at: datetime
    state: ActionState
    signatures: tuple[Signed, ...]
    ended_by: StaffId | None
    ended_at: datetime | None
    action_bytes: bytes = field(repr=False)


def action(session: Session, action_id: UUID, now: datetime) -> ActionView:
    """Raises: NoSuchAction."""
    for found in _views(session, select(ActionRow).where(ActionRow.id == action_id), now):
        return found
    raise NoSuchAction


def actions(session: Session, now: datetime, *, waiting: bool = False, limit: int = 100) -> list[ActionView]:
    """The newest actions first; `waiting` leaves out what ended or ran out."""
    query = select(ActionRow).order_by(ActionRow.proposed_at.desc(), ActionRow.id.desc()).limit(limit)
    if waiting:
        ended = select(ActionEnd.action_id)
        query = query.where(ActionRow.expires_at > now, ActionRow.id.not_in(ended))
    return _views(session, query, now)


def signers_of(session: Session, action_id: UUID) -> frozenset[StaffId]:
    """Who signed the action; nobody where there is none of this id."""
    return frozenset(session.scalars(select(ActionSignature.staff_id).where(ActionSignature.action_id == action_id)))


def _views(session: Session, query: Any, now: datetime) -> list[ActionView]:
    rows: Sequence[ActionRow] = session.scalars(query).all()
    ids = [row.id for row in rows]
    signatures: dict[UUID, list[Signed]] = {}
    for found in session.execute(
        select(ActionSignature, Staff.full_name)
        .join(Staff, Staff.id == ActionSignature.staff_id)
        .where(ActionSignature.action_id.in_(ids))
        .order_by(ActionSignature.number)
    ):
        row = found.ActionSignature
        roles = None if row.roles is None else tuple(row.roles.split())
        signed = Signed(row.staff_id, found.full_name, row.signed_at, roles, row.signature)
        signatures.setdefault(row.action_id, []).append(signed)
    ends = {end.action_id: end for end in session.scalars(select(ActionEnd).where(ActionEnd.action_id.in_(ids)))}
    names = session.execute(select(Staff.id, Staff.full_name).where(Staff.id.in_([row.proposed_by for row in rows])))
    proposers = {row.id: row.full_name for row in names}
    return [
        _view(row, proposers[row.proposed_by], tuple(signatures.get(row.id, ())), ends.get(row.id), now) for row in rows
    ]


def _view(
    row: ActionRow, proposer: str, signatures: tuple[Signed, ...], end: ActionEnd | None, now: datetime
) -> ActionView:
    content = Action.decode(row.action_bytes)
    return ActionView(
        row.id,
        row.kind,
        {str(name): value for name, value in content.payload.items()},
        content.summary,
        row.proposed_by,
        proposer,
        row.proposed_at,
        row.expires_at,
        state_of(None if end is None else end.outcome, len(signatures), row.expires_at, now),
        signatures,
        None if end is None else end.ended_by,
        None if end is None else end.ended_at,
        row.action_bytes,
    )
