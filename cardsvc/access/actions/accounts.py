"""Staff and their keys, residents' passwords."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from cardsvc import vault
from cardsvc.access import rules
from cardsvc.access.actions.passwords import RandomBytes, find_account, hash_password
from cardsvc.access.actions.sign_ins import end_sign_ins
from cardsvc.access.actions.signing import key_context
from cardsvc.access.models import Credential, Passkey, Staff, StaffRole
from cardsvc.access.queries import ACTIVE, StaffMember
from cardsvc.access.rules import StaffId, UnsuitableAccount, UsernameTaken
from cardsvc.db import to_ms
from cardsvc.settings import STRONG, PasswordCost
from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.wire.ids import uuid7

_KEY_SECRET_BYTES = 48


def add_staff(
    session: Session,
    *,
    username: str,
    full_name: str,
    roles: Iterable[str],
    password: str,
    now: datetime,
    random_bytes: RandomBytes,
    cost: PasswordCost = STRONG,
    demo: bool = False,
) -> StaffMember:
    """A new staff member with a signing key of their own, sealed under their password.

    Raises: UsernameTaken, UnsuitableAccount.
    """
    username = rules.normalise_username(username)
    _check_account(session, username, password)
    try:
        granted = rules.read_roles(roles)
    except ValueError as error:
        raise UnsuitableAccount("roles", f"{error}. Roles are {', '.join(rules.Role)}.") from error
    staff_id = StaffId(uuid7(to_ms(now), random_bytes(10)))
    signer = SoftwareSigner.from_secret(int.from_bytes(random_bytes(_KEY_SECRET_BYTES), "big"))
    session.add(
        Staff(
            id=staff_id,
            username=username,
            full_name=full_name,
            password_hash=hash_password(password, cost, random_bytes),
            key_id=keys.key_id(signer.public_key),
            public_key=keys.spki(signer.public_key),
            sealed_key=vault.seal(
                password, signer.to_pem(), context=key_context(staff_id), cost=cost, random_bytes=random_bytes
            ),
            status=ACTIVE,
            demo=demo,
            created_at=now,
        )
    )
    session.flush()
    session.add_all(StaffRole(staff_id=staff_id, role=role) for role in granted)
    session.flush()
    return StaffMember(staff_id, username, full_name, frozenset(granted), True, demo)


def block_staff(session: Session, staff_id: StaffId) -> None:
    """End all sign-ins of a staff member at once, and let neither password nor key count any more."""
    session.execute(update(Staff).where(Staff.id == staff_id).values(status="blocked"))
    end_sign_ins(session, staff_id)


def set_resident_password(
    session: Session,
    resident_id: UUID,
    username: str,
    password: str,
    now: datetime,
    *,
    random_bytes: RandomBytes,
    cost: PasswordCost = STRONG,
    demo: bool = False,
) -> None:
    """Set or replace how a resident signs in; every sign-in that runs ends, and passkeys count no more: whoever lost
    their account to somebody has it back alone.

    Raises: UsernameTaken, UnsuitableAccount.
    """
    username = rules.normalise_username(username)
    _check_account(session, username, password, resident_id)
    end_sign_ins(session, resident_id)
    session.execute(delete(Passkey).where(Passkey.subject_id == resident_id))
    session.merge(
        Credential(
            resident_id=resident_id,
            username=username,
            password_hash=hash_password(password, cost, random_bytes),
            demo=demo,
            changed_at=now,
        )
    )
    session.flush()


def _check_account(session: Session, username: str, password: str, owner: UUID | None = None) -> None:
    for name, problem in (
        ("username", rules.username_problem(username)),
        ("password", rules.password_problem(password, username)),
    ):
        if problem is not None:
            raise UnsuitableAccount(name, problem)
    taken = find_account(session, username)
    if taken is not None and taken.subject_id != owner:
        raise UsernameTaken(username)
