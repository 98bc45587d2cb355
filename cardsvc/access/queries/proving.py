"""The proof of the actions of two: what was done was signed by two different people with keys that were theirs then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from cardsvc.access.models import ActionEnd, ActionRow, ActionSignature, Staff, StaffCard
from cardsvc.access.rules import SIGNATURES_NEEDED, ActionState, Role, StaffId
from cardsvc.db import to_ms
from cardsvc.errors import CityError, ErrorKind
from crypto import cose, keys
from crypto.cbor import Key, Value
from crypto.errors import CryptoError
from crypto.wire.action import Action, verify_action

_PAGE = 500
_NOTHING: Final[Mapping[str, "RolesNeeded"]] = MappingProxyType({})


class UnprovedAction(CityError):
    """An action was done that two people's signatures do not stand for."""

    code: ClassVar[str] = "unproved_action"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self, action_id: UUID, problem: str) -> None:
        super().__init__(f"Action {action_id}: {problem}. Stop and compare with the last backup.")


@dataclass(frozen=True, slots=True)
class ActionsChecked:
    """How much was looked at; all of it was right."""

    actions: int
    signatures: int


RolesNeeded = tuple[frozenset[Role], frozenset[Role]]
"""Of which roles the proposer needs one, and of which the approver."""


def check_actions(session: Session, needed: Mapping[str, RolesNeeded] = _NOTHING) -> ActionsChecked:
    """Verify every kept signature of every action again, that each one done has two people's, and that the roles which
    they had when they signed are among those `needed` for its kind. Signatures from before roles were kept, and kinds
    that are not in `needed`, prove no roles.

    Raises: UnprovedAction, naming the first that is wrong.
    """
    count = signatures = 0
    after = UUID(int=0)
    while page := session.scalars(
        select(ActionRow).where(ActionRow.id > after).order_by(ActionRow.id).limit(_PAGE)
    ).all():
        for row in page:
            signatures += _check(session, row, needed.get(row.kind))
        count += len(page)
        after = page[-1].id
    return ActionsChecked(count, signatures)


@dataclass(frozen=True, slots=True)
class Done:
    """An action that two people signed, and when it was done."""

    action_id: UUID
    payload: Mapping[Key, Value]
    done_at: datetime


def proved_actions(session: Session, kind: str, needed: RolesNeeded) -> list[Done]:
    """All of this kind that were done, in the order in which they were, each proved as `check_actions` does.

    Raises: UnprovedAction.
    """
    found = session.execute(
        select(ActionRow.id, ActionEnd.ended_at)
        .join_from(ActionRow, ActionEnd)
        .where(ActionRow.kind == kind, ActionEnd.outcome == ActionState.DONE)
        .order_by(ActionEnd.ended_at, ActionRow.id)
    ).all()
    return [Done(action_id, proved_payload(session, action_id, kind, needed), at) for action_id, at in found]


def proved_payload(session: Session, action_id: UUID, kind: str, needed: RolesNeeded) -> Mapping[Key, Value]:
    """What two people with these roles signed, for a row that says it was done because they did.

    Raises: UnprovedAction.
    """
    row = session.get(ActionRow, action_id)
    if row is None or row.kind != kind or _check(session, row, needed) != SIGNATURES_NEEDED:
        raise UnprovedAction(action_id, f"something was done in its name, but no two people signed a {kind} of this id")
    return Action.decode(row.action_bytes).payload


def _check(session: Session, row: ActionRow, needed: RolesNeeded | None) -> int:
    """Check one action; how many signatures it carries."""
    try:
        content = Action.decode(row.action_bytes)
    except CryptoError as error:
        raise UnprovedAction(row.id, f"its bytes cannot be read ({error})") from error
    kept_as = row.id, row.kind, row.proposed_by, to_ms(row.proposed_at), to_ms(row.expires_at)
    if kept_as != (content.action_id, content.kind, content.proposed_by, content.proposed_at_ms, content.expires_at_ms):
        raise UnprovedAction(row.id, "it is not kept as what it says it is")
    signed = session.scalars(
        select(ActionSignature).where(ActionSignature.action_id == row.id).order_by(ActionSignature.number)
    ).all()
    for one in signed:
        _check_signature(session, row, one)
        if needed is not None and one.roles is not None and not needed[one.number - 1] & set(one.roles.split()):
            raise UnprovedAction(row.id, f"whoever made signature {one.number} had no role for it")
    people = [one.staff_id for one in signed]
    if len(set(people)) != len(people) or people[:1] not in ([], [row.proposed_by]):
        raise UnprovedAction(row.id, "its signatures are not the proposer's and another person's")
    end = session.get(ActionEnd, row.id)
    done = end is not None and end.outcome == ActionState.DONE
    if done != (len(people) == SIGNATURES_NEEDED):
        raise UnprovedAction(row.id, "it was done without two signatures, or signed by two and not done")
    if end is not None and done and (end.ended_by, end.ended_at) != (people[-1], signed[-1].signed_at):
        raise UnprovedAction(row.id, "it was not done by whoever signed it second")
    return len(people)


def _check_signature(session: Session, row: ActionRow, signed: ActionSignature) -> None:
    try:
        kid = cose.parse(signed.signature).kid
        key = _key_then(session, kid, signed.staff_id, signed.signed_at)
        if key is None:
            raise UnprovedAction(row.id, f"signature {signed.number} is by no key that was its signer's then")
        verify_action(row.action_bytes, signed.signature, keys.load_spki(key))
    except CryptoError as error:
        raise UnprovedAction(row.id, f"signature {signed.number} does not verify ({error})") from error
    if not row.proposed_at <= signed.signed_at < row.expires_at:
        raise UnprovedAction(row.id, f"signature {signed.number} was not made while it was open")


def _key_then(session: Session, kid: bytes, staff_id: StaffId, at: datetime) -> bytes | None:
    """The staff member's key of this id, when it was theirs then: sealed under their password, or a card's 9C."""
    own = select(Staff.public_key).where(Staff.id == staff_id, Staff.key_id == kid, Staff.created_at <= at)
    card = select(StaffCard.signature_key).where(
        StaffCard.staff_id == staff_id,
        StaffCard.signature_key_id == kid,
        StaffCard.bound_at <= at,
        or_(StaffCard.unbound_at.is_(None), StaffCard.unbound_at >= at),
    )
    found: Sequence[bytes] = [*session.scalars(own), *session.scalars(card)]
    return found[0] if found else None
