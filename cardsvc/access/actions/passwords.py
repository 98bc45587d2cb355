"""Whose name it is, and whether a password is theirs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc.access.models import Credential, Staff
from cardsvc.access.queries import ACTIVE
from cardsvc.access.rules import Kind
from cardsvc.settings import PasswordCost

RandomBytes = Callable[[int], bytes]

_SALT_BYTES, _HASH_BYTES = 16, 32


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in under a name, and with what."""

    kind: Kind
    subject_id: UUID
    username: str
    password_hash: str = field(repr=False)
    is_active: bool
    demo: bool


def find_account(session: Session, username: str) -> Account | None:
    staff = session.execute(
        select(Staff.id, Staff.password_hash, Staff.status, Staff.demo).where(Staff.username == username)
    ).one_or_none()
    if staff is not None:
        return Account(Kind.STAFF, staff.id, username, staff.password_hash, staff.status == ACTIVE, staff.demo)
    resident = session.execute(
        select(Credential.resident_id, Credential.password_hash, Credential.demo).where(Credential.username == username)
    ).one_or_none()
    if resident is not None:
        return Account(Kind.RESIDENT, resident.resident_id, username, resident.password_hash, True, resident.demo)
    return None


def hash_password(password: str, cost: PasswordCost, random_bytes: RandomBytes) -> str:
    return Argon2id(
        salt=random_bytes(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive_phc_encoded(password.encode())


def matches(password: str, password_hash: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), password_hash)
    except InvalidKey:
        return False
    return True
