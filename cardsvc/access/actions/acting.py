"""Actions of two: one person proposes and signs, another signs, and with that it is done.

Rooms bring an `ActionHandler` for each kind; wiring collects them. What a handler does stands in the same transaction
as the second signature: there is no signed action that was not done, and none done that was not signed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cardsvc.access import queries
from cardsvc.access.actions.passwords import RandomBytes
from cardsvc.access.models import ActionEnd, ActionRow, ActionSignature
from cardsvc.access.queries import ActionView, RolesNeeded
from cardsvc.access.rules import (
    ACTION_VALIDITY,
    ACTION_VALIDITY_MAX,
    WAITING,
    ActionNotOpen,
    ActionState,
    NotYourAction,
    NotYourSignature,
    ProposerGone,
    ProposerSignsFirst,
    Role,
    SameSigner,
    StaffId,
    UnknownActionKind,
    UnsuitableAction,
)
from cardsvc.db import to_ms
from crypto import cose
from crypto.cbor import Key, Value
from crypto.errors import CryptoError
from crypto.wire.action import Action, verify_action
from crypto.wire.ids import uuid7

Run = Callable[[Session, dict[str, Any], ActionView, datetime], None]
Describe = Callable[[Session, dict[str, Any]], str]


@dataclass(frozen=True, slots=True)
class ActionHandler:
    """What a kind of action needs and does. `run(session, payload, action, now)` runs with the second signature, in its
    transaction, and never commits; work that takes long is put into a job there.

    `describe` checks a payload that came from outside and says it in a sentence that both will read before they sign.
    Without it the kind is proposed by its own room alone, through `propose`.
    """

    kind: str
    proposer_roles: frozenset[Role]
    approver_roles: frozenset[Role]
    run: Run
    describe: Describe | None = None


ActionHandlers = Mapping[str, ActionHandler]


def handlers_by_kind(*handlers: ActionHandler) -> ActionHandlers:
    """The handlers under their kinds, as `sign_action` takes them."""
    return {handler.kind: handler for handler in handlers}


def propose(
    session: Session,
    handler: ActionHandler,
    payload: Mapping[str, Any],
    summary: str,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
    validity: timedelta = ACTION_VALIDITY,
) -> ActionView:
    """Write an action down for two people to sign, the proposer first. Nothing is done yet.

    `payload` has text keys and whole numbers, texts, bytes, flags, lists and maps, at most 16 KiB in all.
    Raises: NotYourAction; UnsuitableAction for a payload or summary that cannot be signed.
    """
    _check_role(session, by, handler.proposer_roles)
    expires_at = now + min(validity, ACTION_VALIDITY_MAX)
    action_id = uuid7(to_ms(now), random_bytes(10))
    try:
        details: dict[Key, Value] = {name: value for name, value in payload.items()}  # noqa: C416 - widens the keys
        content = Action(action_id, handler.kind, details, summary, by, to_ms(now), to_ms(expires_at))
        encoded = content.encode()
        Action.decode(encoded)
    except CryptoError as error:
        raise UnsuitableAction(f"This cannot be put into an action: {error}") from error
    row = {"id": action_id, "kind": handler.kind, "action_bytes": encoded}
    session.execute(insert(ActionRow).values(**row, proposed_by=StaffId(by), proposed_at=now, expires_at=expires_at))
    return queries.action(session, action_id, now)


def sign_action(
    session: Session, handlers: ActionHandlers, action_id: UUID, *, by: UUID, signature: bytes, now: datetime
) -> ActionView:
    """Take a signature: a detached COSE_Sign1 over `ActionView.action_bytes` (`crypto.wire.action`). The second one
    does what the action says.

    Raises: NoSuchAction, ActionNotOpen, ProposerSignsFirst, SameSigner, NotYourAction, NotYourSignature, ProposerGone,
    and whatever the handler raises: then nothing of the second signature stays.
    """
    found = queries.action(session, action_id, now)
    handler = handlers.get(found.kind)
    if handler is None:
        raise UnknownActionKind(found.kind)
    if found.state not in WAITING:
        raise ActionNotOpen(found.state)
    _check_turn(session, handler, found, by)
    _check_signature(session, found, by, signature)
    number = len(found.signatures) + 1
    # Of two who sign at one moment one meets the table's key, and all of theirs is rolled back.
    session.execute(
        insert(ActionSignature).values(
            action_id=action_id,
            number=number,
            staff_id=StaffId(by),
            signature=signature,
            signed_at=now,
            roles=_roles_now(session, by),
        )
    )
    if found.state is ActionState.SIGNED:
        session.execute(
            insert(ActionEnd).values(action_id=action_id, outcome=ActionState.DONE, ended_by=StaffId(by), ended_at=now)
        )
        handler.run(session, dict(found.payload), queries.action(session, action_id, now), now)
    return queries.action(session, action_id, now)


def withdraw_action(
    session: Session, handlers: ActionHandlers, action_id: UUID, *, by: UUID, now: datetime
) -> ActionView:
    """End an action that waits: its proposer takes it back, or somebody who might have signed it says no.

    Raises: NoSuchAction, ActionNotOpen, NotYourAction.
    """
    found = queries.action(session, action_id, now)
    if found.state not in WAITING:
        raise ActionNotOpen(found.state)
    if by != found.proposed_by:
        handler = handlers.get(found.kind)
        _check_role(session, by, frozenset() if handler is None else handler.approver_roles)
    session.execute(
        insert(ActionEnd).values(action_id=action_id, outcome=ActionState.WITHDRAWN, ended_by=StaffId(by), ended_at=now)
    )
    return queries.action(session, action_id, now)


def roles_needed(handlers: ActionHandlers) -> Mapping[str, RolesNeeded]:
    """What `check_actions` holds the kept roles against: of each kind those of its proposer and of its approver."""
    return {kind: (handler.proposer_roles, handler.approver_roles) for kind, handler in handlers.items()}


def _roles_now(session: Session, staff_id: UUID) -> str:
    """Kept with the signature: who may prove later what the signer might then, whatever they may today."""
    member = queries.staff(session, StaffId(staff_id))
    return " ".join(sorted(member.roles)) if member else ""


def _check_turn(session: Session, handler: ActionHandler, found: ActionView, by: UUID) -> None:
    if found.state is ActionState.PROPOSED:
        if by != found.proposed_by:
            raise ProposerSignsFirst
        _check_role(session, by, handler.proposer_roles)
        return
    if by == found.proposed_by:
        raise SameSigner
    _check_role(session, by, handler.approver_roles)
    try:
        _check_role(session, found.proposed_by, handler.proposer_roles)
    except NotYourAction as error:
        raise ProposerGone from error


def _check_role(session: Session, staff_id: UUID, needed: frozenset[Role]) -> None:
    member = queries.staff(session, StaffId(staff_id))
    if member is None or not member.is_active or not needed & member.roles:
        raise NotYourAction(needed)


def _check_signature(session: Session, found: ActionView, by: UUID, signature: bytes) -> None:
    try:
        kid = cose.parse(signature).kid
        key = queries.staff_by_key(session, [kid]).get(kid)
        if key is None or key.staff_id != by:
            raise NotYourSignature
        verify_action(found.action_bytes, signature, key.public_key)
    except CryptoError as error:
        raise NotYourSignature from error
