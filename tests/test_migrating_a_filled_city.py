"""A city that was filled at revision 0005 takes every later revision, and its books and proofs hold as before."""

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import audit, db, ledger, migrations, transactions
from cardsvc.transactions.queries import walk
from crypto.wire.transaction import Purpose
from tests.town import Town, claim, pay, tap

OLDER = "0005"


@pytest.fixture
def older(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An empty database of revision 0005."""
    sqlite = f"sqlite:///{tmp_path / 'older.sqlite'}"
    engine = db.make_engine(sqlite if backend == "sqlite" else str(request.getfixturevalue("fresh_postgres_url")))
    with engine.begin() as connection:
        command.upgrade(migrations._config(connection), OLDER)
    yield engine
    engine.dispose()


def live(town: Town) -> UUID:
    """Money fetched and paid in, rides (one owed), a benefit, a tax, and a ride taken back; returns that entry's id."""
    town.tariff()
    till = town.till()
    ana, ben, validator, kiosk = town.rich_person(till=till), town.person(), town.validator(), town.kiosk()
    for person in (ana, ben, ana):
        validator.add(tap(), person.signs(Purpose.PRESENCE))
    rides = validator.send()
    assert {ride.outcome for ride in rides} == {"accepted"}
    entitlement = town.cycle(ana)[ana.resident_id]
    assert kiosk.send_one(claim(entitlement), ana.signs(Purpose.CONSENT)).outcome == "accepted"
    [bill] = town.bills("100.00", person=ana)
    assert kiosk.send_one(pay(bill), ana.signs(Purpose.CONSENT)).outcome == "accepted"
    back = town.act("/v1/finance/reversals", "finance", entry_id=str(rides[0].record_id), reason="A wrong gate")
    assert back["outcome"] == "accepted"
    town.run(lambda session: audit.publish(session, town.city.vault, town.clock.now()))
    return UUID(back["record_id"])


def copy(source: Engine, target: Engine) -> dict[str, int]:
    """Every row of the tables and columns that the older schema has, as they are stored; how many of each table."""
    old, new = sa.MetaData(), sa.MetaData()
    old.reflect(target)
    new.reflect(source, only=[name for name in old.tables if name != "alembic_version"])
    copied: dict[str, int] = {}
    with source.connect() as reading, target.begin() as writing:
        for table in old.sorted_tables:
            if table.name == "alembic_version":
                continue
            columns = [new.tables[table.name].c[column.name] for column in table.columns]
            rows = [dict(row._mapping) for row in reading.execute(sa.select(*columns))]
            if rows:  # in one statement: the database looks at the sum of each entry after it
                writing.execute(sa.insert(table).values(rows))
            copied[table.name] = len(rows)
        if target.dialect.name == "postgresql":
            writing.exec_driver_sql("SELECT setval(pg_get_serial_sequence('account', 'id'), max(id)) FROM account")
    return copied


def without_notes(town: Town) -> set[UUID]:
    """The entries that a program of then would have hashed as one of now does: it kept no notes and no other date."""
    return {each.entry_id for each in town.run(ledger.entries) if not each.metadata and each.booked_on is None}


def test_a_filled_city_of_revision_0005_arrives_whole(town: Town, older: Engine) -> None:
    reversal = live(town)
    copied = copy(town.city.engine, older)
    for table in ("account", "balance", "entry", "posting", "transaction", "batch", "log_leaf", "checkpoint"):
        assert copied[table], table
    migrations.migrate(older)
    assert migrations.is_current(older)
    assert migrations.differences(older) == []
    for table, count in copied.items():
        with older.connect() as connection:
            assert connection.exec_driver_sql(f'SELECT count(*) FROM "{table}"').scalar_one() == count, table

    plain = without_notes(town)
    assert len(plain) >= copied["entry"] // 2

    def prove(session: Session) -> None:
        assert ledger.check_books(session).entries == copied["entry"]
        audit.check_log(session, town.city.vault.city_keys().logs, source=transactions.contents)
        found = {stored.record_id: stored.entry_hash for stored in walk(session)}
        assert len(found) == copied["transaction"]
        for entry in ledger.entries(session):
            assert entry.entry_id not in plain or entry.entry_hash == found[entry.entry_id]

    db.run(older, prove, read_only=True)
    before = town.run(ledger.trial_balance)
    assert db.run(older, ledger.trial_balance, read_only=True) == before
    db.run(older, ledger.take_all_snapshots)
    assert db.run(older, ledger.trial_balance, read_only=True) == before
    db.run(older, prove, read_only=True)

    def post(session: Session) -> None:
        """The ride is charged again: the functions and triggers of now work on the rows of then."""
        entry = ledger.entry(session, reversal)
        again = tuple(ledger.Line(line.account, -line.amount_cents) for line in entry.lines)
        draft = ledger.Draft(town.key(), ledger.EntryKind.ADJUSTMENT, again, town.clock.now(), "test/again/1")
        place = audit.next_index(session)
        [answer] = ledger.post(session, [draft], first_seq=place, recorded_at=town.clock.now())
        assert isinstance(answer, ledger.Posted), answer

    db.run(older, post)
    db.run(older, ledger.check_books, read_only=True)


@pytest.mark.parametrize("statement", ["UPDATE entry SET rule = 'x'", "DELETE FROM posting"])
def test_what_was_kept_then_is_guarded_still(town: Town, older: Engine, statement: str) -> None:
    live(town)
    copy(town.city.engine, older)
    migrations.migrate(older)
    with older.connect() as connection, pytest.raises(DBAPIError, match="append-only"):
        connection.exec_driver_sql(statement)
