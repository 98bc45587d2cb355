"""The register on a real database."""

import secrets
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import residents
from cardsvc.residents import Registration, ResidentStatus, Sex

NOW = datetime(2026, 11, 2, tzinfo=UTC)
CLERK = UUID(int=1)
MARIA = Registration("Dela Cruz", "Maria", "Santos", date(1985, 6, 1), Sex.FEMALE, "BR-07", "12 Mabini St.")
JUAN = replace(MARIA, given_name="Juan", sex=Sex.MALE)


def register(session: Session, registration: Registration, *, confirmed_distinct: bool = False) -> residents.Resident:
    return residents.register(
        session,
        registration,
        by=CLERK,
        now=NOW,
        random_bytes=secrets.token_bytes,
        confirmed_distinct=confirmed_distinct,
    )


def test_a_registered_person_is_found_by_id_and_by_number(session: Session) -> None:
    maria = register(session, MARIA)
    assert maria.number == residents.number_of(1)
    assert maria.full_name == "Maria Santos Dela Cruz"
    assert maria.registered_at == NOW
    assert residents.find(session, maria.id) == maria
    assert residents.find_by_number(session, maria.number.lower()) == maria
    assert residents.find_many(session, [maria.id, UUID(int=9)]) == {maria.id: maria}


def test_numbers_are_given_out_without_a_gap(session: Session) -> None:
    first, second = register(session, MARIA), register(session, JUAN)
    assert [first.number, second.number] == [residents.number_of(1), residents.number_of(2)]


def test_the_same_person_is_refused_with_the_number_they_have(session: Session) -> None:
    maria = register(session, MARIA)
    with pytest.raises(residents.DuplicateResident, match=maria.number):
        register(session, replace(MARIA, family_name="DE LA CRUZ", address="elsewhere"))


def test_two_people_of_one_name_and_birth_date_are_registered_when_somebody_confirms_it(session: Session) -> None:
    assert register(session, MARIA).id != register(session, MARIA, confirmed_distinct=True).id


def test_many_are_registered_in_order_or_not_at_all(session: Session) -> None:
    maria = register(session, MARIA)
    with pytest.raises(residents.InvalidRegistration) as refused:
        residents.register_many(
            session, [JUAN, MARIA, JUAN, replace(JUAN, address="")], by=CLERK, now=NOW, random_bytes=secrets.token_bytes
        )
    assert set(refused.value.fields) == {"row 2", "row 3", "row 4: address"}
    assert maria.number in refused.value.fields["row 2"][0]
    assert residents.search(session, "cruz").residents == (maria,)
    people = [replace(JUAN, birth_date=date(1990, 1, 1) + timedelta(days=day)) for day in range(300)]
    done = residents.register_many(session, people, by=CLERK, now=NOW, random_bytes=secrets.token_bytes)
    assert [resident.birth_date for resident in done] == [person.birth_date for person in people]
    assert residents.register_many(session, [], by=CLERK, now=NOW, random_bytes=secrets.token_bytes) == []


def test_names_are_searched_by_the_beginnings_of_words_in_any_order(session: Session) -> None:
    maria, juan = register(session, MARIA), register(session, JUAN)
    assert residents.search(session, "cruz mar").residents == (maria,)
    assert residents.search(session, "Dela CRUZ").residents == (juan, maria)
    assert residents.search(session, "ruz").residents == ()
    assert residents.search(session, juan.number).residents == (juan,)
    assert residents.search(session, residents.number_of(77)).residents == ()


def test_a_long_answer_comes_in_pages_that_miss_nobody(session: Session) -> None:
    people = [replace(JUAN, birth_date=date(1990, 1, 1) + timedelta(days=day)) for day in range(7)]
    done = residents.register_many(session, people, by=CLERK, now=NOW, random_bytes=secrets.token_bytes)
    seen: list[str] = []
    page = residents.search(session, "juan", limit=3)
    while True:
        seen += [resident.number for resident in page.residents]
        if page.next is None:
            break
        page = residents.search(session, "juan", after=page.next, limit=3)
    assert seen == [resident.number for resident in done]


def test_a_resident_who_does_not_exist_is_not_found(session: Session) -> None:
    with pytest.raises(residents.ResidentNotFound):
        residents.find(session, UUID(int=5))
    with pytest.raises(residents.ResidentNotFound):
        residents.find_by_number(session, residents.number_of(5))


def test_a_status_changes_with_a_reason_and_leaves_its_history(session: Session) -> None:
    maria = register(session, MARIA)
    later = NOW + timedelta(days=3)
    for _ in range(2):  # asking again changes nothing
        moved = residents.change_status(
            session, maria.id, ResidentStatus.MOVED, by=CLERK, reason="moved to Cebu", now=later
        )
        assert moved.status == ResidentStatus.MOVED
    steps = residents.history(session, maria.id)
    assert [(step.status, step.at, step.reason) for step in steps] == [
        (ResidentStatus.ACTIVE, NOW, None),
        (ResidentStatus.MOVED, later, "moved to Cebu"),
    ]


def test_the_dead_do_not_move_away(session: Session) -> None:
    maria = register(session, MARIA)
    residents.change_status(session, maria.id, ResidentStatus.DECEASED, by=CLERK, reason="certificate 77", now=NOW)
    with pytest.raises(residents.InvalidStatusChange):
        residents.change_status(session, maria.id, ResidentStatus.MOVED, by=CLERK, reason="?", now=NOW)


def test_the_history_cannot_be_rewritten(session: Session) -> None:
    register(session, MARIA)
    with pytest.raises(DBAPIError, match="append-only"), session.begin_nested():
        session.execute(text("UPDATE resident_event SET reason = 'no'"))
