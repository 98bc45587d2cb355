"""The demo city: deterministic, whole in its books, and with something on every page."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine

from cardsvc import app as service
from cardsvc import benefits, db, residents, taxes, wallets
from cardsvc.clock import business_date
from cardsvc.settings import Environment
from demo.cast import FINANCE
from demo.city import load as loading
from demo.city.desk import InProcess
from demo.city.holders import HOLDERS, PIN
from demo.office import Office
from demo.processes import ROOT, environment
from terminals.card import LocalReader, PivSession, SimulatedCard, Slot
from tests.demo.conftest import TODAY, Loaded, settings_at


def rows(engine: Engine, statement: str) -> Sequence[Any]:
    with engine.connect() as connection:
        return connection.execute(sa.text(statement)).all()


def test_the_books_and_the_log_of_the_demo_city_hold(loaded: Loaded) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "check", "--json"],
        env={**environment(HOME=str(loaded.settings.home)), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        check=False,
    )
    found = json.loads(done.stdout)
    assert done.returncode == 0, found
    assert found["transactions"]["transactions"] > 1_000


def test_declines_reversals_and_one_unmatched_bank_line_are_there(loaded: Loaded) -> None:
    engine = loaded.city.engine
    refused = {reason for (reason,) in rows(engine, 'SELECT reason FROM "transaction" WHERE reason IS NOT NULL')}
    assert "insufficient_funds" in refused
    assert loaded.summary.declined > 0
    assert rows(engine, "SELECT count(*) FROM entry WHERE reverses IS NOT NULL")[0][0] >= 1
    states = dict(rows(engine, "SELECT state, count(*) FROM statement_line GROUP BY state"))
    assert states["open"] == 1
    assert states["matched"] > 10


def test_the_trial_balance_is_zero(loaded: Loaded) -> None:
    office = Office(InProcess(service.app_of(loaded.city)))
    assert office.call("GET", "/v1/finance/trial-balance", FINANCE)["difference_cents"] == 0


@pytest.mark.parametrize("number", range(len(HOLDERS)), ids=[holder.name for holder in HOLDERS])
def test_a_holder_of_a_demo_card_has_money_a_claim_and_a_bill(loaded: Loaded, number: int) -> None:
    with db.unit_of_work(loaded.city.engine, read_only=True) as session:
        resident = residents.find_by_number(session, residents.number_of(number + 1))
        assert resident.family_name == HOLDERS[number].person.family_name
        assert wallets.summary(session, wallets.of_resident(session, resident.id).id).balance_cents > 0
        assert benefits.due(session, resident.id, business_date(TODAY))
        assert taxes.open_bills(session, resident.id)


def test_a_demo_card_is_a_whole_card_with_the_demo_pin(loaded: Loaded) -> None:
    reader = LocalReader()
    reader.insert(SimulatedCard.from_file(HOLDERS[0].card_file(loaded.settings.home)))
    with PivSession(reader.connect()) as session:
        session.select()
        session.verify_pin(bytearray(PIN.encode()))
        for slot in Slot:
            assert session.read_certificate(slot)


def test_one_resident_signs_in_on_the_web(loaded: Loaded) -> None:
    office = Office(InProcess(service.app_of(loaded.city)))
    holder = next(holder for holder in HOLDERS if holder.signs_in)
    given = {"username": holder.name, "password": holder.password}
    assert office.call("POST", "/v1/sign-in", json_body=given)["staff_id"] is None


def test_the_same_seed_makes_the_same_city(tmp_path: Path) -> None:
    def made(name: str) -> list[Sequence[Any]]:
        settings = settings_at(tmp_path / name)
        loading.load(settings, seed=3, count=20, today=TODAY, say=lambda _: None, days=2)
        engine = db.make_engine(settings.database_url)
        try:
            return [
                rows(engine, "SELECT number, family_name, given_name, birth_date FROM resident ORDER BY number"),
                rows(engine, "SELECT id, resident_id, state FROM card ORDER BY id"),
                rows(engine, 'SELECT record_id, outcome, reason, amount_cents FROM "transaction" ORDER BY record_id'),
            ]
        finally:
            engine.dispose()

    assert made("first") == made("second")


def test_the_demo_city_loads_into_postgresql(tmp_path: Path, fresh_postgres_url: str) -> None:
    settings = settings_at(tmp_path / "city", fresh_postgres_url)
    assert loading.load(settings, seed=3, count=20, today=TODAY, say=lambda _: None, days=1).accepted > 0


def test_a_city_that_is_not_empty_is_left_alone(loaded: Loaded) -> None:
    before = rows(loaded.city.engine, "SELECT count(*) FROM resident")
    with pytest.raises(loading.CityNotEmpty):
        loading.load(loaded.settings, seed=7, count=20, today=TODAY, say=lambda _: None)
    assert rows(loaded.city.engine, "SELECT count(*) FROM resident") == before


def test_a_city_in_production_gets_no_demo_data(tmp_path: Path) -> None:
    settings = dataclasses.replace(settings_at(tmp_path / "city"), env=Environment.PRODUCTION)
    with pytest.raises(loading.NoDemoInProduction):
        loading.load(settings, seed=7, count=20, today=TODAY, say=lambda _: None)
    assert not (tmp_path / "city").exists()
