"""What the database itself refuses, whoever asks it."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import db, ledger

AT = datetime(2026, 11, 2, tzinfo=UTC)
ACCOUNT = "INSERT INTO account (code, kind, policy, fund, floor_cents, currency, opened_at)"


@pytest.fixture
def books(session: Session) -> Session:
    """Two accounts, one of them with a floor of 0, and an entry of 10 between them."""
    fill(session)
    return session


def fill(session: Session) -> None:
    ledger.open_accounts(
        session,
        [
            ledger.AccountSpec("a", ledger.AccountKind.ASSET, ledger.AccountPolicy.CHECKED, ledger.Fund.GENERAL, 0),
            ledger.AccountSpec("b", ledger.AccountKind.EQUITY, ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL),
        ],
        AT,
    )
    draft = ledger.Draft(
        UUID(int=1), ledger.EntryKind.FUNDING, (ledger.Line("a", 10), ledger.Line("b", -10)), AT, "test"
    )
    ledger.post(session, [draft], first_seq=7, recorded_at=AT)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET rule = 'other'",
        "UPDATE entry SET rule = rule",
        "DELETE FROM entry",
        "UPDATE posting SET amount_cents = 11",
        "DELETE FROM posting",
        "UPDATE balance SET balance_cents = -1",
        "INSERT INTO posting (account_id, entry_seq, line, amount_cents) VALUES (1, 7, 2, 0)",
        f"{ACCOUNT} VALUES ('a', 'asset', 'derived', 'sef', NULL, 'PHP', 0)",
        f"{ACCOUNT} VALUES ('c', 'magic', 'derived', 'sef', NULL, 'PHP', 0)",
        f"{ACCOUNT} VALUES ('c', 'asset', 'derived', 'sef', 0, 'PHP', 0)",
    ],
)
def test_the_database_refuses(books: Session, statement: str) -> None:
    with pytest.raises(DBAPIError), books.begin_nested():
        books.execute(sa.text(statement))
    ledger.check_books(books)


def test_an_entry_is_reversed_once_by_the_database_too(books: Session) -> None:
    bound = {"one": UUID(int=1), "two": UUID(int=2), "three": UUID(int=3)}
    insert = sa.text(
        "INSERT INTO entry (id, seq, kind, currency, happened_at, recorded_at, rule, reverses)"
        " VALUES (:two, 8, 90, 'PHP', 0, 0, '', :one), (:three, 9, 90, 'PHP', 0, 0, '', :one)"
    ).bindparams(*(sa.bindparam(name, value, db.Id()) for name, value in bound.items()))
    with pytest.raises(DBAPIError, match=r"reverses"), books.begin_nested():
        books.execute(insert)


@pytest.mark.postgres
def test_postgresql_refuses_lines_that_do_not_sum_to_zero_even_on_an_old_entry(books: Session) -> None:
    if books.get_bind().dialect.name == "sqlite":
        return  # SQLite has no triggers on statements: check_books finds it, see below
    for entry_seq in (7, 8):
        with pytest.raises(DBAPIError, match="sums to zero"), books.begin_nested():
            books.execute(sa.text(f"INSERT INTO posting VALUES (1, {entry_seq}, 5, 3), (2, {entry_seq}, 6, -4)"))


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE posting SET amount_cents = 11 WHERE amount_cents = 10", "entry 7 "),
        ("DELETE FROM posting WHERE amount_cents = 10", "entry 7 "),
        ("DELETE FROM posting", "entry 7 "),
        ("DELETE FROM entry", "entry 7,"),
        ("UPDATE posting SET account_id = 99 WHERE amount_cents = -10", "entry 7 "),
        ("UPDATE account SET currency = 'USD' WHERE code = 'b'", "entry 7 "),
        ("UPDATE balance SET balance_cents = 11", "account a "),
        ("UPDATE balance SET floor_cents = NULL", "account a "),
        ("DELETE FROM balance", "account a "),
        ("UPDATE account SET kind = 'liability' WHERE code = 'a'", "account a "),
    ],
)
def test_check_books_finds_what_the_guards_did_not_see(engine: Engine, tampering: str, found: str) -> None:
    on_table = "" if engine.dialect.name == "sqlite" else " ON {}"
    with db.unit_of_work(engine) as session:
        fill(session)
        assert ledger.check_books(session) == ledger.BooksChecked(entries=1, postings=2, accounts=2)
        for table in ("entry", "posting"):
            for verb in ("update", "delete"):
                session.execute(sa.text(f"DROP TRIGGER {table}_no_{verb}{on_table.format(table)}"))
        session.execute(sa.text(tampering))
    with db.unit_of_work(engine, read_only=True) as session, pytest.raises(ledger.BooksDoNotBalance, match=found):
        ledger.check_books(session)
