"""What `check_transactions` finds when somebody with the database's password was at work."""

import pytest
import sqlalchemy as sa

from cardsvc import db, transactions
from crypto.wire.transaction import Purpose
from tests.town import Terminal, Town, tap

P = Purpose.PRESENCE


@pytest.fixture
def validator(town: Town) -> Terminal:
    town.tariff()
    return town.validator()


def tampered(town: Town, table: str, *statements: str) -> str:
    """What `check_transactions` says after somebody with the database's password was at work."""
    with town.city.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        else:
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_update")
            connection.exec_driver_sql(f"DROP TRIGGER {table}_no_delete")
        for statement in statements:
            assert connection.execute(sa.text(statement)).rowcount == 1
    with pytest.raises(transactions.UnprovedEntry) as caught, db.unit_of_work(town.city.engine) as session:
        transactions.check_transactions(session, town.city.vault)
    return str(caught.value)


@pytest.fixture
def tapped(town: Town, validator: Terminal) -> Town:
    """A town with three taps of two people, the last one refused."""
    ana, ben = town.person(), town.person()
    validator.add(tap(), ana.signs(P))
    validator.add(tap(), ben.signs(P))
    validator.add(tap(currency="USD"), ana.signs(P))
    validator.send()
    assert town.check() == transactions.TransactionsChecked(3, 2, 3, 1)
    return town


def test_changed_record_bytes_are_found(tapped: Town) -> None:
    other = '(SELECT record_bytes FROM "transaction" WHERE leaf_index = 0)'
    said = tampered(tapped, "transaction", f'UPDATE "transaction" SET record_bytes = {other} WHERE leaf_index = 1')
    assert "its bytes are not those that were signed" in said


def test_a_changed_signature_is_found(tapped: Town) -> None:
    other = '(SELECT authorisations FROM "transaction" WHERE leaf_index = 0)'
    said = tampered(tapped, "transaction", f'UPDATE "transaction" SET authorisations = {other} WHERE leaf_index = 1')
    assert "its presence signature does not verify" in said or "somebody else's name" in said


def test_a_record_kept_under_another_name_is_found(tapped: Town) -> None:
    other = '(SELECT card_id FROM "transaction" WHERE leaf_index = 0)'
    said = tampered(tapped, "transaction", f'UPDATE "transaction" SET card_id = {other} WHERE leaf_index = 1')
    assert "kept under somebody else's name" in said


def test_another_time_is_found(tapped: Town) -> None:
    said = tampered(tapped, "transaction", 'UPDATE "transaction" SET happened_at = 5 WHERE leaf_index = 1')
    assert "not kept as what it says" in said


def test_a_missing_entry_is_found(tapped: Town) -> None:
    assert "has no entry" in tampered(tapped, "entry", "DELETE FROM entry WHERE seq = 1")


def test_a_changed_entry_is_found(tapped: Town) -> None:
    assert "not the one that was logged" in tampered(tapped, "entry", "UPDATE entry SET rule = 'x' WHERE seq = 0")


@pytest.mark.parametrize("seq", [2, 99])  # where a record was refused, and behind the log's end
def test_an_extra_entry_is_found(tapped: Town, seq: int) -> None:
    columns = "kind, currency, happened_at, recorded_at, rule"
    made = "gen_random_uuid()" if tapped.city.engine.dialect.name == "postgresql" else "randomblob(16)"
    said = tampered(
        tapped,
        "entry",
        f"INSERT INTO entry (id, seq, {columns}) SELECT {made}, {seq}, {columns} FROM entry WHERE seq = 0",
    )
    assert "was never accepted" in said


def test_an_accepted_record_made_refused_is_found(tapped: Town) -> None:
    said = tampered(
        tapped,
        "transaction",
        "UPDATE \"transaction\" SET outcome = 'rejected', reason = 'too_old', entry_hash = NULL WHERE leaf_index = 1",
    )
    assert "was never accepted" in said


def test_a_changed_batch_is_found(tapped: Town) -> None:
    said = tampered(tapped, "batch", 'UPDATE batch SET bytes = (SELECT record_bytes FROM "transaction" LIMIT 1)')
    assert "its batch does not verify" in said
