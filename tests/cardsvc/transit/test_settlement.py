"""Settlement with operators: each entry in one day's, to the centavo with the books, and loud where they differ."""

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from flask import Flask
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.transit.models import RideCharge
from cardsvc.transit.rules.settling import Settlement, SettlementDiffers
from cardsvc.transit.settling import commands, queries
from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap
from tests import surfing
from tests.town import BUS_CENTS, Person, Terminal, Town, tap

P = Purpose.PRESENCE
FERRY_CENTS = 25_00


def settled(town: Town, agency: str = "loop", day: date | None = None) -> Settlement:
    wanted, now = day or town.today(), town.clock.now()
    return town.run(lambda session: queries.settlement(session, agency, wanted, now))


def rides(town: Town, gate: Terminal, person: Person, count: int = 1, network: str = "bus") -> None:
    cents = BUS_CENTS if network == "bus" else FERRY_CENTS
    for _ in range(count):
        town.clock.advance(timedelta(minutes=5))
        assert gate.send_one(tap(cents, network=network), person.signs(P)).outcome == "accepted"


def moved(town: Town, agency: str, day: date) -> int:
    """What the books say that the operator earned on the day."""
    code = f"revenue:transit:{agency}"
    found = town.run(lambda session: list(ledger.moved_on(session, day, [code])))
    return -sum(one.amount_cents for one in found)


def rail(stop: str, direction: str) -> Tap:
    return Tap("rail", f"metro-{stop}", direction, 28_00 if direction == "in" else 0, "PHP", 1, 1)


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person()


def test_a_day_is_settled_by_network_product_and_fare_day_and_comes_to_the_revenue(town: Town, ana: Person) -> None:
    gate = town.validator()
    rides(town, gate, ana, 3)
    rides(town, gate, ana, 2, network="ferry")
    loop, ferry = settled(town), settled(town, "ferry")
    [line] = loop.lines
    assert (line.network, line.product, line.fare_day, line.late) == ("bus", "bus_ride", town.today(), False)
    assert (line.rides, line.charged_cents, line.refunded_cents) == (3, 3 * BUS_CENTS, 0)
    assert ferry.due_cents == 2 * FERRY_CENTS
    for found in (loop, ferry):
        assert found.due_cents == moved(town, found.agency, town.today())
        assert not found.final
    town.check()


def test_a_tap_that_comes_late_is_of_the_day_on_which_it_came_and_the_day_before_stays(town: Town, ana: Person) -> None:
    gate, cut_off = town.validator(), town.validator()
    rides(town, gate, ana)
    cut_off.add(tap(), ana.signs(P), at=town.clock.now() + timedelta(minutes=1))
    monday = town.today()
    town.clock.advance(timedelta(days=1))
    before = settled(town, day=monday)
    assert before.final
    assert [result.outcome for result in cut_off.send()] == ["accepted"]
    assert settled(town, day=monday) == before
    [line] = settled(town).lines
    assert (line.fare_day, line.late, line.charged_cents) == (monday, True, BUS_CENTS)
    assert before.due_cents + settled(town).due_cents == town.balance_of("revenue:transit:loop")[0]


def test_a_hold_and_its_release_are_one_amount_and_an_exit_that_comes_a_day_later_is_given_back_late(
    town: Town, ana: Person
) -> None:
    gate, cut_off = town.validator(), town.validator()
    monday, now = town.today(), town.clock.now()
    for hours in (0, 3):
        gate.add(rail("magallanes", "in"), ana.signs(P), at=now + timedelta(hours=hours))
    gate.add(rail("ayala", "out"), ana.signs(P), at=now + timedelta(minutes=20))
    cut_off.add(rail("ayala", "out"), ana.signs(P), at=now + timedelta(hours=3, minutes=20))
    town.clock.advance(timedelta(hours=4))
    assert {result.outcome for result in gate.send()} == {"accepted"}
    lines = {line.product: line for line in settled(town, "metro").lines}
    assert (lines["rail_3km"].charged_cents, lines["rail_3km"].refunded_cents) == (15_00, 0)
    assert lines[""].charged_cents == 28_00  # its exit is not there yet
    town.clock.advance(timedelta(days=1))
    assert {result.outcome for result in cut_off.send()} == {"accepted"}
    [late] = settled(town, "metro").lines
    assert (late.product, late.fare_day, late.late, late.refunded_cents) == ("rail_3km", monday, True, 13_00)
    taps = town.run(lambda session: list(queries.fare_transactions(session, town.city.vault, "metro", town.today())))
    assert [(one.action, one.amount_cents) for one in taps] == [("Exit", -13_00)]
    assert settled(town, "metro", monday).due_cents + late.due_cents == 2 * 15_00


