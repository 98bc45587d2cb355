"""What a staff member may do is changed by two administrators together."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from cardsvc.access import queries, rules
from cardsvc.access.actions.acting import ActionHandler
from cardsvc.access.models import StaffRole
from cardsvc.access.queries import ActionView, StaffMember
from cardsvc.access.rules import Role, StaffId, UnsuitableAction


def set_roles(session: Session, staff_id: StaffId, roles: frozenset[Role]) -> None:
    """From the next request on the staff member may do this and nothing else."""
    session.execute(delete(StaffRole).where(StaffRole.staff_id == staff_id))
    session.add_all(StaffRole(staff_id=staff_id, role=role) for role in sorted(roles))
    session.flush()


def _describe(session: Session, payload: dict[str, Any]) -> str:
    member, roles = _read(session, payload)
    now = ", ".join(sorted(member.roles)) or "nothing"
    return f"Give {member.full_name} ({member.username}) the roles {', '.join(sorted(roles))}, instead of {now}"[:400]


def _run(session: Session, payload: dict[str, Any], _action: ActionView, _now: datetime) -> None:
    member, roles = _read(session, payload)
    set_roles(session, member.id, roles)


def _read(session: Session, payload: dict[str, Any]) -> tuple[StaffMember, frozenset[Role]]:
    match payload:
        case {"staff_id": str(text), "roles": [_, *_] as names} if len(payload) == 2:  # noqa: PLR2004 - these two
            pass
        case _:
            raise UnsuitableAction("Name a staff_id and at least one of roles.")
    try:
        member = queries.staff(session, StaffId(UUID(text)))
        roles = rules.read_roles(names)
    except ValueError as error:
        raise UnsuitableAction(f"{error}. Roles are {', '.join(Role)}.") from error
    if member is None:
        raise UnsuitableAction("Nobody with this staff_id works here.")
    return member, roles


_ADMINS = frozenset({Role.ADMIN})
STAFF_ROLES = ActionHandler("staff.roles", _ADMINS, _ADMINS, _run, _describe)
