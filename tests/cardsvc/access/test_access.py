from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.access.models import Credential, Passkey, SignIn, SignInFailure, Staff
from cardsvc.clock import FixedClock
from cardsvc.settings import CHEAP
from crypto import cbor, keys
from crypto.errors import InvalidSignature
from crypto.keys import SoftwareSigner
from crypto.wire.transaction import Authorisation, Purpose, verify_authorisation
from tests.builders import PASSWORD, make_staff

RandomBytes = Callable[[int], bytes]
RESIDENT = UUID(int=7)


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    return clock.now()


def sign_in(
    session: Session, username: str, now: datetime, random_bytes: RandomBytes, password: str = PASSWORD
) -> access.SignedIn:
    account = access.check_password(session, username, password, now, random_bytes=random_bytes, cost=CHEAP)
    return access.open_sign_in(session, account, now, random_bytes=random_bytes)


def test_staff_sign_in_with_their_name_in_any_case(session: Session, now: datetime, random_bytes: RandomBytes) -> None:
    member = make_staff(session, now, "cashier", "clerk", username="Ana.Cruz")
    made = sign_in(session, " ANA.cruz ", now, random_bytes)
    found = access.session_of(session, made.token, now)
    assert (found.kind, found.subject_id, found.username) == (access.Kind.STAFF, member.id, "ana.cruz")
    assert found.roles == {"cashier", "clerk"}
    assert made.expires_at == now + timedelta(hours=8)


def test_every_sign_in_has_a_token_of_its_own(session: Session, now: datetime, random_bytes: RandomBytes) -> None:
    make_staff(session, now, username="ana")
    first, second = (sign_in(session, "ana", now, random_bytes) for _ in range(2))
    assert first.token != second.token
    access.sign_out(session, first.token)
    access.sign_out(session, first.token)
    access.session_of(session, second.token, now)
    with pytest.raises(access.NotSignedIn):
        access.session_of(session, first.token, now)


