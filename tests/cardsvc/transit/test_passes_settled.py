"""Passes in the settlement with operators: a sale is a line of its own, and covered rides are counted beside it."""

import csv
import io
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from cardsvc import ledger
from cardsvc.transit.rules import tides
from cardsvc.transit.rules.settling import Settlement
from cardsvc.transit.settling import files, queries
from crypto.wire.transaction import Purpose
from crypto.wire.transit import PassBought
from tests.town import BUS_CENTS, Person, Town, tap

WEEK_CENTS = 150_00


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person(5_000_00)


@pytest.fixture
def buy(town: Town, ana: Person) -> Callable[[str, int], str]:
    kiosk = town.kiosk()

    def sell(pass_id: str, cents: int) -> str:
        asked = PassBought(pass_id, 1, town.today(), cents, "PHP")
        result = kiosk.send_one(asked, ana.signs(Purpose.CONSENT))
        assert result.outcome == "accepted", result
        return str(result.record_id)

    return sell


def settled(town: Town, agency: str = "loop", day: date | None = None) -> Settlement:
    wanted, now = day or town.today(), town.clock.now()
    return town.run(lambda session: queries.settlement(session, agency, wanted, now))


def ride(town: Town, person: Person, count: int = 1) -> None:
    gate = town.validator()
    for _ in range(count):
        town.clock.advance(timedelta(minutes=5))
        assert gate.send_one(tap(), person.signs(Purpose.PRESENCE)).outcome == "accepted"


def moved(town: Town, agency: str = "loop") -> int:
    code = f"revenue:transit:{agency}"
    found = town.run(lambda session: list(ledger.moved_on(session, town.today(), [code])))
    return -sum(one.amount_cents for one in found)


def test_a_sale_is_a_line_and_the_rides_it_paid_are_counted_beside_it(
    town: Town, ana: Person, buy: Callable[[str, int], str]
) -> None:
    ride(town, ana)
    buy("bus-week", WEEK_CENTS)
    buy("bus-week", WEEK_CENTS)
    ride(town, ana, 3)
    found = settled(town)
    assert [
        (line.kind, line.network, line.product, line.pass_id, line.rides, line.passes, line.due_cents)
        for line in found.lines
    ] == [
        ("pass", "", "", "bus-week", 0, 2, 2 * WEEK_CENTS),
        ("rides", "bus", "", "bus-week", 3, 0, 0),
        ("rides", "bus", "bus_ride", "", 1, 0, BUS_CENTS),
    ]
    assert found.due_cents == moved(town) == 2 * WEEK_CENTS + BUS_CENTS
    assert settled(town, "ferry").lines == ()


def test_a_pass_of_several_operators_is_due_to_none_of_them_until_finance_divides_it(
    town: Town, ana: Person, buy: Callable[[str, int], str]
) -> None:
    buy("city-month", 1_200_00)
    ride(town, ana, 2)
    [line] = settled(town).lines
    assert (line.pass_id, line.rides, line.due_cents) == ("city-month", 2, 0)
    assert (settled(town).due_cents, moved(town)) == (0, 0)


def test_a_sale_that_was_taken_back_is_given_back_on_that_day(
    town: Town, ana: Person, buy: Callable[[str, int], str]
) -> None:
    sold = buy("bus-week", WEEK_CENTS)
    ride(town, ana)
    monday = town.today()
    town.clock.advance(timedelta(days=1))
    taken = town.act("/v1/finance/reversals", "finance", entry_id=sold, reason="Sold by mistake")
    assert taken["outcome"] == "accepted"
    ride(town, ana)
    before, after = settled(town, day=monday), settled(town)
    assert before.due_cents == WEEK_CENTS
    back = next(line for line in after.lines if line.kind == "pass")
    assert (back.passes, back.charged_cents, back.refunded_cents) == (1, 0, WEEK_CENTS)
    late = next(line for line in after.lines if line.late)
    assert (late.fare_day, late.product, late.pass_id, late.charged_cents) == (monday, "bus_ride", "", BUS_CENTS)
    assert after.due_cents == moved(town) == 2 * BUS_CENTS - WEEK_CENTS
    assert [row.action for row in table(town)] == ["Void", "Enter", "Adjust"]


def table(town: Town) -> list[tides.FareTransaction]:
    found = queries.fare_transactions
    return town.run(lambda session: list(found(session, town.city.vault, "loop", town.today())))


def test_the_files_say_the_same(town: Town, ana: Person, buy: Callable[[str, int], str]) -> None:
    buy("bus-week", WEEK_CENTS)
    ride(town, ana)
    found = settled(town)
    rows = list(csv.DictReader(io.StringIO(files.to_csv(found))))
    assert [(row["row"], row["pass_id"], row["rides"], row["passes"], row["due"]) for row in rows] == [
        ("pass", "bus-week", "0", "1", "150.00"),
        ("rides", "bus-week", "1", "0", "0.00"),
        ("total", "", "1", "1", "150.00"),
    ]
    document = files.to_document(found)
    assert [(line["kind"], line["passes"]) for line in document["lines"]] == [("pass", 1), ("rides", 0)]
    sold, ridden = table(town)
    assert (sold.action, sold.amount_cents, sold.product, sold.stop_id) == ("Purchase", WEEK_CENTS, "bus-week", "")
    assert (ridden.action, ridden.amount_cents, ridden.product) == ("Enter", 0, "bus-week")
    assert sold.token == ridden.token
    assert sum(row.amount_cents for row in table(town)) == found.charged_cents - found.refunded_cents
