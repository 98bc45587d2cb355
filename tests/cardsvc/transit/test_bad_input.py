"""What nobody should send, sent to every door of the room: an answer that says what to do, and nothing half done.

The doors are read from the app, so a new one is tried too; a field that this file knows no good value for fails it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from cardsvc import web
from crypto.wire.transaction import Purpose
from tests import surfing
from tests.builders import PASSWORD
from tests.surfing import Surfer
from tests.town import Person, Town, tap

P = Purpose.PRESENCE
ROOM = "cardsvc.transit."
TABLES = ("entry", "ride_tap", "ride_charge", "ride_claim", "claim_decision", "claim_approval", "rider_right")
UNTAKEN = {"", " ", "a\x00b", "\x7f\x1b[2J", "\r\nSet-Cookie: a=b", "\u202egnal", "0000-00-00"}
TIMES = ("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00")
TEXTS = [*sorted(UNTAKEN), "-1", "9" * 30, "NaN", "x" * 5000, str(UUID(int=0)), *TIMES]
VALUES: list[Any] = [*TEXTS, None, 0, -1, 1.5, 10**30, float("nan"), True, [], {}, [None], "\ud800"]
PAGE_ARGUMENTS = ("agency", "day", "state", "after", "before", "pass", "begins")
PAGE_FIELDS = ("reason", "stop_id", "said", "amount", "key", "record", "credential")


@dataclass
class Doors:
    """A town with two riders who rode, and what a good request to each door says."""

    town: Town
    app: Flask
    ana: Person
    ben: Person
    headers: dict[str, str]
    own_pages: Surfer
    staff_pages: Surfer
    gate_seconds: int = 0
    good: dict[str, Any] = field(default_factory=dict)

    def ride(self, person: Person) -> UUID:
        """A ride by bus, some seconds before the last."""
        self.gate_seconds += 10
        at = self.town.clock.now() - timedelta(seconds=self.gate_seconds)
        sent = self.town.validator().send_one(tap(), person.signs(P), at=at)
        assert sent.record_id is not None, sent
        return sent.record_id

    def claim(self) -> str:
        body = {"ride_id": str(self.ride(self.ana)), "reason": "not_me"}
        answer = self.town.client.post("/v1/me/claims", json=body, headers=self.headers)
        assert answer.status_code == 201, answer.text
        return str(answer.get_json()["id"])

    def rules(self, *, api: bool) -> Iterator[tuple[Rule, str]]:
        """Each of the room's routes with a method of it."""
        for rule in self.app.url_map.iter_rules():
            module = self.app.view_functions[rule.endpoint].__module__
            if module.startswith(ROOM) and rule.rule.startswith("/v1") == api:
                yield from ((rule, method) for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))

    def access(self, rule: Rule, method: str) -> Any:
        view = self.app.view_functions[rule.endpoint]
        handler: Any = getattr(getattr(view, "view_class", None), method.lower(), view)
        return handler.city_access

    def counts(self) -> dict[str, int]:
        return {table: self.town.count(table) for table in TABLES}


@pytest.fixture
def doors(town: Town, app: Flask) -> Doors:
    town.tariff()
    till = town.till()
    ana, ben = (town.rich_person(10_000_00, till) for _ in range(2))
    own_pages = surfing.resident(town, app, ana)
    given = {"username": f"resident-{ana.number.lower()}", "password": PASSWORD}
    token = town.client.post("/v1/sign-in", json=given).get_json()["token"]
    staff_pages = surfing.staff(town, app, "finance")
    found = Doors(town, app, ana, ben, {"Authorization": f"Bearer {token}"}, own_pages, staff_pages)
    right = {"category": "senior", "valid_from": "2026-11-01", "valid_to": "2026-11-30", "reason": "A card of the city"}
    body = right | {"resident_id": str(ana.resident_id)}
    right_id = town.post("/v1/transit/rights", body, "clerk", status=201)["right_id"]
    found.good |= body | {"agency": "loop", "day": "2026-11-02", "format": "csv", "from": "ayala", "to": "buendia"}
    found.good |= {"at": "2026-11-02T07:45", "arrive": "2026-11-02T08:00", "network": "bus", "medium": "", "limit": 9}
    found.good |= {"before": "2026-11-02T08:00:00+08:00", "state": "open", "said": "I was at home", "fare_cents": 1}
    found.good |= {"stop_id": None, "password": PASSWORD, "ride_id": str(found.ride(ana)), "right_id": right_id}
    found.good |= {"claim_id": found.claim(), "ending": "csv"}
    found.good["after"] = found.good["claim_id"]
    return found


