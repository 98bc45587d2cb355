"""Two entries of one person become one, and two again: over HTTP, from the command line, with nothing lost."""

from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from cardsvc import access, cards, db, residents, wallets, web
from cardsvc.app import commands
from cardsvc.residents import api, queries
from tests.builders import CLERK, app_with, make_resident, make_staff, staff_token
from tests.cardsvc.residents.conftest import Above, Shell
from tests.promised import hold_to_its_document

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


@pytest.fixture
def app(city: web.City, above: Above) -> Flask:
    made = app_with(city, api.make(above, above.holdings, lambda _session, _ids: {}))
    hold_to_its_document(made)
    return made


@pytest.fixture
def clerk(city: web.City, client: FlaskClient) -> dict[str, str]:
    return staff_token(city, client, "clerk")


@pytest.fixture
def two(client: FlaskClient, clerk: dict[str, str]) -> tuple[Any, Any]:
    """Maria, and Maria mistyped by another clerk."""
    first = client.post("/v1/residents", json=MARIA, headers=clerk).get_json()
    return first, client.post("/v1/residents", json=MISTYPED, headers=clerk).get_json()


def waiting(client: FlaskClient, clerk: dict[str, str], state: str = "open") -> Any:
    return client.get("/v1/residents/pairs", query_string={"state": state}, headers=clerk).get_json()


def test_a_mistyped_second_entry_waits_with_its_reasons(
    client: FlaskClient, clerk: dict[str, str], two: tuple[Any, Any]
) -> None:
    (pair,) = waiting(client, clerk)["pairs"]
    assert {one["id"] for one in pair["residents"]} == {one["id"] for one in two}
    assert pair["score"] == sum(reason["weight"] for reason in pair["why"])
    said = {reason["field"]: reason["agreement"] for reason in pair["why"]}
    assert (said["family_name"], said["given_name"], said["birth_date"]) == ("equal", "near", "near")


def test_a_pair_becomes_one_and_two_again(client: FlaskClient, clerk: dict[str, str], two: tuple[Any, Any]) -> None:
    first, second = two
    (pair,) = waiting(client, clerk)["pairs"]
    path = f"/v1/residents/pairs/{pair['id']}/decision"
    decided = client.post(path, json={"keep": first["id"], "reason": "same papers"}, headers=clerk)
    assert (decided.status_code, decided.get_json()["state"]) == (200, "merged"), decided.text
    assert waiting(client, clerk)["total"] == 0
    entry = client.get(f"/v1/residents/{second['id']}", headers=clerk).get_json()
    assert (entry["status"], entry["merged_into"]) == ("merged", first["id"])
    for number in (first["number"], second["number"]):  # both numbers lead to her for ever
        found = client.get("/v1/residents", query_string={"q": number}, headers=clerk).get_json()["residents"]
        assert [one["id"] for one in found] == [first["id"]]
    again = client.post(path, json={"keep": None, "reason": "?"}, headers=clerk)
    assert (again.status_code, again.get_json()["code"]) == (409, "pair_decided")

    path = f"/v1/residents/{second['id']}/parting"
    parted = client.post(path, json={"reason": "twins after all"}, headers=clerk)
    assert parted.get_json() == second
    assert client.post(path, json={"reason": "again"}, headers=clerk).get_json()["code"] == "not_merged"
    history = client.get(f"/v1/residents/{second['id']}/merges", headers=clerk).get_json()["merges"]
    assert [(step["kind"], step["reason"]) for step in history] == [
        ("merged", "same papers"),
        ("parted", "twins after all"),
    ]
    assert waiting(client, clerk, "distinct")["total"] == 1


def test_two_people_stay_two_and_are_not_asked_about_again(
    client: FlaskClient, clerk: dict[str, str], two: tuple[Any, Any]
) -> None:
    (pair,) = waiting(client, clerk)["pairs"]
    path = f"/v1/residents/pairs/{pair['id']}/decision"
    assert client.post(path, json={"keep": None, "reason": "twins"}, headers=clerk).get_json()["state"] == "distinct"
    assert waiting(client, clerk)["total"] == 0
    other = client.post(path, json={"keep": two[0]["id"], "reason": "?"}, headers=clerk)
    assert (other.status_code, other.get_json()["code"]) == (409, "pair_decided")


