"""The books from the command line, and hledger's opinion of them."""

import json
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from cardsvc import db, ledger, web
from cardsvc.clock import FixedClock
from cardsvc.ledger.commands import ledger as command
from cardsvc.settings import Environment, Settings
from cardsvc.vault import Vault
from tests.judges import plain_text

AT = datetime(2026, 11, 2, tzinfo=UTC)


@pytest.fixture
def books(engine: Engine, vault: Vault, clock: FixedClock, tmp_path: Path) -> web.City:
    """A city whose books hold a little of everything: each kind of account, cents, a big amount, a reversal."""
    settings = Settings(
        env=Environment.TEST,
        home=tmp_path,
        database_url=str(engine.url),
        city_name="Maharlika City",
        log_origin=vault.log_origin,
        public_url="http://127.0.0.1",
        vault_passphrase="not needed",
        bind_host="127.0.0.1",
        port=0,
    )
    kinds = ledger.AccountKind
    specs = [
        ledger.AccountSpec(code, kind, ledger.AccountPolicy.CHECKED, ledger.Fund.GENERAL)
        for code, kind in (
            ("bank:main", kinds.ASSET),
            ("wallet:0190a3b5-7c1e-4d2f-8a9b-0c1d2e3f4a5b:main", kinds.LIABILITY),
            ("equity:general", kinds.EQUITY),
            ("revenue:transit", kinds.REVENUE),
            ("cash:over-short", kinds.EXPENSE),
        )
    ]
    codes = [spec.code for spec in specs]

    def draft(number: int, amounts: list[int], reverses: UUID | None = None) -> ledger.Draft:
        lines = tuple(ledger.Line(code, cents) for code, cents in zip(codes, amounts, strict=True) if cents)
        return ledger.Draft(UUID(int=number), ledger.EntryKind.ADJUSTMENT, lines, AT, "test", reverses=reverses)

    drafts = [
        draft(1, [10**15 + 1, 0, -(10**15) - 1, 0, 0]),
        draft(2, [-1305, 1200, 0, 0, 105]),
        draft(3, [0, 5, 0, -5, 0]),
        draft(4, [1305, -1200, 0, 0, -105], reverses=UUID(int=2)),
        draft(5, [250, -1, -100, -199, 50]),
    ]
    with db.unit_of_work(engine) as session:
        ledger.open_accounts(session, specs, AT)
        for number, one in enumerate(drafts):
            recorded_at = AT + timedelta(hours=9 * number)
            [posted] = ledger.post(session, [one], first_seq=number, recorded_at=recorded_at)
            assert isinstance(posted, ledger.Posted)
    return web.City(settings, clock, engine, vault, handlers=None, random_bytes=secrets.token_bytes)


def run(city: web.City, *arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments), obj=lambda: city)


def test_the_trial_balance_is_printed_for_people_and_for_programs(books: web.City) -> None:
    shown = run(books, "trial-balance")
    assert shown.exit_code == 0
    assert "wallet:*:main" in shown.output
    assert shown.output.endswith("difference: ₱0.00\n")
    said = json.loads(run(books, "trial-balance", "--json", "--by-account").output)
    assert said["difference_cents"] == 0
    assert sum(line["debit_cents"] for line in said["lines"]) == sum(line["credit_cents"] for line in said["lines"])
    assert len(said["lines"]) == 5


@pytest.mark.judge
@pytest.mark.parametrize("tool", ["hledger", "ledger", "beancount"])
def test_what_is_exported_is_read_by_the_tool_which_agrees_with_the_trial_balance(
    books: web.City, tmp_path: Path, tool: str
) -> None:
    journal = tmp_path / "books.journal"
    assert run(books, "export", tool, "--out", str(journal)).exit_code == 0
    theirs = sorted(cents for cents in plain_text.JUDGES[tool](journal).values() if cents)
    with db.unit_of_work(books.engine, read_only=True) as session:
        lines = ledger.trial_balance(session, by_account=True).lines
    assert theirs == sorted(
        line.debit_cents - line.credit_cents for line in lines if line.debit_cents + line.credit_cents
    )


def test_an_export_is_cut_to_a_month_or_to_days(books: web.City) -> None:
    assert run(books, "export", "csv", "--month", "2026-11").output.count("\n") == 16
    assert run(books, "export", "csv", "--from", "2026-11-03").output.count("\n") == 11
    assert run(books, "export", "csv", "--month", "2026-11", "--to", "2026-11-03").exit_code == 2
    assert run(books, "export", "csv", "--month", "2026-13").exit_code == 1


def test_the_trial_balance_is_that_of_a_fund_a_place_or_a_day(books: web.City) -> None:
    now = json.loads(run(books, "trial-balance", "--json").output)
    same = json.loads(run(books, "trial-balance", "--json", "--at", "4", "--from-entries").output)
    assert same["lines"] == now["lines"]
    assert json.loads(run(books, "trial-balance", "--json", "--fund", "sef").output)["lines"] == []
    first = json.loads(run(books, "trial-balance", "--json", "--at", "0").output)
    assert [line["debit_cents"] for line in first["lines"] if line["debit_cents"]] == [10**15 + 1]
    assert json.loads(run(books, "trial-balance", "--json", "--on", "2026-11-01").output)["lines"] == []
