"""hledger, ledger-cli and beancount read the journal and come to the same balances, of any books at all."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db, ledger
from cardsvc.ledger import queries
from cardsvc.ledger.rules import foreign
from crypto.wire.transaction import Purpose
from tests.judges.plain_text import JUDGES, Refused
from tests.town import Town, tap

AT = datetime(2026, 11, 2, tzinfo=UTC)
DAY = timedelta(days=1)
# What can be a code: no spaces. Some that other programs would take for something else are always among them.
CODES = st.one_of(
    st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=12),
    st.sampled_from(
        ["a", "a:b", "a::b", ":", "A:b", "a;b", "(a)", "[a]", "a=b", "@a", "100", "%41", "bank:main", "ñ:ß", '"', "~"]
    ),
)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20).filter(str.isprintable),
    st.sampled_from(["[2026-01-01]", "a, b: c", 'say "\\', "key:: 1+1", ":tag:", "; x", "date:2020-01-01", "=1"]),
)


@st.composite
def books(draw: st.DrawFn) -> tuple[list[ledger.AccountSpec], list[ledger.Draft]]:
    """A few accounts of all kinds and funds, and entries over them: late, back-dated, big, reversed."""
    codes = draw(st.lists(CODES.filter(str.isprintable), min_size=2, max_size=6, unique=True))
    specs = [
        ledger.AccountSpec(
            code,
            draw(st.sampled_from(ledger.AccountKind)),
            draw(st.sampled_from(ledger.AccountPolicy)),
            draw(st.sampled_from(ledger.Fund)),
        )
        for code in codes
    ]
    drafts: list[ledger.Draft] = []
    for number in range(draw(st.integers(0, 6))):
        amounts = draw(st.lists(st.one_of(st.integers(1, 500), st.integers(10**15, 10**16)), min_size=1, max_size=4))
        lines = [ledger.Line(draw(st.sampled_from(codes)), cents * draw(st.sampled_from((1, -1)))) for cents in amounts]
        rest = -sum(line.amount_cents for line in lines)
        lines += [ledger.Line(draw(st.sampled_from(codes)), rest)] if rest else []
        drafts.append(
            ledger.Draft(
                UUID(int=number + 1),
                draw(st.sampled_from(ledger.EntryKind)),
                tuple(lines),
                AT - draw(st.sampled_from((0, 3, 40))) * DAY,
                "rule: 1",
                booked_on=draw(st.sampled_from((None, date(2026, 10, 31), date(2026, 11, 30), date(2020, 2, 29)))),
                metadata=tuple(sorted(draw(st.dictionaries(TEXTS, TEXTS, max_size=2)).items())),
            )
        )
    return specs, drafts


def post(session: Session, specs: Sequence[ledger.AccountSpec], drafts: Sequence[ledger.Draft]) -> None:
    ledger.open_accounts(session, specs, AT)
    for number, draft in enumerate(drafts):
        ledger.post(session, [draft], first_seq=number, recorded_at=AT + number * DAY / 3)  # some are refused


def ours(session: Session, tool: foreign.Tool, fund: ledger.Fund | None, by: date | None) -> dict[str, int]:
    """Our trial balance under the names of the tool, without what is zero."""
    names = foreign.Names.make(tool, queries.exporting.accounts(session))
    lines = ledger.trial_balance(session, by_account=True, fund=fund, booked_by=by).lines
    found = {names.of[line.code]: line.debit_cents - line.credit_cents for line in lines}
    return {name: cents for name, cents in found.items() if cents}


def judged(session: Session, tool: foreign.Tool, folder: Path, **wanted: object) -> dict[str, int]:
    journal = folder / f"books.{tool}"
    journal.write_text("".join(queries.journal(session, tool, **wanted)))  # type: ignore[arg-type]
    return {name: cents for name, cents in JUDGES[tool](journal).items() if cents}


@pytest.mark.judge
@pytest.mark.parametrize("tool", foreign.Tool)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=books())
def test_the_tools_agree_on_every_balance_of_any_books(
    engine: Engine, tmp_path: Path, tool: foreign.Tool, made: tuple[list[ledger.AccountSpec], list[ledger.Draft]]
) -> None:
    with db.open_session(engine) as session:  # never committed: each example starts from nothing
        post(session, *made)
        assert judged(session, tool, tmp_path) == ours(session, tool, None, None)
        assert judged(session, tool, tmp_path, fund=ledger.Fund.TRUST) == ours(session, tool, ledger.Fund.TRUST, None)
        october = ledger.Span(date(2026, 10, 1), date(2026, 11, 1))
        assert judged(session, tool, tmp_path, span=october) == ours(session, tool, None, date(2026, 11, 1))


@pytest.mark.judge
@pytest.mark.parametrize("tool", foreign.Tool)
def test_the_tools_agree_on_every_fund_of_a_town(town: Town, tmp_path: Path, tool: foreign.Tool) -> None:
    town.fund()
    town.withdraw()
    till = town.till()
    town.tariff()
    people = [town.rich_person(cents, till=till) for cents in (10_000_00, 30_00)]
    town.cycle(*people)
    gate = town.validator()
    for person in people:
        for _ in range(3):
            gate.send_one(tap(), person.signs(Purpose.PRESENCE))
            town.clock.advance(timedelta(hours=9))

    def work(session: Session) -> None:
        assert ledger.count_entries(session) > 10
        for fund in (None, *ledger.Fund):
            assert judged(session, tool, tmp_path, fund=fund) == ours(session, tool, fund, None)
        day = ledger.Span(date(2026, 11, 3), date(2026, 11, 3))
        assert judged(session, tool, tmp_path, span=day) == ours(session, tool, None, date(2026, 11, 3))

    town.run(work)


@pytest.fixture
def fare(session: Session) -> Session:
    kinds, funds = ledger.AccountKind, ledger.Fund
    specs = [
        ledger.AccountSpec("bank:main", kinds.ASSET, ledger.AccountPolicy.CHECKED, funds.GENERAL),
        ledger.AccountSpec("wallet:a:main", kinds.LIABILITY, ledger.AccountPolicy.CHECKED, funds.TRUST),
    ]
    lines = ledger.Line("bank:main", 12345), ledger.Line("wallet:a:main", -12345)
    said = (("payee", "=HYPERLINK(1)"),)
    post(session, specs, [ledger.Draft(UUID(int=1), ledger.EntryKind.FUNDING, lines, AT, "=rule", metadata=said)])
    return session


@pytest.mark.judge
@pytest.mark.parametrize("tool", foreign.Tool)
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param((r"123\.45\b", "123.46"), id="a line with another amount"),
        pytest.param((r"(?s)(.*)123\.45", r"\g<1>123.54"), id="a balance that is not the books'"),
        pytest.param((r"(?m)^\d{4}.*funding(?s:.*?)\n\n", ""), id="an entry left out"),
    ],
)
def test_each_tool_refuses_a_journal_with_a_fault(
    fare: Session, tmp_path: Path, tool: foreign.Tool, fault: tuple[str, str]
) -> None:
    text = "".join(queries.journal(fare, tool))
    planted = re.sub(*fault, text, count=1)
    assert planted != text
    journal = tmp_path / "books"
    journal.write_text(planted)
    with pytest.raises(Refused):
        JUDGES[tool](journal)


def test_csv_is_what_rfc_4180_says_and_holds_no_formula(fare: Session) -> None:
    text = "".join(queries.csv_journal(fare))
    assert text.count("\r\n") == 5
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [(row["account"], row["debit"], row["credit"], row["fund"]) for row in rows] == [
        ("bank:main", "123.45", "", "general"),
        ("wallet:a:main", "", "123.45", "trust"),
        ("interfund:general", "", "123.45", "general"),
        ("interfund:trust", "123.45", "", "trust"),
    ]
    assert {row["rule"] for row in rows} == {"'=rule"}
    assert {row["metadata"] for row in rows} == {'{"payee": "=HYPERLINK(1)"}'}
    only = list(csv.DictReader(io.StringIO("".join(queries.csv_journal(fare, fund=ledger.Fund.TRUST)), newline="")))
    assert [row["account"] for row in only] == ["wallet:a:main", "interfund:trust"]
