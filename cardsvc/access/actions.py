"""Verbs of access: staff and their keys, residents' passwords, sign-ins."""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from cardsvc import vault
from cardsvc.access import queries, rules
from cardsvc.access.models import Credential, SignIn, SignInFailure, Staff, StaffRole
from cardsvc.access.queries import ACTIVE, Principal, StaffMember
from cardsvc.access.rules import Kind, StaffId
from cardsvc.db import to_ms
from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import STRONG, PasswordCost
from crypto import keys
from crypto.keys import SoftwareSigner
from crypto.wire.ids import uuid7
from crypto.wire.transaction import Purpose, authorise

RandomBytes = Callable[[int], bytes]

_TOKEN_BYTES, _SALT_BYTES, _HASH_BYTES, _KEY_SECRET_BYTES = 32, 16, 32, 48


class InvalidCredentials(CityError):
    """The same for an unknown name, a wrong password and a blocked account: it tells a guesser nothing."""

    code = "invalid_credentials"
    kind = ErrorKind.UNAUTHENTICATED

    def __init__(self) -> None:
        super().__init__("The user name or the password is wrong. Try again.")


class WrongPassword(CityError):
    """Of somebody who is signed in and was asked again before signing."""

    code = "wrong_password"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("The password is wrong; nothing was signed. Enter it again.")