def test_a_tap_that_finance_takes_back_is_a_refund_of_that_day(town: Town, ana: Person) -> None:
    sent = town.validator().send_one(tap(), ana.signs(P))
    taken_back = {"entry_id": str(sent.record_id), "reason": "The gate was broken"}
    town.clock.advance(timedelta(days=1))
    assert town.act("/v1/finance/reversals", "finance", **taken_back)["outcome"] == "accepted"
    [line] = settled(town).lines
    assert (line.charged_cents, line.refunded_cents, line.due_cents) == (0, BUS_CENTS, -BUS_CENTS)
    assert settled(town, day=town.today() - timedelta(days=1)).due_cents == BUS_CENTS


def test_a_charge_that_the_books_do_not_have_stops_the_settlement_loudly(town: Town, ana: Person, app: Flask) -> None:
    sent = town.validator().send_one(tap(), ana.signs(P))

    def forge(session: Session) -> None:
        row = session.scalars(sa.select(RideCharge).where(RideCharge.entry_id == sent.record_id)).one()
        columns = {c.name: getattr(row, c.name) for c in RideCharge.__table__.columns if c.name != "id"}
        session.execute(sa.insert(RideCharge), columns | forged(columns))

    town.run(forge)
    with pytest.raises(SettlementDiffers, match="its rides say"):
        settled(town)
    asked = f"/v1/transit/settlement?agency=loop&day={town.today()}"
    answer = town.client.get(asked, headers=town.token("finance"))
    assert (answer.status_code, answer.get_json()["code"]) == (503, "settlement_differs")
    assert "Pay no operator" in surfing.staff(town, app, "finance").read(f"/finance/operators?day={town.today()}", 503)


def forged(columns: dict[str, Any]) -> dict[str, Any]:
    return {"fare_cents": 1}


def test_the_command_writes_the_statement_and_the_taps(town: Town, ana: Person, tmp_path: Path) -> None:
    rides(town, town.validator(), ana, 2)
    statement, table = tmp_path / "s.csv", tmp_path / "t.json"
    arguments = [
        "--agency",
        "loop",
        "--day",
        str(town.today()),
        "--csv",
        str(statement),
        "--tides",
        str(table),
        "--json",
    ]
    done = CliRunner().invoke(commands.settlement, arguments, obj=lambda: town.city)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.output)
    assert (answer["due_cents"], answer["agrees_with_the_books"]) == (2 * BUS_CENTS, True)
    rows = list(csv.DictReader(statement.read_text().splitlines()))
    assert [(row["row"], row["rides"], row["due"]) for row in rows] == [
        ("rides", "2", "26.00"),
        ("total", "2", "26.00"),
    ]
    assert len(json.loads(table.read_text())) == 2
    said = CliRunner().invoke(commands.settlement, arguments[:4], obj=lambda: town.city).output
    assert f"Due to loop for {town.today()}: 26.00 PHP (the day is not over)" in said


def test_finance_reads_the_table_and_takes_the_files_and_nobody_else_does(town: Town, ana: Person, app: Flask) -> None:
    rides(town, town.validator(), ana)
    browser = surfing.staff(town, app, "finance")
    day = town.today()
    page = browser.read(f"/finance/operators?agency=loop&day={day}")
    assert "they agree" in page
    assert "City buses bus_ride" in page
    assert page.count("₱13.00") >= 3
    assert "Known: ferry, loop, metro" in browser.read(f"/finance/operators?agency=nobody&day={day}", 404)
    browser.get("/finance/operators?day=yesterday", 422)
    taken = browser.client.get(f"/finance/operators/settlement.csv?agency=loop&day={day}")
    assert taken.headers["Content-Disposition"] == f'attachment; filename="settlement-loop-{day}.csv"'
    assert browser.client.get(f"/finance/operators/fare-transactions.json?agency=loop&day={day}").is_json
    asked = f"?agency=loop&day={day}"
    for path in ("settlement", "settlement.csv", "fare-transactions"):
        assert town.client.get(f"/v1/transit/{path}{asked}", headers=town.token("auditor")).status_code == 200
        assert town.client.get(f"/v1/transit/{path}{asked}", headers=town.token("cashier")).status_code == 403
