"""Whole books move into a city that has none, and are marked there as what they are."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from cardsvc import app, audit, db, ledger, web
from cardsvc.ledger import queries
from tests import builders
from tests.fixtures.databases import Copies
from tests.town import Town


@pytest.fixture
def text(town: Town) -> str:
    """The books of a town where money moved, some of it taken back."""
    town.fund(50_000_00)
    town.withdraw(20_000_00)
    till = town.till()
    town.rich_person(till=till)
    town.rich_person(300_00, till=till)
    town.rich_person(700_00, till=till)
    return town.run(lambda session: "".join(queries.whole_books(session)))


@pytest.fixture
def other(_copies: Copies, city: web.City) -> Iterator[web.City]:
    """Another city, only just made, with a treasurer."""
    with _copies.engine() as engine:
        made = builders.make_city(engine, city.vault, city.clock, random_bytes=city.random_bytes)
        now = city.clock.now()
        db.run(engine, lambda session: builders.make_staff(session, now, "treasurer", username="treasurer"))
        yield made


@pytest.fixture
def take(other: web.City, tmp_path: Path) -> Callable[..., Result]:
    """Runs `ledger import` in the other city."""

    def run(text: str, *options: str, by: str = "treasurer") -> Result:
        file = tmp_path / "books.jsonl"
        file.write_text(text)
        arguments = ["import", str(file), "--by", by, "--json", *options]
        command = app.commands["ledger"]
        return CliRunner().invoke(command, arguments, obj=lambda: other, input=f"{builders.PASSWORD}\n")

    return run


def said(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, (result.output, result.exception)
    found: dict[str, object] = json.loads(result.stdout.splitlines()[-1])
    return found


def test_the_books_are_the_same_there_and_not_proved(
    town: Town, other: web.City, text: str, take: Callable[..., Result]
) -> None:
    assert said(take(text, "--dry-run"))["dry_run"] is True
    with db.unit_of_work(other.engine) as session:
        assert ledger.count_entries(session) == 0
    first = said(take(text))
    assert first["again"] is False
    assert said(take(text)) == {**first, "again": True}
    with db.unit_of_work(other.engine, read_only=True) as session:
        there = ledger.entries(session, limit=1000)
        assert ledger.check_imports(session) == queries.moving.ImportsChecked(len(there), 1)
        ledger.check_books(session)
        assert [one.seq for one in there] == list(range(-len(there), 0))
        assert audit.next_index(session) == 0
        balance = ledger.trial_balance(session, by_account=True)
        again = "".join(queries.whole_books(session))
    here = town.run(lambda session: ledger.entries(session, limit=1000))
    assert [one.entry_hash for one in there] == [one.entry_hash for one in here]
    assert balance.lines == town.run(lambda session: ledger.trial_balance(session, by_account=True)).lines

    def books(text: str) -> list[str]:
        return sorted(line for line in text.splitlines() if line.startswith(('{"account"', '{"entry"')))

    assert books(again) == books(text)


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        (lambda lines: lines[:-1], None, "cut off"),
        (lambda lines: [lines[0].replace("1", "2"), *lines[1:]], 1, "version 2"),
        (lambda lines: [*lines[:-2], "nonsense\n", *lines[-1:]], -2, "Expecting value"),
        (lambda lines: [*lines[:-2], *lines[-1:]], None, "it counts"),
        (lambda lines: [line.replace('"rule":"', '"rule":"x') for line in lines], None, "its hash"),
        (lambda lines: [*lines, *lines[-1:]], None, "nothing may follow"),
    ],
)
def test_books_with_a_fault_are_not_taken_at_all_and_the_line_is_named(
    other: web.City,
    text: str,
    take: Callable[..., Result],
    change: Callable[[list[str]], list[str]],
    line: int | None,
    problem: str,
) -> None:
    lines = text.splitlines(keepends=True)
    result = take("".join(change(lines)))
    assert result.exit_code != 0
    why = str(result.exception) + result.output
    assert problem in why
    if line is not None:
        assert f"Line {line if line > 0 else len(lines) + line + 1}:" in why
    with db.unit_of_work(other.engine, read_only=True) as session:
        assert ledger.count_entries(session) == 0


def test_a_city_with_books_takes_no_others_and_an_import_nobody_signed_is_found(
    town: Town, city: web.City, other: web.City, text: str, take: Callable[..., Result]
) -> None:
    said(take(text))
    more = take(text.replace('"accounts"', ' "accounts"'))
    assert "only just made" in str(more.exception) + more.output
    with db.unit_of_work(other.engine) as session:
        on_table = "" if session.get_bind().dialect.name == "sqlite" else " ON ledger_import"
        session.execute(sa.text(f"DROP TRIGGER ledger_import_no_update{on_table}"))
        session.execute(sa.text("UPDATE ledger_import SET entries = entries - 1"))
    with db.unit_of_work(other.engine, read_only=True) as session, pytest.raises(ledger.BooksDoNotBalance):
        ledger.check_imports(session)