def test_an_unknown_name_a_wrong_password_and_a_blocked_account_answer_alike(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    make_staff(session, now, username="ana")
    blocked = make_staff(session, now, username="ben")
    access.block_staff(session, blocked.id)
    messages = set()
    for username, password in (("nobody", PASSWORD), ("ana", PASSWORD + "x"), ("ben", PASSWORD)):
        with pytest.raises(access.InvalidCredentials) as refused:
            sign_in(session, username, now, random_bytes, password)
        messages.add(str(refused.value))
    assert len(messages) == 1


@pytest.mark.parametrize(
    ("kind", "idle", "absolute"),
    [("staff", timedelta(minutes=15), timedelta(hours=8)), ("resident", timedelta(minutes=30), timedelta(hours=12))],
)
def test_a_sign_in_ends_when_idle_and_in_any_case(
    session: Session, now: datetime, random_bytes: RandomBytes, kind: str, idle: timedelta, absolute: timedelta
) -> None:
    if kind == "staff":
        make_staff(session, now, username="ana")
    else:
        access.set_resident_password(session, RESIDENT, "ana", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)
    token = sign_in(session, "ana", now, random_bytes).token
    access.session_of(session, token, now + idle - timedelta(seconds=1))
    with pytest.raises(access.NotSignedIn):
        access.session_of(session, token, now + idle)
    at = now
    while at + idle / 2 < now + absolute:
        at += idle / 2
        access.note_seen(session, token, at)
        access.session_of(session, token, at)
    with pytest.raises(access.NotSignedIn):
        access.session_of(session, token, now + absolute)


def test_ten_wrong_passwords_close_a_name_for_a_while(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    make_staff(session, now, username="ana")
    for _ in range(10):
        access.note_failure(session, "Ana ", now)
    with pytest.raises(access.TooManyAttempts, match="15 minutes"):
        sign_in(session, "ana", now, random_bytes)
    sign_in(session, "ana", now + timedelta(minutes=15), random_bytes)


def test_guessing_at_an_open_counter_ends_its_sign_in(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    member = make_staff(session, now, username="ana")
    token = sign_in(session, "ana", now, random_bytes).token
    for _ in range(10):
        access.session_of(session, token, now)
        access.note_failure(session, "ana", now, subject_id=member.id)
    with pytest.raises(access.NotSignedIn):
        access.session_of(session, token, now)


def test_demo_accounts_are_refused_where_they_are_not_allowed(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    access.set_resident_password(
        session, RESIDENT, "demo", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP, demo=True
    )
    with pytest.raises(access.DemoCredentialsRefused):
        sign_in(session, "demo", now, random_bytes)
    access.check_password(session, "demo", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP, allow_demo=True)


def test_a_changed_password_ends_every_sign_in(session: Session, now: datetime, random_bytes: RandomBytes) -> None:
    access.set_resident_password(session, RESIDENT, "maria", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)
    token = sign_in(session, "maria", now, random_bytes).token
    access.set_resident_password(
        session, RESIDENT, "maria", PASSWORD + " two", now, random_bytes=random_bytes, cost=CHEAP
    )
    with pytest.raises(access.NotSignedIn):
        access.session_of(session, token, now)
    with pytest.raises(access.InvalidCredentials):
        sign_in(session, "maria", now, random_bytes)


def test_a_password_that_changed_while_it_was_checked_opens_nothing(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    access.set_resident_password(session, RESIDENT, "maria", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)
    account = access.check_password(session, "maria", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)
    access.set_resident_password(
        session, RESIDENT, "maria", "another long password", now, random_bytes=random_bytes, cost=CHEAP
    )
    with pytest.raises(access.InvalidCredentials):
        access.open_sign_in(session, account, now, random_bytes=random_bytes)


def test_a_name_belongs_to_one_person_staff_or_resident(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    make_staff(session, now, username="ana")
    with pytest.raises(access.UsernameTaken):
        access.set_resident_password(session, RESIDENT, "ANA", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("password", "short"),
        ("password", "a" * 20),
        ("password", "x" * 300),
        ("password", "the.staff.member"),
        ("username", ""),
        ("username", "ana cruz"),
        ("username", "a" * 65),
        ("roles", ("king",)),
    ],
)
def test_an_unsuitable_account_names_its_field(
    session: Session, now: datetime, random_bytes: RandomBytes, field: str, value: str
) -> None:
    given = {"username": "the.staff.member", "password": PASSWORD, "roles": ("clerk",), field: value}
    with pytest.raises(access.UnsuitableAccount) as refused:
        access.add_staff(session, full_name="A", now=now, random_bytes=random_bytes, cost=CHEAP, **given)  # type: ignore[arg-type]
    assert set(refused.value.fields) == {field}


def test_staff_sign_records_with_their_own_key(session: Session, now: datetime) -> None:
    member = make_staff(session, now, "cashier")
    cose = access.sign_as(session, member.id, PASSWORD, b"a record")
    authorisation = Authorisation(Purpose.STAFF, cose)
    found = access.staff_by_key(session, [authorisation.kid, b"another key's id"])[authorisation.kid]
    assert (found.staff_id, found.roles) == (member.id, frozenset({"cashier"}))
    assert verify_authorisation(b"a record", authorisation, found.public_key) == b"a record"
    for other in (replace(authorisation, purpose=Purpose.CONSENT), replace(authorisation, purpose=Purpose.SERVICE)):
        with pytest.raises(InvalidSignature):
            verify_authorisation(b"a record", other, found.public_key)


def test_nothing_is_signed_without_the_password(session: Session, now: datetime) -> None:
    member = make_staff(session, now)
    with pytest.raises(access.WrongPassword, match="nothing was signed"):
        access.sign_as(session, member.id, PASSWORD + "x", b"a record")
    with pytest.raises(access.WrongPassword):
        access.sign_as(session, UUID(int=1), PASSWORD, b"a record")


def test_a_blocked_members_key_counts_no_more(session: Session, now: datetime, random_bytes: RandomBytes) -> None:
    member = make_staff(session, now, username="ana")
    token = sign_in(session, "ana", now, random_bytes).token
    kid = Authorisation(Purpose.STAFF, access.sign_as(session, member.id, PASSWORD, b"a record")).kid
    access.block_staff(session, member.id)
    assert access.staff_by_key(session, [kid]) == {}
    with pytest.raises(access.WrongPassword):
        access.sign_as(session, member.id, PASSWORD, b"a record")
    with pytest.raises(access.NotSignedIn):
        access.session_of(session, token, now)


def test_one_members_sealed_key_does_not_open_for_another(session: Session, now: datetime) -> None:
    first, second = make_staff(session, now), make_staff(session, now)
    session.get_one(Staff, second.id).sealed_key = session.get_one(Staff, first.id).sealed_key
    session.flush()
    with pytest.raises(access.WrongPassword):
        access.sign_as(session, second.id, PASSWORD, b"a record")


def test_the_database_holds_no_token_password_key_or_mistyped_name(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    make_staff(session, now, username="ana")
    access.set_resident_password(session, RESIDENT, "maria", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)
    token = sign_in(session, "ana", now, random_bytes).token
    access.note_failure(session, "my secret password", now)
    stored = "".join(
        repr(tuple(row))
        for table in (Staff, Credential, SignIn, SignInFailure)
        for row in session.execute(select(*table.__table__.columns))
    )
    for secret in (PASSWORD, token, "my secret password", "PRIVATE KEY"):
        assert secret not in stored


def test_what_ran_out_is_forgotten_and_what_runs_stays(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    make_staff(session, now, username="ana")
    sign_in(session, "ana", now, random_bytes)
    later = now + timedelta(minutes=20)
    token = sign_in(session, "ana", later, random_bytes).token
    access.note_failure(session, "ana", now)
    access.forget_expired(session, later)
    access.session_of(session, token, later)
    assert len(session.scalars(select(SignIn)).all()) == 1
    assert session.scalars(select(SignInFailure)).all() == []


def test_staff_are_listed_and_found(session: Session, now: datetime) -> None:
    make_staff(session, now, "finance", username="zoe")
    make_staff(session, now, username="ana")
    assert [member.username for member in access.all_staff(session)] == ["ana", "zoe"]
    assert access.find_staff(session, "ZOE").roles == {"finance"}
    with pytest.raises(access.NoSuchStaff, match="staff list"):
        access.find_staff(session, "nobody")


def test_a_foreign_key_is_nobodys(session: Session) -> None:
    foreign = SoftwareSigner.from_secret(1)
    assert access.staff_by_key(session, [keys.key_id(foreign.public_key), cbor.encode(1)]) == {}
    assert access.staff_by_key(session, []) == {}


def test_a_new_password_of_a_resident_leaves_no_passkey_behind(
    session: Session, now: datetime, random_bytes: RandomBytes
) -> None:
    access.set_resident_password(session, RESIDENT, "maria", PASSWORD, now, random_bytes=random_bytes, cost=CHEAP)
    session.add(
        Passkey(
            id=RESIDENT, kind="resident", subject_id=RESIDENT, credential_id=b"c", public_key=b"k", sign_count=0,
            name="a thief's", added_at=now,
        )
    )  # fmt: skip
    session.flush()
    access.set_resident_password(session, RESIDENT, "maria", PASSWORD * 2, now, random_bytes=random_bytes, cost=CHEAP)
    assert access.passkeys_of(session, RESIDENT) == []
