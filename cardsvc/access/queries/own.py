"""What somebody sees of their own signing in: sign-ins that run, cards and passkeys that are theirs."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from cardsvc.access.models import Passkey, SignIn, StaffCard
from cardsvc.access.rules import Kind, Method, StaffId, expires_at, is_alive

RELEASED = "released by an administrator"
_HANDLE_BYTES = 12  # of a hash of 256 random bits: enough to tell one's sign-ins apart, and of no use to anybody else


@dataclass(frozen=True, slots=True)
class OwnSignIn:
    """One running sign-in. `address` and `agent` are "" where they were not known."""

    handle: str
    method: Method
    began_at: datetime
    seen_at: datetime
    expires_at: datetime
    address: str
    agent: str


@dataclass(frozen=True, slots=True)
class BoundCard:
    """A card that stands for a staff member, or did until `unbound_at`."""

    id: UUID
    staff_id: StaffId
    card_id: UUID
    sign_in_key_id: bytes
    bound_by: UUID
    bound_at: datetime
    unbound_at: datetime | None
    unbound_why: str | None


@dataclass(frozen=True, slots=True)
class OwnPasskey:
    id: UUID
    name: str
    added_at: datetime
    used_at: datetime | None


def handle_of(token_hash: bytes) -> str:
    """How a person names one of their sign-ins; it opens nothing."""
    return token_hash[:_HANDLE_BYTES].hex()


def sign_ins_of(session: Session, subject_id: UUID, now: datetime) -> list[OwnSignIn]:
    """The sign-ins of a person that still count, the newest first."""
    rows = session.scalars(select(SignIn).where(SignIn.subject_id == subject_id).order_by(SignIn.began_at.desc())).all()
    return [
        OwnSignIn(
            handle_of(row.token_hash),
            Method(row.method or Method.PASSWORD),
            row.began_at,
            row.seen_at,
            expires_at(Kind(row.kind), row.began_at),
            row.address or "",
            row.agent or "",
        )
        for row in rows
        if is_alive(Kind(row.kind), began_at=row.began_at, seen_at=row.seen_at, now=now)
    ]


def cards_of_staff(session: Session, staff_id: UUID, *, unbound_too: bool = False) -> list[BoundCard]:
    """The cards that stand for a staff member, the newest first."""
    query = select(StaffCard).where(StaffCard.staff_id == StaffId(staff_id)).order_by(StaffCard.bound_at.desc())
    if not unbound_too:
        query = query.where(StaffCard.unbound_at.is_(None))
    return [
        BoundCard(
            row.id,
            row.staff_id,
            row.card_id,
            row.sign_in_key_id,
            row.bound_by,
            row.bound_at,
            row.unbound_at,
            row.unbound_why,
        )
        for row in session.scalars(query)
    ]


def passkeys_of(session: Session, subject_id: UUID) -> list[OwnPasskey]:
    """The passkeys of a person, the oldest first."""
    rows = session.scalars(select(Passkey).where(Passkey.subject_id == subject_id).order_by(Passkey.added_at))
    return [OwnPasskey(row.id, row.name, row.added_at, row.used_at) for row in rows]


def has_better(session: Session, staff_id: UUID) -> bool:
    """Whether a staff member signs in with something better than a password: a passkey, a card, or a card that is gone
    without an administrator's word. Else whoever may stop a card would bring the password back.
    """
    of_theirs = StaffCard.staff_id == StaffId(staff_id)
    bound = exists().where(of_theirs, StaffCard.unbound_at.is_(None))
    if session.scalar(select(or_(bound, exists().where(Passkey.subject_id == staff_id)))):
        return True
    last = select(StaffCard.unbound_why).where(of_theirs).order_by(StaffCard.unbound_at.desc()).limit(1)
    gone = session.execute(last).one_or_none()
    return gone is not None and gone.unbound_why != RELEASED
