"""The duplicates' review in a browser: a list, side by side, decided, undone."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cardsvc import db, residents, web
from cardsvc.residents import api, pages, queries
from tests.builders import app_with, make_staff, staff_token
from tests.cardsvc.residents.conftest import Above
from tests.surfing import Surfer

MARIA = {
    "family_name": "Dela Cruz",
    "given_name": "Maria",
    "middle_name": "Santos",
    "birth_date": "1985-06-01",
    "sex": "F",
    "barangay_code": "BR-07",
    "address": "12 Mabini St.",
}
MISTYPED = {**MARIA, "given_name": "Mraia", "birth_date": "1985-01-06"}
LIST = "/residents/pairs"


@pytest.fixture
def app(city: web.City, above: Above) -> Flask:
    return app_with(
        city,
        api.make(above, above.holdings, lambda _session, _ids: {}),
        pages.make(lambda _session, _ids: {}),
        pages.make_pairs(above.holdings),
    )


def signed_in(city: web.City, app: Flask, *roles: str) -> Surfer:
    return Surfer(app, db.run(city.engine, lambda session: make_staff(session, city.clock.now(), *roles)).username)


@pytest.fixture
def clerk(city: web.City, app: Flask) -> Surfer:
    return signed_in(city, app, "clerk")


@pytest.fixture
def two(city: web.City, client: FlaskClient) -> tuple[Any, Any]:
    """Maria, and Maria mistyped by another clerk."""
    header = staff_token(city, client, "clerk")
    first = client.post("/v1/residents", json=MARIA, headers=header).get_json()
    return first, client.post("/v1/residents", json=MISTYPED, headers=header).get_json()


def link(clerk: Surfer) -> str:
    """Where the one pair of the list leads."""
    source = clerk.get(LIST)
    return f"{LIST}/" + source.split(f'href="{LIST}/')[1].split('"')[0]


def test_two_entries_stand_side_by_side_with_the_reasons(clerk: Surfer, two: tuple[Any, Any]) -> None:
    page = clerk.read(link(clerk))
    for text in (two[0]["number"], two[1]["number"], "Mraia", "Nearly equal", "Jan 6, 1985", "Weight"):
        assert text in page, text


def test_a_decision_needs_a_choice_and_a_reason(clerk: Surfer, two: tuple[Any, Any]) -> None:
    path = link(clerk)
    refused = clerk.refused(f"{path}/decision", 422)
    assert "Choose one." in refused
    assert "Say why" in refused
    assert "at most 150" in clerk.refused(f"{path}/decision", 422, decision="two", reason="x" * 151)
    assert "Say why" in clerk.refused(f"{path}/parting", 422)
    assert "1 pair" in clerk.read(LIST)


def test_two_are_joined_and_parted_again(clerk: Surfer, two: tuple[Any, Any], above: Above) -> None:
    path = link(clerk)
    joined = clerk.send(f"{path}/decision", decision="first", reason="same photo")
    assert "Joined by Staff Member" in joined
    assert "same photo" in joined
    assert "Nobody waits here." in clerk.read(LIST)
    assert "Mraia" in clerk.read(f"{LIST}?state=merged")
    parted = clerk.send(f"{path}/parting", reason="her sister came")
    assert "Two people, says Staff Member" in parted
    assert "Mraia" in clerk.read(f"{LIST}?state=distinct")
    clerk.refused(f"{path}/decision", 409, decision="first", reason="again")


def test_an_entry_that_holds_something_is_not_joined_away(
    clerk: Surfer, two: tuple[Any, Any], above: Above, city: web.City
) -> None:
    with db.unit_of_work(city.engine, read_only=True) as session:
        pair = queries.pairs(session).pairs[0]
    above.held[pair.second_id] = ["a card in use"]
    assert "still has a card in use" in clerk.refused(f"{link(clerk)}/decision", 409, decision="first", reason="same")
    assert "Joined by" in clerk.send(f"{link(clerk)}/decision", decision="second", reason="same")


def test_an_officer_reads_and_a_clerk_decides(city: web.City, app: Flask, two: tuple[Any, Any]) -> None:
    officer = signed_in(city, app, "card_officer")
    path = link(officer)
    assert "A clerk decides." in officer.read(path)
    officer.refused(f"{path}/decision", 403, decision="two", reason="x")
    cashier = signed_in(city, app, "cashier")
    cashier.get(LIST, 403)
    cashier.get(path, 403)
    officer.get(f"{LIST}/99", 404)
    assert officer.client.post(f"{path}/decision", data={"decision": "two"}).status_code == 400


def test_whoever_is_compared_is_on_the_record(city: web.City, clerk: Surfer, two: tuple[Any, Any]) -> None:
    clerk.get(link(clerk))
    for one in two:
        found = db.run(city.engine, lambda session, one=one: residents.looks(session, UUID(one["id"])))  # type: ignore[misc]
        said = [(look.purpose, "birth_date" in look.fields) for look in found.looks]
        assert said == [("looking for second entries", True), ("looking for second entries", False)]
