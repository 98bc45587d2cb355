"""Who looked at whom: noted for good, and read by the resident."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from cardsvc import residents
from tests.builders import make_resident, make_staff

NOW = datetime(2026, 11, 2, tzinfo=UTC)
WINDOW = UUID(int=3)


def test_a_resident_reads_who_was_shown_what_when_and_why(session: Session) -> None:
    maria, clerk = make_resident(session, NOW), make_staff(session, NOW, "clerk", "card_officer")
    residents.note_look(
        session,
        maria.id,
        actor=clerk.id,
        purpose=" handing over \n a card ",
        fields=("name", "photo"),
        device_id=WINDOW,
        now=NOW,
    )
    (look,) = residents.looks(session, maria.id).looks
    assert (look.actor_name, look.role, look.device_id) == (clerk.full_name, "card_officer clerk", WINDOW)
    assert (look.at, look.purpose, look.fields) == (NOW, "handing over a card", ("name", "photo"))


def test_the_newest_look_comes_first_and_pages_follow(session: Session) -> None:
    maria, clerk = make_resident(session, NOW), make_staff(session, NOW)
    for minute in range(5):
        at = NOW + timedelta(minutes=minute)
        residents.note_look(session, maria.id, actor=clerk.id, purpose=f"number {minute}", fields=["name"], now=at)
    first = residents.looks(session, maria.id, limit=3)
    second = residents.looks(session, maria.id, before=first.next, limit=3)
    assert [look.purpose[-1] for look in (*first.looks, *second.looks)] == ["4", "3", "2", "1", "0"]
    assert second.next is None


def test_everybody_on_a_list_sees_that_they_were_on_it(session: Session) -> None:
    people, clerk = [make_resident(session, NOW).id for _ in range(3)], make_staff(session, NOW)
    residents.note_looks(session, people, actor=clerk.id, purpose="search", fields=["name"], now=NOW)
    residents.note_looks(session, [], actor=clerk.id, purpose="search that found nobody", fields=["name"], now=NOW)
    assert [len(residents.looks(session, one).looks) for one in people] == [1, 1, 1]


def test_what_the_service_does_by_itself_says_so(session: Session) -> None:
    maria = make_resident(session, NOW)
    residents.note_look(session, maria.id, actor=UUID(int=0), purpose="report", fields=["name"], now=NOW)
    assert residents.looks(session, maria.id).looks[0].role == "service"


@pytest.mark.parametrize(("purpose", "fields"), [(" ", ["name"]), ("x" * 201, ["name"]), ("why", []), ("why", ["a b"])])
def test_a_look_without_a_reason_is_refused(session: Session, purpose: str, fields: list[str]) -> None:
    maria = make_resident(session, NOW)
    with pytest.raises(residents.InvalidLook):
        residents.note_look(session, maria.id, actor=UUID(int=0), purpose=purpose, fields=fields, now=NOW)


def test_nobody_looks_at_somebody_who_is_not_there(session: Session) -> None:
    with pytest.raises(IntegrityError), session.begin_nested():
        residents.note_look(session, UUID(int=9), actor=UUID(int=0), purpose="why", fields=["name"], now=NOW)


@pytest.mark.parametrize("change", ["UPDATE resident_look SET purpose = 'none'", "DELETE FROM resident_look"])
def test_no_look_can_be_wiped_out(session: Session, change: str) -> None:
    maria = make_resident(session, NOW)
    residents.note_look(session, maria.id, actor=UUID(int=0), purpose="why", fields=["name"], now=NOW)
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(text(change))
