"""What a staff member's own key signs: the password opens it each time, a sign-in alone signs nothing."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc import vault
from cardsvc.access import queries
from cardsvc.access.models import Staff
from cardsvc.access.queries import ACTIVE
from cardsvc.access.rules import FAILURES_MAX, StaffId, TooManyAttempts, WrongPassword
from crypto.keys import SoftwareSigner
from crypto.wire.action import sign_action
from crypto.wire.transaction import Purpose, authorise


def sign_as(session: Session, staff_id: UUID, password: str, record_bytes: bytes) -> bytes:
    """The staff member's authorisation of an encoded record (detached COSE_Sign1, Purpose.STAFF).

    Raises: WrongPassword.
    """
    return authorise(record_bytes, Purpose.STAFF, _signer(session, staff_id, password)).cose


def sign_action_as(session: Session, staff_id: UUID, password: str, action_bytes: bytes) -> bytes:
    """The staff member's signature of an encoded action of two. Raises: WrongPassword."""
    return sign_action(action_bytes, _signer(session, staff_id, password))


def check_own_password(session: Session, staff_id: UUID, password: str, now: datetime) -> None:
    """Whether it is the staff member's password: it opens their key. Raises: WrongPassword; TooManyAttempts while their
    name is closed.
    """
    member = queries.staff(session, StaffId(staff_id))
    if member is None:
        raise WrongPassword
    if queries.failures(session, member.username, now) >= FAILURES_MAX:
        raise TooManyAttempts
    _signer(session, staff_id, password)


def _signer(session: Session, staff_id: UUID, password: str) -> SoftwareSigner:
    found = session.execute(select(Staff.sealed_key, Staff.status).where(Staff.id == staff_id)).one_or_none()
    if found is None or found.status != ACTIVE:
        raise WrongPassword
    try:
        return SoftwareSigner.from_pem(vault.unseal(password, found.sealed_key, context=key_context(staff_id)))
    except vault.WrongPassphrase as error:
        raise WrongPassword from error


def key_context(staff_id: UUID) -> bytes:
    return b"city.staff-key.v1" + staff_id.bytes