class TooManyAttempts(CityError):
    code = "too_many_attempts"
    kind = ErrorKind.TOO_MANY

    def __init__(self) -> None:
        minutes = int(rules.FAILURES_WINDOW.total_seconds() // 60)
        super().__init__(f"Too many wrong passwords for this user name. Wait {minutes} minutes, then try again.")


class DemoCredentialsRefused(CityError):
    code = "demo_credentials_refused"
    kind = ErrorKind.FORBIDDEN

    def __init__(self) -> None:
        super().__init__("This is a demo account, and this city is in production. Ask an administrator for your own.")


class UsernameTaken(CityError):
    code = "username_taken"
    kind = ErrorKind.CONFLICT

    def __init__(self, username: str) -> None:
        super().__init__(f"The user name {username} is taken. Choose another.")


class UnsuitableAccount(CityError):
    """A user name, password or role that is not allowed; `fields` says which and why."""

    code = "unsuitable_account"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(problem, fields={field: [problem]})


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in under a name, and with what."""

    kind: Kind
    subject_id: UUID
    username: str
    password_hash: str = field(repr=False)
    is_active: bool
    demo: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is given out once and kept only as a hash."""

    token: str = field(repr=False)
    principal: Principal
    expires_at: datetime


# ---------------------------------------------------------------------------------------------------- accounts


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
            password_hash=_hash(password, cost, random_bytes),
            key_id=keys.key_id(signer.public_key),
            public_key=keys.spki(signer.public_key),
            sealed_key=vault.seal(
                password, signer.to_pem(), context=_context(staff_id), cost=cost, random_bytes=random_bytes
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
    """Set or replace how a resident signs in; every sign-in that runs ends.

    Raises: UsernameTaken, UnsuitableAccount.
    """
    username = rules.normalise_username(username)
    _check_account(session, username, password, resident_id)
    end_sign_ins(session, resident_id)
    session.merge(
        Credential(
            resident_id=resident_id,
            username=username,
            password_hash=_hash(password, cost, random_bytes),
            demo=demo,
            changed_at=now,
        )
    )
    session.flush()


# ---------------------------------------------------------------------------------------------------- sign-ins


def check_password(
    session: Session,
    username: str,
    password: str,
    now: datetime,
    *,
    random_bytes: RandomBytes,
    cost: PasswordCost = STRONG,
    allow_demo: bool = False,
) -> Account:
    """Whose name and password these are. Writes nothing: it takes a while, and anybody may ask, so it must not hold up
    those who write. `cost` is what an unknown name's check costs, so that it takes as long as a known one's.

    Raises: InvalidCredentials (the caller counts it: `note_failure`), TooManyAttempts, DemoCredentialsRefused.
    """
    username = rules.normalise_username(username)
    if queries.failures(session, username, now) >= rules.FAILURES_MAX:
        raise TooManyAttempts
    # a name that nobody can have may hold what no database takes
    account = None if rules.username_problem(username) else _account(session, username)
    if account is None:
        _hash(password, cost, random_bytes)
        raise InvalidCredentials
    if not _matches(password, account.password_hash) or not account.is_active:
        raise InvalidCredentials
    if account.demo and not allow_demo:
        raise DemoCredentialsRefused
    return account


def open_sign_in(session: Session, account: Account, now: datetime, *, random_bytes: RandomBytes) -> SignedIn:
    """Open a sign-in for an account whose password was checked. Raises: InvalidCredentials when it changed since."""
    if _account(session, account.username) != account:
        raise InvalidCredentials
    token = base64.urlsafe_b64encode(random_bytes(_TOKEN_BYTES)).rstrip(b"=").decode()
    session.execute(
        insert(SignIn).values(
            token_hash=queries.token_hash(token),
            kind=account.kind.value,
            subject_id=account.subject_id,
            began_at=now,
            seen_at=now,
        )
    )
    principal = queries.session_of(session, token, now)
    return SignedIn(token, principal, principal.expires_at)


def sign_out(session: Session, token: str) -> None:
    """End one sign-in; ending it twice is no error."""
    session.execute(delete(SignIn).where(SignIn.token_hash == queries.token_hash(token)))


def end_sign_ins(session: Session, subject_id: UUID) -> None:
    """End every sign-in of a person."""
    session.execute(delete(SignIn).where(SignIn.subject_id == subject_id))


def note_seen(session: Session, token: str, now: datetime) -> None:
    """The sign-in was used: its idle time starts over. It never goes back."""
    session.execute(
        update(SignIn).where(SignIn.token_hash == queries.token_hash(token), SignIn.seen_at < now).values(seen_at=now)
    )


def note_failure(session: Session, username: str, now: datetime, *, subject_id: UUID | None = None) -> None:
    """Count a wrong password. When it was one too many, whoever is signed in under that name is no longer."""
    session.execute(insert(SignInFailure).values(username_hash=queries.username_hash(username), at=now))
    if subject_id is not None and queries.failures(session, username, now) >= rules.FAILURES_MAX:
        end_sign_ins(session, subject_id)


def forget_expired(session: Session, now: datetime) -> None:
    """Delete sign-ins that ran out and failures that no longer count. A periodic task; doing it twice is harmless."""
    for kind, lifetime in rules.LIFETIMES.items():
        session.execute(
            delete(SignIn).where(
                SignIn.kind == kind.value,
                (SignIn.seen_at <= now - lifetime.idle) | (SignIn.began_at <= now - lifetime.absolute),
            )
        )
    session.execute(delete(SignInFailure).where(SignInFailure.at <= now - rules.FAILURES_WINDOW))


# ---------------------------------------------------------------------------------------------------- signatures


def sign_as(session: Session, staff_id: UUID, password: str, record_bytes: bytes) -> bytes:
    """The staff member's authorisation of an encoded record (detached COSE_Sign1, Purpose.STAFF).

    The password opens their key each time: a sign-in alone signs nothing. Raises: WrongPassword.
    """
    found = session.execute(select(Staff.sealed_key, Staff.status).where(Staff.id == staff_id)).one_or_none()
    if found is None or found.status != ACTIVE:
        raise WrongPassword
    try:
        pem = vault.unseal(password, found.sealed_key, context=_context(staff_id))
    except vault.WrongPassphrase as error:
        raise WrongPassword from error
    return authorise(record_bytes, Purpose.STAFF, SoftwareSigner.from_pem(pem)).cose


# ---------------------------------------------------------------------------------------------------- inside


def _account(session: Session, username: str) -> Account | None:
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


def _check_account(session: Session, username: str, password: str, owner: UUID | None = None) -> None:
    for name, problem in (
        ("username", rules.username_problem(username)),
        ("password", rules.password_problem(password, username)),
    ):
        if problem is not None:
            raise UnsuitableAccount(name, problem)
    taken = _account(session, username)
    if taken is not None and taken.subject_id != owner:
        raise UsernameTaken(username)


def _hash(password: str, cost: PasswordCost, random_bytes: RandomBytes) -> str:
    return Argon2id(
        salt=random_bytes(_SALT_BYTES),
        length=_HASH_BYTES,
        iterations=cost.iterations,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    ).derive_phc_encoded(password.encode())


def _matches(password: str, password_hash: str) -> bool:
    try:
        Argon2id.verify_phc_encoded(password.encode(), password_hash)
    except InvalidKey:
        return False
    return True


def _context(staff_id: UUID) -> bytes:
    return b"city.staff-key.v1" + staff_id.bytes
