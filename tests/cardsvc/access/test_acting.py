"""Actions of two: nothing is done before a second, different, allowed person signed the very same bytes."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.access.models import ActionEnd, ActionSignature
from cardsvc.clock import FixedClock
from crypto.keys import SoftwareSigner
from crypto.wire.action import sign_action
from tests.builders import PASSWORD, make_staff

RandomBytes = Callable[[int], bytes]


@pytest.fixture
def now(clock: FixedClock) -> datetime:
    return clock.now()


@dataclass
class Office:
    """Two admins, a clerk, and a kind of action that writes down what was done."""

    session: Session
    now: datetime
    done: list[dict[str, Any]] = field(default_factory=list)
    fails: bool = False

    def __post_init__(self) -> None:
        self.ana, self.ben = (make_staff(self.session, self.now, "admin", username=name) for name in ("ana", "ben"))
        self.cora = make_staff(self.session, self.now, "clerk", username="cora")
        admins = frozenset({access.Role.ADMIN})
        self.handler = access.ActionHandler("test.note", admins, admins, self._run)
        self.handlers = access.handlers_by_kind(self.handler)

    def _run(self, _session: Session, payload: dict[str, Any], action: access.ActionView, _now: datetime) -> None:
        assert action.state is access.ActionState.DONE
        if self.fails:
            raise access.UnsuitableAction("It cannot be done.")
        self.done.append(payload)

    def propose(self, payload: dict[str, Any] | None = None, summary: str = "Note it down") -> access.ActionView:
        return access.propose(
            self.session,
            self.handler,
            {"text": "hello", "count": 3} if payload is None else payload,
            summary,
            by=self.ana.id,
            now=self.now,
            random_bytes=random.Random(5).randbytes,
        )

    def sign(
        self, action: access.ActionView, member: access.StaffMember, *, at: datetime | None = None
    ) -> access.ActionView:
        signature = access.sign_action_as(self.session, member.id, PASSWORD, action.action_bytes)
        return self.take(action, member, signature, at=at)

    def take(
        self, action: access.ActionView, member: access.StaffMember, signature: bytes, *, at: datetime | None = None
    ) -> access.ActionView:
        return access.sign_action(
            self.session, self.handlers, action.id, by=member.id, signature=signature, now=at or self.now
        )


@pytest.fixture
def office(session: Session, now: datetime) -> Office:
    return Office(session, now)


def test_the_second_persons_signature_does_it(office: Office) -> None:
    action = office.propose()
    assert (action.state, action.proposer, action.payload) == (
        access.ActionState.PROPOSED,
        office.ana.full_name,
        {"text": "hello", "count": 3},
    )
    assert office.sign(action, office.ana).state is access.ActionState.SIGNED
    assert office.done == []
    finished = office.sign(action, office.ben)
    assert finished.state is access.ActionState.DONE
    assert [signed.staff_id for signed in finished.signatures] == [office.ana.id, office.ben.id]
    assert (finished.ended_by, finished.ended_at) == (office.ben.id, office.now)
    assert office.done == [{"text": "hello", "count": 3}]
    with pytest.raises(access.ActionNotOpen):
        office.sign(action, office.ben)
    assert len(office.done) == 1


def test_nobody_signs_twice(office: Office) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    with pytest.raises(access.SameSigner):
        office.sign(action, office.ana)
    assert office.done == []


def test_the_database_too_refuses_two_signatures_of_one_person(office: Office, session: Session) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    row = {"action_id": action.id, "number": 2, "staff_id": office.ana.id, "signature": b"x", "signed_at": office.now}
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(sa.insert(ActionSignature).values(**row))


@pytest.mark.parametrize("table", ["action", "action_signature", "action_end"])
def test_what_was_signed_cannot_be_rewritten(office: Office, session: Session, table: str) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    office.sign(action, office.ben)
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(sa.text(f"DELETE FROM {table}"))


def test_the_proposer_signs_first(office: Office) -> None:
    with pytest.raises(access.ProposerSignsFirst):
        office.sign(office.propose(), office.ben)


def test_only_those_allowed_propose_sign_and_withdraw(office: Office) -> None:
    with pytest.raises(access.NotYourAction):
        access.propose(
            office.session, office.handler, {}, "x", by=office.cora.id, now=office.now, random_bytes=random.randbytes
        )
    action = office.propose()
    office.sign(action, office.ana)
    with pytest.raises(access.NotYourAction):
        office.sign(action, office.cora)
    with pytest.raises(access.NotYourAction):
        access.withdraw_action(office.session, office.handlers, action.id, by=office.cora.id, now=office.now)


def test_a_signature_counts_for_its_own_action_and_person_only(office: Office) -> None:
    action, other = office.propose(), access.propose(
        office.session, office.handler, {"text": "other"}, "Another", by=office.ana.id, now=office.now,
        random_bytes=random.Random(6).randbytes,
    )  # fmt: skip
    of_other = access.sign_action_as(office.session, office.ana.id, PASSWORD, other.action_bytes)
    of_ben = access.sign_action_as(office.session, office.ben.id, PASSWORD, action.action_bytes)
    of_nobody = sign_action(action.action_bytes, SoftwareSigner.from_secret(99))
    for signature in (of_other, of_ben, of_nobody, b"", b"\xd2\x84"):
        with pytest.raises(access.NotYourSignature):
            office.take(action, office.ana, signature)
    assert access.action(office.session, action.id, office.now).signatures == ()


def test_an_action_runs_out(office: Office) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    late = office.now + timedelta(days=1)
    with pytest.raises(access.ActionNotOpen, match="expired"):
        office.sign(action, office.ben, at=late)
    assert access.all_actions(office.session, late, waiting=True) == []
    assert [found.state for found in access.all_actions(office.session, late)] == [access.ActionState.EXPIRED]


def test_an_action_may_be_taken_back_or_said_no_to(office: Office) -> None:
    for member in (office.ana, office.ben):
        action = access.propose(
            office.session, office.handler, {}, "x", by=office.ana.id, now=office.now, random_bytes=random.randbytes
        )
        office.sign(action, office.ana)
        ended = access.withdraw_action(office.session, office.handlers, action.id, by=member.id, now=office.now)
        assert (ended.state, ended.ended_by) == (access.ActionState.WITHDRAWN, member.id)
        with pytest.raises(access.ActionNotOpen):
            office.sign(action, office.ben)


def test_what_cannot_be_done_leaves_no_second_signature(office: Office, session: Session) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    office.fails = True
    with pytest.raises(access.UnsuitableAction), session.begin_nested():
        office.sign(action, office.ben)
    assert access.action(session, action.id, office.now).state is access.ActionState.SIGNED
    office.fails = False
    assert office.sign(action, office.ben).state is access.ActionState.DONE


def test_a_proposer_who_was_blocked_meanwhile_does_nothing_more(office: Office) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    access.block_staff(office.session, office.ana.id)
    with pytest.raises(access.ProposerGone):
        office.sign(action, office.ben)


@pytest.mark.parametrize(
    "payload", [{"amount": 1.5}, {"list": ["x" * 20_000]}, {"deep": [[[[[[1]]]]]]}, {"number": 2**70}]
)
def test_what_cannot_be_signed_cannot_be_proposed(office: Office, payload: dict[str, Any]) -> None:
    with pytest.raises(access.UnsuitableAction):
        office.propose(payload)


@pytest.mark.parametrize("summary", ["", "two\nlines", "x" * 401])
def test_a_summary_is_one_readable_line(office: Office, summary: str) -> None:
    with pytest.raises(access.UnsuitableAction):
        office.propose(summary=summary)


# --------------------------------------------------------------------------------------------------- proved afterwards


def forge(session: Session, office: Office, *, second: access.StaffMember, signature: bytes) -> None:
    """An action that was made done past the actions, by whoever writes into the database."""
    action = office.propose(summary="Forged")
    office.sign(action, office.ana)
    session.execute(
        sa.insert(ActionSignature).values(
            action_id=action.id, number=2, staff_id=second.id, signature=signature, signed_at=office.now
        )
    )
    session.execute(
        sa.insert(ActionEnd).values(action_id=action.id, outcome="done", ended_by=second.id, ended_at=office.now)
    )


def test_actions_that_two_signed_are_proved_afterwards(office: Office, session: Session) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    office.sign(action, office.ben)
    access.block_staff(session, office.ben.id)  # what they signed stays signed
    assert access.check_actions(session) == access.ActionsChecked(actions=1, signatures=2)


def test_an_action_done_without_the_second_persons_signature_is_found(office: Office, session: Session) -> None:
    mine = sign_action(b"something else", SoftwareSigner.from_secret(7))
    forge(session, office, second=office.ben, signature=mine)
    with pytest.raises(access.UnprovedAction, match="no key that was its signer's"):
        access.check_actions(session)


def test_the_roles_of_that_moment_are_kept_and_proved(office: Office, session: Session) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    done = office.sign(action, office.ben)
    assert [signed.roles for signed in done.signatures] == [("admin",), ("admin",)]
    session.execute(sa.text("UPDATE staff_role SET role = 'clerk'"))  # what they may today changes nothing
    assert access.check_actions(session, access.roles_needed(office.handlers)).signatures == 2
    others = frozenset({access.Role.AUDITOR})
    with pytest.raises(access.UnprovedAction, match="signature 1 had no role"):
        access.check_actions(session, {"test.note": (others, others)})
    admins = frozenset({access.Role.ADMIN})
    with pytest.raises(access.UnprovedAction, match="signature 2 had no role"):
        access.check_actions(session, {"test.note": (admins, others)})


def test_an_action_done_with_one_signature_is_found(office: Office, session: Session) -> None:
    action = office.propose()
    office.sign(action, office.ana)
    session.execute(
        sa.insert(ActionEnd).values(action_id=action.id, outcome="done", ended_by=office.ben.id, ended_at=office.now)
    )
    with pytest.raises(access.UnprovedAction, match="without two signatures"):
        access.check_actions(session)
