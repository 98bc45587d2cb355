"""Rights of riders: staff give and end them, rides are cheaper meanwhile, and the rider reads why."""

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask

from cardsvc.transit import riding, rules
from cardsvc.transit.riding.commands import right
from cardsvc.transit.riding.queries import RideView, StepView
from cardsvc.transit.rules.pricing import COVERED
from crypto.wire.transaction import Purpose
from tests import surfing
from tests.town import BUS_CENTS, Person, Town, tap

P = Purpose.PRESENCE
SENIOR_CENTS = 10_40
RULES = Path(rules.__file__).parent


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person(100_00)


def give(town: Town, person: Person, *, category: str = "senior", status: int = 201) -> dict[str, str]:
    body = {
        "resident_id": str(person.resident_id),
        "category": category,
        "valid_from": town.today().isoformat(),
        "valid_to": (town.today() + timedelta(days=300)).isoformat(),
        "reason": "OSCA card was shown",
    }
    answer: dict[str, str] = town.post("/v1/transit/rights", body, "clerk", status=status)
    return answer


def own_rides(town: Town, person: Person) -> list[RideView]:
    return town.run(lambda session: riding.rides(session, person.wallet_id))


def test_a_senior_pays_what_the_law_leaves_and_the_programme_pays_the_rest(town: Town, ana: Person) -> None:
    give(town, ana)
    assert town.validator().send_one(tap(), ana.signs(P)).outcome == "accepted"
    assert town.balance(ana) == 100_00 - SENIOR_CENTS
    assert town.balance_of("revenue:transit:loop", "expense:concession:osca") == [BUS_CENTS, BUS_CENTS - SENIOR_CENTS]
    [ride] = own_rides(town, ana)
    assert (ride.fare_cents, ride.subsidy_cents, ride.paid_by) == (SENIOR_CENTS, BUS_CENTS - SENIOR_CENTS, "osca")
    assert [(step.step, step.shown) for step in ride.steps] == [("base", "13.00"), ("concession", "10.40")]
    town.check()


def test_a_right_that_ended_counts_no_more_from_the_next_tap_on(town: Town, ana: Person) -> None:
    given = give(town, ana)
    gate = town.validator()
    gate.send_one(tap(), ana.signs(P))
    body = {
        "resident_id": str(ana.resident_id),
        "valid_to": (town.today() - timedelta(days=1)).isoformat(),
        "reason": "the card was another person's",
    }
    town.post(f"/v1/transit/rights/{given['right_id']}/end", body, "clerk")
    town.clock.advance(timedelta(minutes=5))
    gate.send_one(tap(), ana.signs(P))
    assert town.balance(ana) == 100_00 - 2 * BUS_CENTS
    assert town.balance_of("expense:concession:osca") == [0]
    town.check()


def test_only_categories_of_the_tariff_are_given(town: Town, ana: Person) -> None:
    refused = give(town, ana, category="astronaut", status=422)
    assert (refused["code"], "senior" in refused["detail"]) == ("invalid_right", True)
    town.post(
        "/v1/transit/rights/" + str(ana.wallet_id) + "/end",
        {"resident_id": str(ana.resident_id), "valid_to": "2026-11-02", "reason": "nothing to end"},
        "clerk",
        status=404,
    )


def test_rights_are_given_and_listed_from_the_command_line(town: Town, ana: Person) -> None:
    def ran(*arguments: str) -> dict[str, list[dict[str, str]]]:
        result = CliRunner().invoke(right, [*arguments, "--json"], obj=lambda: town.city, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        answer: dict[str, list[dict[str, str]]] = json.loads(result.output)
        return answer

    ran("give", ana.number, "pwd", "--from", "2026-11-01", "--to", "2027-10-31", "--reason", "PWD card was shown")
    [given] = ran("list", ana.number)["rights"]
    ran("end", ana.number, given["right_id"], "--to", "2026-12-31", "--reason", "moved away")
    [ended] = ran("list", ana.number)["rights"]
    assert (ended["category"], ended["valid_to"]) == ("pwd", date(2026, 12, 31).isoformat())


def test_a_rider_reads_their_rides_and_nobody_elses(town: Town, app: Flask, ana: Person) -> None:
    town.validator().send_one(tap(), ana.signs(P))
    beth = town.person()
    page = surfing.words(surfing.resident(town, app, ana).read("/wallet/rides"))
    assert "Ayala Avenue" in page
    assert "Fare of this ride fare_leg_rules.txt:1, fare_products.txt:1 bus_ride 13.00" in page
    assert "No rides yet" in surfing.words(surfing.resident(town, app, beth).read("/wallet/rides"))


def test_a_rider_reads_every_step_in_words(app: Flask) -> None:
    written = {name for file in RULES.glob("*.py") for name in re.findall(r'Step\("([^"]+)"', file.read_text())}
    assert {"base", "concession", "cap"} < written
    rules = (
        "fare_leg_rules.txt:1",
        "fare_transfer_rules.txt:2",
        "x_incomplete.txt:1 no_exit",
        "x_incomplete.txt:1 no_entry",
    )
    steps = [StepView("base", rule, "0", "1") for rule in rules]
    steps += [StepView(name, "", "0", "1") for name in sorted((written | {COVERED}) - {"base"})]
    with app.test_request_context():
        say = app.jinja_env.get_template("transit/ride_words.html").make_module({"_": str}).step_words  # type: ignore[attr-defined]
        said = [str(say(step)) for step in steps]
    assert len(set(said)) == len(steps)
    assert not {step.step for step in steps} & set(said)


def test_finance_reads_a_residents_rides(town: Town, ana: Person) -> None:
    town.validator().send_one(tap(), ana.signs(P))
    asked = {"resident_id": str(ana.resident_id)}
    answer = town.client.get("/v1/transit/rides", query_string=asked, headers=town.token("finance"))
    [ride] = answer.get_json()["rides"]
    assert (ride["fare_cents"], ride["network"], ride["steps"][0]["step"]) == (BUS_CENTS, "bus", "base")
    assert town.client.get("/v1/transit/rides", query_string=asked, headers=town.token("clerk")).status_code == 403


@pytest.mark.parametrize(
    ("after", "shown"), [("1300", "13.00"), ("-700", "-7.00"), ("10399/10", "10.399"), ("1/2", "0.005"), ("0", "0.00")]
)
def test_an_exact_amount_is_shown_in_pesos(after: str, shown: str) -> None:
    assert StepView("cap", "", "0", after).shown == shown