def test_an_entry_with_money_or_a_card_is_not_merged_away(
    client: FlaskClient, clerk: dict[str, str], two: tuple[Any, Any], above: Above
) -> None:
    first, second = two
    above.held[UUID(second["id"])] = ["₱80.00 in the wallet", "a card in use"]
    path = f"/v1/residents/{first['id']}/merges"
    wanted = {"second_id": second["id"], "reason": "same papers"}
    refused = client.post(path, json=wanted, headers=clerk)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "merge_holds")
    assert "Keep this entry and merge the other one into it." in refused.get_json()["detail"]
    above.held[UUID(first["id"])] = ["a card in use"]
    told = client.post(path, json=wanted, headers=clerk).get_json()["detail"]
    assert "withdraw the card order and revoke the card of one of them first" in told
    above.held.clear()
    assert client.post(path, json=wanted, headers=clerk).status_code == 201
    assert client.post(path, json=wanted, headers=clerk).get_json()["code"] == "already_merged"
    assert waiting(client, clerk)["total"] == 0


def test_nobody_is_merged_with_themselves_and_no_pair_is_made_up(
    city: web.City, client: FlaskClient, clerk: dict[str, str], two: tuple[Any, Any]
) -> None:
    wanted = {"second_id": two[0]["id"], "reason": "x"}
    answer = client.post(f"/v1/residents/{two[0]['id']}/merges", json=wanted, headers=clerk)
    assert answer.get_json()["code"] == "same_entry"
    for pair_id in (999, 2**70):
        path = f"/v1/residents/pairs/{pair_id}/decision"
        answer = client.post(path, json={"keep": None, "reason": "x"}, headers=clerk)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "pair_not_found")
    officer = staff_token(city, client, "card_officer")
    assert client.get("/v1/residents/pairs", headers=officer).status_code == 200
    assert client.post(path, json={"keep": None, "reason": "x"}, headers=officer).status_code == 403


def test_a_chain_of_entries_leads_to_one_person_and_each_link_can_be_undone(city: web.City) -> None:
    now = city.clock.now()
    with db.unit_of_work(city.engine) as session:
        by = make_staff(session, now).id
        a, b, c = (make_resident(session, now) for _ in range(3))

        def merge(kept: UUID, second: UUID) -> None:
            residents.merge(session, kept, second, by=by, reason="x", now=now, holdings=lambda _s, _r, _n: ())

        merge(b.id, a.id)
        merge(c.id, b.id)
        numbers = [one.number for one in (a, b, c)]
        assert {residents.find_by_number(session, number).id for number in numbers} == {c.id}
        assert set(residents.ids_by_number(session, numbers).values()) == {c.id}
        assert set(queries.entries_of(session, c.id)) == {a.id, b.id, c.id}
        residents.part(session, b.id, by=by, reason="x", now=now)
        assert residents.find_by_number(session, a.number).id == b.id


def test_looks_at_a_second_entry_are_the_persons_to_read(city: web.City) -> None:
    now = city.clock.now()
    with db.unit_of_work(city.engine) as session:
        member: access.StaffMember = make_staff(session, now)
        kept, second = make_resident(session, now), make_resident(session, now)
        residents.note_look(session, second.id, actor=member.id, purpose="why", fields=["name"], now=now)
        residents.merge(session, kept.id, second.id, by=member.id, reason="x", now=now, holdings=lambda _s, _r, _n: ())
        assert [look.purpose for look in residents.looks(session, kept.id).looks] == ["why"]


def test_merging_and_parting_from_the_command_line(city: web.City, shell: Shell) -> None:
    now = city.clock.now()
    clerk, kept, second = db.run(
        city.engine, lambda s: (make_staff(s, now).username, make_resident(s, now).number, make_resident(s, now).number)
    )
    code, told = shell.run("merge", kept, second, "--reason", "same papers", "--by", clerk)
    assert (code, told["number"], told["status"]) == (0, kept, "active")
    code, told = shell.run("part", second, "--reason", "two people", "--by", clerk)
    assert (code, told["number"], told["status"]) == (0, second, "active")


def test_an_entry_with_a_card_order_under_way_is_not_merged_away(city: web.City) -> None:
    """As the service is wired: the ordered card would be made for somebody who is another person by then."""
    now = city.clock.now()
    with db.unit_of_work(city.engine) as session:
        clerk = make_staff(session, now).username
        made = [make_resident(session, now) for _ in range(2)]
        wallets.open_wallets(session, [one.id for one in made], now)
        order = cards.request(session, made[1].id, by=CLERK, now=now, random_bytes=city.random_bytes)
    kept, second = (one.number for one in made)
    arguments = ["merge", kept, second, "--reason", "same papers", "--by", clerk, "--json"]

    def merged() -> Result:
        return CliRunner().invoke(commands["residents"], arguments, obj=lambda: city)

    assert "a card order under way" in str(merged().exception)
    db.run(
        city.engine,
        lambda s: cards.revoke(s, order.id, reason=cards.RevocationReason.WITHDRAWN, by=CLERK, now=now),
    )
    assert merged().exit_code == 0
