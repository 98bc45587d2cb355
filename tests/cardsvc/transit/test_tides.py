"""The operators' table of taps: what the standard asks for, exact amounts, and nobody who could be recognised."""

import csv
import io
import json
import subprocess
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from cardsvc.transit.rules import tides
from cardsvc.transit.settling import queries
from crypto.wire.transaction import Purpose
from tests import testdata
from tests.judges.environments import judge_python
from tests.town import Person, Town, tap

P = Purpose.PRESENCE
ONE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
FERRY_CENTS = 25_00
SCHEMA = testdata.vectors("tides-fare-transactions.schema.json")
JUDGE = """
import json, sys
from frictionless import Resource, Schema
schema = Schema.from_descriptor(json.load(open(sys.argv[3])))
report = Resource(path=sys.argv[1], basepath=sys.argv[2], schema=schema).validate()
print(report.tasks[0].stats["rows"], "rows")
print(report.flatten(["rowNumber", "fieldName", "type", "note"]))
sys.exit(0 if report.valid else 1)
"""


def table(town: Town, agency: str = "loop", day: date | None = None) -> str:
    wanted = day or town.today()
    return town.run(
        lambda session: "".join(tides.to_csv(queries.fare_transactions(session, town.city.vault, agency, wanted)))
    )


def rows(town: Town, agency: str = "loop", day: date | None = None) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table(town, agency, day))))


@pytest.fixture
def ana(town: Town) -> Person:
    town.tariff()
    return town.rich_person()


def judged(path: Path) -> subprocess.CompletedProcess[str]:
    command = [judge_python("tides"), "-c", JUDGE, path.name, str(path.parent), str(SCHEMA)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


def a_day(town: Town, ana: Person) -> None:
    """Rides on both networks, one of them taken back."""
    gate = town.validator()
    for cents, network in ((13_00, "bus"), (25_00, "ferry"), (13_00, "bus")):
        town.clock.advance(timedelta(minutes=10))
        sent = gate.send_one(tap(cents, network=network), ana.signs(P))
    back = {"entry_id": str(sent.record_id), "reason": "The gate was broken"}
    assert town.act("/v1/finance/reversals", "finance", **back)["outcome"] == "accepted"


@pytest.mark.judge
@ONE
def test_a_foreign_program_accepts_the_table_by_the_standards_own_schema(
    town: Town, ana: Person, tmp_path: Path
) -> None:
    a_day(town, ana)
    good = tmp_path / "fare_transactions.csv"
    good.write_text(table(town), newline="")
    found = judged(good)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.splitlines()[0] == "3 rows"


@pytest.mark.judge
@ONE
@pytest.mark.parametrize(
    ("old", "new", "says"),
    [("Enter", "Walked in", "constraint-error"), ("13.00", "PHP 13", "type-error"), ("balance", "wallet", "label")],
)
def test_the_foreign_program_refuses_a_table_with_something_wrong(
    town: Town, ana: Person, tmp_path: Path, old: str, new: str, says: str
) -> None:
    a_day(town, ana)
    bad = tmp_path / "fare_transactions.csv"
    bad.write_text(table(town).replace(old, new, 1), newline="")
    found = judged(bad)
    assert found.returncode == 1
    assert says in found.stdout


def test_the_columns_are_the_standards_in_its_order() -> None:
    fields = json.loads(SCHEMA.read_text())["fields"]
    assert tuple(field["name"] for field in fields) == tides.COLUMNS
    [actions] = [field["constraints"]["enum"] for field in fields if field["name"] == "fare_action"]
    assert {action.value for action in tides.FareAction} <= set(actions)


def test_the_amounts_are_exact_and_come_to_what_the_settlement_says(town: Town, ana: Person) -> None:
    a_day(town, ana)
    found = rows(town)
    assert [(row["fare_action"], row["amount"]) for row in found] == [
        ("Enter", "13.00"),
        ("Enter", "13.00"),
        ("Void", "-13.00"),
    ]
    now = town.clock.now()
    settled = town.run(lambda session: queries.settlement(session, "loop", town.today(), now))
    total = sum(Decimal(row["amount"]) for row in found) * 100
    assert total == settled.charged_cents - settled.refunded_cents
    transactions = town.run(
        lambda session: list(queries.fare_transactions(session, town.city.vault, "loop", town.today()))
    )
    text = "".join(tides.to_json(transactions))
    assert '"amount": 13.00' in text
    assert [one["amount"] for one in json.loads(text, parse_float=Decimal)] == [Decimal(row["amount"]) for row in found]
    assert json.loads("".join(tides.to_json([]))) == []


def test_a_rider_is_another_pseudonym_at_each_operator_and_in_each_month(town: Town, ana: Person) -> None:
    a_day(town, ana)
    november = town.today()
    [loop], [ferry] = ({row["token_id"] for row in rows(town, agency)} for agency in ("loop", "ferry"))
    town.clock.advance(timedelta(days=30))
    assert town.validator().send_one(tap(), ana.signs(P)).outcome == "accepted"
    [december] = {row["token_id"] for row in rows(town)}
    assert len({loop, ferry, december}) == 3
    again = {row["token_id"] for row in rows(town, day=november)}
    assert again == {loop}


def test_nobody_is_in_the_table(town: Town, ana: Person) -> None:
    a_day(town, ana)
    text = table(town) + table(town, "ferry")
    card = ana.card.issued.card_id if hasattr(ana.card.issued, "card_id") else ana.resident_id
    for secret in (ana.wallet_id, ana.resident_id, card, ana.number):
        assert str(secret) not in text
        assert str(secret).replace("-", "") not in text
    assert {row["balance"] + row["rider_category"] for row in rows(town)} == {""}