def path_of(doors: Doors, rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda place: str(doors.good[place[1]]), rule.rule)


def headers_of(doors: Doors, rule: Rule, method: str) -> Mapping[str, str]:
    allowed = doors.access(rule, method)
    if allowed == "public":
        return {}
    if allowed == frozenset({"residents"}):
        return doors.headers
    return doors.town.token("clerk" if "clerk" in allowed else "finance")


def operation(doors: Doors, rule: Rule, method: str) -> dict[str, Any]:
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
    found: dict[str, Any] = web.document(doors.app)["paths"][path][method.lower()]
    return found


def fields_of(doors: Doors, rule: Rule) -> list[str]:
    document = web.document(doors.app)
    schema = operation(doors, rule, "POST")["requestBody"]["content"]["application/json"]["schema"]
    return list(document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]["properties"])


def test_every_question_of_the_api_has_an_answer(doors: Doors) -> None:
    before = doors.counts()
    for rule, method in doors.rules(api=True):
        if method != "GET":
            continue
        asked = operation(doors, rule, method).get("parameters", [])
        names = [one["name"] for one in asked if one["in"] == "query"]
        good = {name: doors.good[name] for name in names}
        headers, path = headers_of(doors, rule, method), path_of(doors, rule)
        for name in names:
            for text in TEXTS:
                answer = doors.town.client.get(path, query_string=good | {name: text}, headers=headers)
                assert answer.status_code in {200, 400, 404, 422}, (rule.rule, name, text, answer.text)
                if answer.status_code != 200:
                    assert answer.get_json()["detail"], (rule.rule, name, text)
    assert doors.counts() == before


def test_what_the_api_does_not_take_changes_nothing(doors: Doors) -> None:
    tried = 0
    for rule, method in doors.rules(api=True):
        if method != "POST":
            continue
        names = fields_of(doors, rule)
        headers = headers_of(doors, rule, method)
        for name in names:
            for value in VALUES if name != "password" else VALUES[:1]:
                tried += 1
                if "claim" in rule.rule:
                    doors.good |= {"ride_id": str(doors.ride(doors.ana)), "reason": "not_me"}
                if "claim_id" in rule.arguments:
                    doors.good["claim_id"] = doors.claim() if tried % 9 == 1 else doors.good["claim_id"]
                    doors.good["reason"] = "The gate was broken"
                body = {one: doors.good[one] for one in names} | {name: value}
                before = doors.counts()
                key = {"Idempotency-Key": str(doors.town.key())}
                answer = doors.town.client.post(path_of(doors, rule), json=body, headers={**headers, **key})
                assert answer.status_code in {200, 201, 400, 401, 404, 409, 422}, (rule.rule, name, value, answer.text)
                if answer.status_code >= 400:
                    assert answer.get_json()["detail"], (rule.rule, name, value)
                    assert doors.counts() == before, (rule.rule, name, value)
    assert tried > 200
    doors.town.check()


def test_pages_answer_whatever_is_written_into_them(doors: Doors) -> None:
    for rule, method in doors.rules(api=False):
        own = doors.access(rule, method) == frozenset({"residents"})
        surfer = doors.own_pages if own else doors.staff_pages
        form_token = surfer.client.get("/sign-in?again=1").text.split('name="csrf_token" value="')[1].split('"')[0]
        fill = {
            "reason": "not_me" if own else "Because",
            "amount": "1.00",
            "key": str(doors.town.key()),
            "password": "",
        }
        shop = "?pass=bus-week" if "buy" in rule.rule else ""
        for name in PAGE_ARGUMENTS if method == "GET" else PAGE_FIELDS:
            for text in TEXTS:
                before = doors.counts()
                if method == "GET":
                    base = {"agency": "loop"} | ({"pass": "bus-week"} if shop else {})
                    answer = surfer.client.get(path_of(doors, rule), query_string=base | {name: text})
                else:
                    sent = fill | {"csrf_token": form_token, name: text}
                    answer = surfer.client.post(path_of(doors, rule) + shop, data=sent)
                assert answer.status_code in {200, 302, 303, 400, 404, 409, 422}, (rule.rule, method, name, text)
                if answer.status_code >= 400:
                    assert doors.counts() == before, (rule.rule, method, name, text)


