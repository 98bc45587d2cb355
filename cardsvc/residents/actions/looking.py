"""Writing down who was shown whom."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.residents.models import ResidentLookRow
from cardsvc.residents.rules import checked_fields, checked_purpose

_SERVICE = "service"


def note_look(
    session: Session,
    resident_id: UUID,
    *,
    actor: UUID,
    purpose: str,
    fields: Sequence[str],
    device_id: UUID | None = None,
    now: datetime,
) -> None:
    """Note that `actor` (a staff member; the zero id is the service) is shown these fields of a resident, and why.

    Call it in the unit that shows them, before it does. `fields` are words such as `name photo birth_date`.
    Raises: InvalidLook where no purpose or no field is named; the database's own error for an unknown resident.
    """
    note_looks(session, [resident_id], actor=actor, purpose=purpose, fields=fields, device_id=device_id, now=now)


def note_looks(
    session: Session,
    resident_ids: Sequence[UUID],
    *,
    actor: UUID,
    purpose: str,
    fields: Sequence[str],
    device_id: UUID | None = None,
    now: datetime,
) -> None:
    """`note_look` for everybody on a list. Nobody on it is no error."""
    purpose, words = checked_purpose(purpose), checked_fields(fields)
    if not resident_ids:
        return
    member = access.staff(session, access.StaffId(actor))
    shown_to = {
        "at": now,
        "actor": actor,
        "actor_name": member.full_name[:100] if member else _SERVICE,
        "role": " ".join(sorted(member.roles))[:100] if member else _SERVICE,
        "device_id": device_id,
        "purpose": purpose,
        "fields": words,
    }
    session.execute(insert(ResidentLookRow), [{"resident_id": one, **shown_to} for one in resident_ids])
