"""Reads of access: who holds a token, whose key it is, who works here."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cardsvc.access import rules
from cardsvc.access.models import Credential, SignIn, SignInFailure, Staff, StaffCard, StaffRole
from cardsvc.access.rules import Kind, StaffId
from cardsvc.errors import CityError, ErrorKind
from crypto import keys
from crypto.keys import PublicKey

ACTIVE = "active"


class NotSignedIn(CityError):
    code: ClassVar[str] = "not_signed_in"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("You are not signed in, or were away too long. Sign in again.")


class NoSuchStaff(CityError):
    code = "no_such_staff"
    kind = ErrorKind.NOT_FOUND

    def __init__(self, username: str) -> None:
        super().__init__(f"Nobody called {username} works here. ./city staff list shows everybody.")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `subject_id` is a staff id or a resident id; a resident has no roles."""

    kind: Kind
    subject_id: UUID
    username: str
    name: str
    roles: frozenset[str]
    began_at: datetime
    seen_at: datetime

    @property
    def expires_at(self) -> datetime:
        return rules.expires_at(self.kind, self.began_at)


@dataclass(frozen=True, slots=True)
class StaffKey:
    """The key of an active staff member, and what its holder may do."""

    staff_id: StaffId
    public_key: PublicKey
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class StaffMember:
    id: StaffId
    username: str
    full_name: str
    roles: frozenset[str]
    is_active: bool
    demo: bool


def token_hash(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).digest()


def username_hash(username: str) -> bytes:
    return hashlib.sha256(rules.normalise_username(username).encode()).digest()


def session_of(session: Session, token: str, now: datetime) -> Principal:
    """Whose token it is. Raises: NotSignedIn when it is nobody's or has run out."""
    found = session.execute(
        select(SignIn.kind, SignIn.subject_id, SignIn.began_at, SignIn.seen_at).where(
            SignIn.token_hash == token_hash(token)
        )
    ).one_or_none()
    if found is None:
        raise NotSignedIn
    kind = Kind(found.kind)
    if not rules.is_alive(kind, began_at=found.began_at, seen_at=found.seen_at, now=now):
        raise NotSignedIn
    if kind is Kind.RESIDENT:
        username = session.scalar(select(Credential.username).where(Credential.resident_id == found.subject_id))
        if username is None:
            raise NotSignedIn
        return Principal(kind, found.subject_id, username, username, frozenset(), found.began_at, found.seen_at)
    member = staff(session, StaffId(found.subject_id))
    if member is None or not member.is_active:
        raise NotSignedIn
    return Principal(kind, member.id, member.username, member.full_name, member.roles, found.began_at, found.seen_at)


def staff(session: Session, staff_id: StaffId) -> StaffMember | None:
    return next(iter(_members(session, Staff.id == staff_id)), None)


def find_staff(session: Session, username: str) -> StaffMember:
    """Raises: NoSuchStaff."""
    for member in _members(session, Staff.username == rules.normalise_username(username)):
        return member
    raise NoSuchStaff(username)


def all_staff(session: Session) -> list[StaffMember]:
    """Everybody, by user name."""
    return _members(session, True)


def staff_by_key(session: Session, key_ids: Sequence[bytes], *, blocked_too: bool = False) -> dict[bytes, StaffKey]:
    """The active staff members' keys among `key_ids`: their own, sealed under a password, and the 9C of their cards.
    `blocked_too`: also those of blocked staff and of cards taken away, because what they signed before stays signed; a
    card is one person's for ever, however often it is bound.

    Three statements however many are asked for.
    """
    if not key_ids:
        return {}
    own = select(Staff.id, Staff.key_id, Staff.public_key).where(Staff.key_id.in_(key_ids))
    cards = (
        select(Staff.id, StaffCard.signature_key_id.label("key_id"), StaffCard.signature_key.label("public_key"))
        .join(StaffCard, StaffCard.staff_id == Staff.id)
        .where(StaffCard.signature_key_id.in_(key_ids))
    )
    if not blocked_too:
        own = own.where(Staff.status == ACTIVE)
        cards = cards.where(Staff.status == ACTIVE, StaffCard.unbound_at.is_(None))
    found = [*session.execute(cards), *session.execute(own)]
    roles = _roles(session, [row.id for row in found])
    return {
        row.key_id: StaffKey(row.id, keys.load_spki(row.public_key), roles.get(row.id, frozenset())) for row in found
    }


def failures(session: Session, username: str, now: datetime) -> int:
    """Wrong passwords for this user name that still count."""
    since = now - rules.FAILURES_WINDOW
    count = select(func.count()).where(SignInFailure.username_hash == username_hash(username), SignInFailure.at > since)
    return session.scalars(count).one()


def is_demo(session: Session, kind: Kind, subject_id: UUID) -> bool:
    """Whether the account is one whose password everybody knows."""
    if kind is Kind.STAFF:
        return bool(session.scalar(select(Staff.demo).where(Staff.id == StaffId(subject_id))))
    return bool(session.scalar(select(Credential.demo).where(Credential.resident_id == subject_id)))


def failures_from(session: Session, address: str | None, now: datetime) -> int:
    """Wrong passwords from this address that still count; none where it is not known."""
    if address is None:
        return 0
    since = now - rules.FAILURES_WINDOW
    count = select(func.count()).where(SignInFailure.address == address, SignInFailure.at > since)
    return session.scalars(count).one()


def _members(session: Session, condition: object) -> list[StaffMember]:
    rows = session.execute(
        select(Staff.id, Staff.username, Staff.full_name, Staff.status, Staff.demo)
        .where(condition)  # type: ignore[arg-type]  # `True` selects everybody
        .order_by(Staff.username)
    ).all()
    roles = _roles(session, [row.id for row in rows])
    return [
        StaffMember(row.id, row.username, row.full_name, roles.get(row.id, frozenset()), row.status == ACTIVE, row.demo)
        for row in rows
    ]


def _roles(session: Session, staff_ids: Sequence[UUID]) -> dict[UUID, frozenset[str]]:
    found: dict[UUID, set[str]] = {}
    for row in session.execute(select(StaffRole.staff_id, StaffRole.role).where(StaffRole.staff_id.in_(staff_ids))):
        found.setdefault(row.staff_id, set()).add(row.role)
    return {staff_id: frozenset(names) for staff_id, names in found.items()}
