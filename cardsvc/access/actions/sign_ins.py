"""Sign-ins: opened after a check, used, ended."""

import base64
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from cardsvc.access import queries, rules
from cardsvc.access.actions.passwords import Account, RandomBytes, find_account, hash_password, matches
from cardsvc.access.models import Challenge, SignIn, SignInFailure
from cardsvc.access.queries import Principal
from cardsvc.access.rules import (
    AGENT_LETTERS_MAX,
    DemoCredentialsRefused,
    InvalidCredentials,
    Kind,
    Method,
    NoSuchSignIn,
    PasswordsRefused,
    StaffId,
    TooManyAttempts,
    TooManyFromHere,
    Way,
)
from cardsvc.settings import STRONG, PasswordCost, StaffPasswords

_TOKEN_BYTES = 32
_BY_PASSWORD = Way(Method.PASSWORD)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """`token` is given out once and kept only as a hash."""

    token: str = field(repr=False)
    principal: Principal
    expires_at: datetime


def check_password(
    session: Session,
    username: str,
    password: str,
    now: datetime,
    *,
    random_bytes: RandomBytes,
    cost: PasswordCost = STRONG,
    allow_demo: bool = False,
    address: str | None = None,
    staff_passwords: StaffPasswords = StaffPasswords.ALLOW,
) -> Account:
    """Whose name and password these are. Writes nothing: it takes a while, and anybody may ask, so it must not hold up
    those who write. `cost` is what an unknown name's check costs, so that it takes as long as a known one's.

    Raises: InvalidCredentials (the caller counts it: `note_failure`), TooManyAttempts, TooManyFromHere,
    DemoCredentialsRefused, PasswordsRefused.
    """
    username = rules.normalise_username(username)
    if queries.failures_from(session, address, now) >= rules.ADDRESS_FAILURES_MAX:
        raise TooManyFromHere
    if queries.failures(session, username, now) >= rules.FAILURES_MAX:
        raise TooManyAttempts
    # a name that nobody can have may hold what no database takes
    account = None if rules.username_problem(username) else find_account(session, username)
    if account is None:
        hash_password(password, cost, random_bytes)
        raise InvalidCredentials
    if not matches(password, account.password_hash) or not account.is_active:
        raise InvalidCredentials
    if account.demo and not allow_demo:
        raise DemoCredentialsRefused
    if account.kind is Kind.STAFF and rules.password_refused(
        staff_passwords, has_better=queries.has_better(session, account.subject_id)
    ):
        raise PasswordsRefused
    return account


def open_sign_in(
    session: Session, account: Account, now: datetime, *, random_bytes: RandomBytes, way: Way = _BY_PASSWORD
) -> SignedIn:
    """Open a sign-in for an account whose password was checked. Raises: InvalidCredentials when it changed since."""
    if find_account(session, account.username) != account:
        raise InvalidCredentials
    return open_for(session, account.kind, account.subject_id, now, way=way, random_bytes=random_bytes)


def open_for(
    session: Session,
    kind: Kind,
    subject_id: UUID,
    now: datetime,
    *,
    way: Way,
    random_bytes: RandomBytes,
    allow_demo: bool = True,
) -> SignedIn:
    """Open a sign-in for somebody who has shown who they are.

    Raises: NotSignedIn for whoever is blocked; DemoCredentialsRefused.
    """
    if not allow_demo and queries.is_demo(session, kind, subject_id):
        raise DemoCredentialsRefused
    token = base64.urlsafe_b64encode(random_bytes(_TOKEN_BYTES)).rstrip(b"=").decode()
    session.execute(
        insert(SignIn).values(
            token_hash=queries.token_hash(token),
            kind=kind.value,
            subject_id=subject_id,
            began_at=now,
            seen_at=now,
            method=way.method.value,
            key_id=way.key_id,
            address=way.address,
            agent=way.agent[:AGENT_LETTERS_MAX],
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


def end_sign_in(session: Session, subject_id: UUID, handle: str) -> None:
    """End one sign-in of a person, by its handle in `queries.sign_ins_of`. Raises: NoSuchSignIn."""
    for token_hash in session.scalars(select(SignIn.token_hash).where(SignIn.subject_id == subject_id)):
        if queries.handle_of(token_hash) == handle:
            session.execute(delete(SignIn).where(SignIn.token_hash == token_hash))
            return
    raise NoSuchSignIn


def note_seen(session: Session, token: str, now: datetime) -> None:
    """The sign-in was used: its idle time starts over. It never goes back."""
    session.execute(
        update(SignIn).where(SignIn.token_hash == queries.token_hash(token), SignIn.seen_at < now).values(seen_at=now)
    )


def note_failure(
    session: Session, username: str, now: datetime, *, subject_id: UUID | None = None, address: str | None = None
) -> None:
    """Count a wrong password, for its name and for where it came from. When it was one too many, whoever is signed in
    under that name is no longer.
    """
    name = queries.username_hash(username)
    session.execute(insert(SignInFailure).values(username_hash=name, at=now, address=address))
    if subject_id is not None and queries.failures(session, username, now) >= rules.FAILURES_MAX:
        end_sign_ins(session, subject_id)


def note_wrong_guess(session: Session, staff_id: UUID, now: datetime) -> None:
    """Count a wrong password that somebody else entered for a staff member. It closes their name, and ends no sign-in
    of theirs: a colleague could throw them out.
    """
    member = queries.staff(session, StaffId(staff_id))
    if member is not None:
        note_failure(session, member.username, now)


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
    session.execute(delete(Challenge).where(Challenge.expires_at <= now))
