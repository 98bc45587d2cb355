"""The live board: what came in the last hour, what was refused, which gates are silent and whose list is old."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from crypto.wire.transaction import Purpose
from tests import surfing
from tests.town import Person, Town, tap

P = Purpose.PRESENCE


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person()


def board(town: Town) -> Any:
    answer = town.client.get("/v1/transit/board", headers=town.token("admin"))
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_taps_are_counted_by_line_and_by_the_minute_in_which_they_came(town: Town, ana: Person) -> None:
    gate = town.validator()
    for network, cents in (("bus", 13_00), ("bus", 13_00), ("ferry", 25_00)):
        gate.add(tap(cents, network=network), ana.signs(P))
    gate.send()
    town.clock.advance(timedelta(minutes=3))
    gate.send_one(tap(), ana.signs(P))
    found = {line["network"]: line for line in board(town)["lines"]}
    assert (found["bus"]["taps"], found["ferry"]["taps"]) == (3, 1)
    assert (found["bus"]["minutes"][-1], found["bus"]["minutes"][-4]) == (1, 2)
    assert len(found["bus"]["minutes"]) == 60
    town.clock.advance(timedelta(hours=1))
    assert board(town)["lines"] == []


def test_a_tap_that_was_made_long_before_is_said_to_be_late(town: Town, ana: Person) -> None:
    gate = town.validator()
    gate.add(tap(), ana.signs(P))
    town.clock.advance(timedelta(hours=3))
    gate.send()
    [line] = board(town)["lines"]
    assert (line["taps"], line["late"]) == (1, 1)


def test_refusals_are_counted_by_reason(town: Town, ana: Person) -> None:
    gate = town.validator()
    for _ in range(2):
        assert gate.send_one(tap(network="nowhere"), ana.signs(P)).outcome == "rejected"
    found = board(town)["refusals"]
    assert sum(one["count"] for one in found) == 2
    assert len(found) == 1


def test_a_gate_is_heard_then_silent_then_offline(town: Town, ana: Person) -> None:
    gate = town.validator()
    never = town.validator()
    gate.send_one(tap(), ana.signs(P))
    seen = []
    for wait in (timedelta(0), timedelta(minutes=20), timedelta(hours=5)):
        town.clock.advance(wait)
        gates = {one["device_id"]: one for one in board(town)["gates"]}
        seen.append(gates[str(gate.device_id)]["hearing"])
        assert gates[str(never.device_id)]["hearing"] == "never"
    assert seen == ["heard", "silent", "offline"]
    assert board(town)["quiet"] == 2


def test_the_age_of_a_gates_list_counts_from_the_first_newer_one(town: Town, ana: Person) -> None:
    gate = town.validator()
    gate.send_one(tap(), ana.signs(P))  # the town's terminals act under no policy: number 0
    [one] = board(town)["gates"]
    assert (one["policy_number"], one["list_age_seconds"]) == (0, 0)
    assert town.client.get("/v1/policy").status_code == 200  # the first policy is published
    town.clock.advance(timedelta(minutes=7))
    [one] = board(town)["gates"]
    assert one["list_age_seconds"] == 7 * 60


def test_staff_read_the_board_and_renew_it_only_if_they_like(town: Town, ana: Person, app: Flask) -> None:
    gate = town.validator()
    gate.send_one(tap(), ana.signs(P))
    gate.send_one(tap(network="nowhere"), ana.signs(P))
    browser = surfing.staff(town, app, "admin")
    page = browser.read("/transit/board")
    assert "Gates now" in page
    assert "Heard" in page
    assert "1 network " in page
    assert "City buses: 1 taps" in page
    assert 'http-equiv="refresh"' not in browser.get("/transit/board")
    assert '<meta http-equiv="refresh" content="30">' in browser.get("/transit/board?refresh=on")
    assert town.client.get("/v1/transit/board", headers=town.token("cashier")).status_code == 403