@pytest.mark.parametrize("file", ["settlement.csv", "fare-transactions.csv", "fare-transactions.json"])
def test_a_file_is_of_the_day_and_the_operator_asked_for_or_there_is_none(doors: Doors, file: str) -> None:
    path = f"/finance/operators/{file}"
    assert "no operator" not in doors.staff_pages.get(f"{path}?agency=loop&day=2026-11-02")
    assert "Enter a day like 2026-11-02" in doors.staff_pages.read(f"{path}?agency=loop&day=2026-02-30", 422)
    assert "Known: ferry, loop, metro" in doors.staff_pages.read(f"{path}?agency=lopp&day=2026-11-02", 404)


def test_no_form_is_taken_without_its_token(doors: Doors) -> None:
    before = doors.counts()
    for rule, method in doors.rules(api=False):
        if method != "POST":
            continue
        own = doors.access(rule, method) == frozenset({"residents"})
        client: FlaskClient = (doors.own_pages if own else doors.staff_pages).client
        sent = {"reason": "not_me" if own else "Because", "amount": "1.00", "key": str(doors.town.key())}
        for token in ({}, {"csrf_token": "none of ours"}):
            answer = client.post(path_of(doors, rule), data=sent | token | {"password": PASSWORD})
            assert answer.status_code == 400, (rule.rule, token, answer.status)
    assert doors.counts() == before


def test_nobody_enters_by_the_door_of_others(doors: Doors) -> None:
    before = doors.counts()
    for rule, method in [*doors.rules(api=True), *doors.rules(api=False)]:
        allowed = doors.access(rule, method)
        if allowed == "public":
            continue
        asker = doors.town.token("cashier") if "residents" in allowed else doors.headers
        if not rule.rule.startswith("/v1"):
            surfer = doors.staff_pages if "residents" in allowed else doors.own_pages
            answer = surfer.client.get(path_of(doors, rule)) if method == "GET" else surfer.post(path_of(doors, rule))
            assert answer.status_code in {302, 403}, (rule.rule, method, answer.status)
            continue
        key = {"Idempotency-Key": str(doors.town.key())}
        answer = doors.town.client.open(path_of(doors, rule), method=method, json={}, headers=asker | key)
        assert answer.status_code == 403, (rule.rule, method, answer.status)
    assert doors.counts() == before


def test_what_belongs_to_another_rider_is_as_if_it_were_not_there(doors: Doors) -> None:
    before_ride = doors.ride(doors.ben)
    before = doors.counts()
    body = {"ride_id": str(before_ride), "reason": "not_me"}
    answer = doors.town.client.post("/v1/me/claims", json=body, headers=doors.headers)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_ride")
    path = f"/wallet/rides/{before_ride}/claim"
    assert doors.own_pages.client.get(path).status_code == 404
    assert doors.own_pages.post(path, reason="not_me").status_code == 404
    body = {"resident_id": str(doors.ben.resident_id), "valid_to": "2026-11-30", "reason": "Not their right"}
    answer = doors.town.client.post(
        f"/v1/transit/rights/{doors.good['right_id']}/end", json=body, headers=doors.town.token("clerk")
    )
    assert (answer.status_code, answer.get_json()["code"]) == (404, "unknown_right")
    assert doors.counts() == before


@pytest.mark.parametrize("stop_id", ["nowhere", " ", "\u202eayala", "ayala\r\n"])
def test_a_claim_names_a_stop_that_there_is(doors: Doors, stop_id: str) -> None:
    body = {"ride_id": doors.good["ride_id"], "reason": "wrong_stop", "stop_id": stop_id}
    answer = doors.town.client.post("/v1/me/claims", json=body, headers=doors.headers)
    assert answer.status_code == 422, answer.text
    assert "no such stop" in answer.get_json()["detail"]
    form = {"reason": "wrong_stop", "stop_id": stop_id, "said": ""}
    refused = doors.own_pages.refused(f"/wallet/rides/{body['ride_id']}/claim", 422, **form)
    assert "no such stop" in refused


@pytest.mark.parametrize("reason", ["Ok\r\nthen", "\u202eno", "   "])
def test_a_refusal_is_given_for_a_reason_that_can_be_read(doors: Doors, reason: str) -> None:
    path = f"/v1/transit/claims/{doors.good['claim_id']}/refusal"
    answer = doors.town.post(path, {"reason": reason}, "finance", status=422)
    assert "3 to 200 letters" in answer["detail"]
    assert doors.town.post(path, {"reason": "The gate saw it"}, "finance")["state"] == "refused"
