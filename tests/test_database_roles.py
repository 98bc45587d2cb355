"""The service's role on PostgreSQL: it serves a whole city and owns none of it, so it takes no guard away."""

import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy import Engine
from sqlalchemy.exc import ProgrammingError

from cardsvc import app as application
from cardsvc import audit, cards, db, migrations
from cardsvc.app import commands
from cardsvc.clock import FixedClock
from cardsvc.vault import Vault
from crypto.wire.transaction import Purpose
from tests import builders, postgres
from tests.promised import hold_to_its_document
from tests.town import Town, claim, pay, tap

pytestmark = pytest.mark.postgres
ROLE = "city_service"


@pytest.fixture
def backend() -> str:
    """Roles are PostgreSQL's."""
    return "postgresql"


def _admin(server: postgres.Server, *statements: str) -> None:
    host = str(server.socket_dir)
    with psycopg.connect(host=host, user="cardsvc", dbname="postgres", autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


@pytest.fixture
def owner_url(postgres_server: postgres.Server, fresh_postgres_url: str) -> Iterator[str]:
    _admin(postgres_server, f"DROP ROLE IF EXISTS {ROLE}", f"CREATE ROLE {ROLE} LOGIN")
    yield fresh_postgres_url
    owner = db.make_engine(fresh_postgres_url)
    with owner.begin() as connection:
        connection.exec_driver_sql(f"DROP OWNED BY {ROLE}")
    owner.dispose()
    _admin(postgres_server, f"DROP ROLE {ROLE}")


@pytest.fixture
def service_url(owner_url: str) -> str:
    return owner_url.replace("cardsvc@", f"{ROLE}@")


@pytest.fixture
def served(owner_url: str, service_url: str) -> Iterator[Engine]:
    """The service's engine on a database that its owner migrated."""
    owner, service = db.make_engine(owner_url), db.make_engine(service_url)
    migrations.migrate(owner)
    assert migrations.grant(owner, service) == ROLE
    migrations.grant(owner, service)  # again, as after every migration
    owner.dispose()
    yield service
    service.dispose()


@pytest.fixture
def town(served: Engine, vault: Vault, clock: FixedClock, random_bytes: Callable[[int], bytes]) -> Town:
    city = builders.make_city(served, vault, clock, random_bytes=random_bytes)
    made = application.app_of(city)
    made.testing = True
    hold_to_its_document(made)
    return Town(city, made.test_client(), clock)


def test_a_city_runs_on_it(town: Town) -> None:
    town.tariff()
    ana, kiosk, validator = town.rich_person(), town.kiosk(), town.validator()
    entitlement = town.cycle(ana)[ana.resident_id]
    [bill] = town.bills("100.00", person=ana)
    consent = ana.signs(Purpose.CONSENT)
    assert kiosk.send_one(claim(entitlement), consent).outcome == "accepted"
    assert kiosk.send_one(pay(bill), consent).outcome == "accepted"
    first, second, third = (validator.make(tap(), ana.signs(Purpose.PRESENCE))[1] for _ in range(3))
    for each in ([third], [first], [second]):
        assert validator.send(each)[0].outcome == "accepted"
    town.clock.advance(timedelta(hours=1))  # sooner, it would seem a twin of the ones before
    late = validator.make(tap(), ana.signs(Purpose.PRESENCE))[1]
    again = town.verified(kiosk.send_one(pay(bill), consent)).record_id
    town.run(lambda session: audit.erase(session, [again]))
    town.clock.advance(timedelta(days=31))
    [refused] = validator.send([late])
    given = {"reason": "It counts", "password": builders.PASSWORD}
    path = f"/v1/disputes/{refused.record_id}/settlement"
    assert town.post(path, given, "finance", key=town.key())["outcome"] == "accepted"
    now = town.clock.now()
    town.run(lambda session: cards.expire_due(session, by=builders.OFFICER, now=now))
    assert town.client.get("/v1/policy").status_code == 200
    town.check()


GUARDED = (
    "DROP TRIGGER entry_no_update ON entry",
    "ALTER TABLE entry DISABLE TRIGGER ALL",
    "ALTER TABLE entry OWNER TO city_service",
    "DROP TABLE posting",
    "TRUNCATE entry CASCADE",
    "UPDATE entry SET rule = 'mine'",
    "DELETE FROM entry",
    "UPDATE posting SET amount_cents = 1",
    "DELETE FROM posting",
    "DELETE FROM log_leaf",
    "UPDATE \"transaction\" SET outcome = 'accepted'",
    "UPDATE dispute_decision SET why = ''",
    "UPDATE action_signature SET roles = 'admin'",
    "CREATE TABLE mine (id int)",
    "CREATE OR REPLACE FUNCTION city_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "SET session_replication_role = replica",
    "UPDATE alembic_version SET version_num = '0001'",
)


@pytest.mark.parametrize("statement", GUARDED)
def test_it_takes_no_guard_away_and_changes_no_entry(served: Engine, statement: str) -> None:
    with pytest.raises(ProgrammingError, match=r"permission denied|must be owner"), served.begin() as connection:
        connection.exec_driver_sql(statement)


def test_psql_in_its_name_is_refused_too(served: Engine, service_url: str) -> None:
    served.dispose()
    url = sa.make_url(service_url)
    program = ["psql", "-h", str(url.query["host"]), "-U", ROLE, "-d", str(url.database), "-v", "ON_ERROR_STOP=1", "-c"]
    for statement in ("DROP TRIGGER entry_no_delete ON entry", "DELETE FROM entry"):
        done = subprocess.run([*program, statement], capture_output=True, text=True, check=False)
        assert done.returncode == 1
        assert "permission denied" in done.stderr or "must be owner" in done.stderr, done.stderr


def test_the_command_migrates_as_the_owner_and_grants(
    owner_url: str, service_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CITY_HOME", str(tmp_path))
    monkeypatch.setenv("CITY_DATABASE_URL", service_url)
    runner = CliRunner()
    done = runner.invoke(commands["migrate"], ["--owner-url", owner_url])
    assert done.exit_code == 0, done.output
    assert f"{ROLE} may read, add" in done.output
    assert runner.invoke(commands["migrate"], [], env={"CITY_OWNER_URL": owner_url}).exit_code == 0
    same = runner.invoke(commands["migrate"], ["--owner-url", service_url])
    assert isinstance(same.exception, migrations.SameRole)


def test_sqlite_has_no_roles(tmp_path: Path, served: Engine) -> None:
    sqlite = db.make_engine(f"sqlite:///{tmp_path / 'city.db'}")
    with pytest.raises(migrations.NotPostgresql):
        migrations.grant(sqlite, served)
