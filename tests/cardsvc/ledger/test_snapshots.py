"""A snapshot changes no answer: every question is asked of books with many, few and no snapshots, and of plain sums."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import db, ledger
from cardsvc.clock import business_date

START = datetime(2026, 11, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = date(2026, 11, 2)
# Two checked accounts, which have live balances, and two derived ones, which have none; three funds.
KINDS = {
    "bank": ledger.AccountKind.ASSET,
    "wallet": ledger.AccountKind.LIABILITY,
    "fares": ledger.AccountKind.REVENUE,
    "school": ledger.AccountKind.EXPENSE,
}
FUNDS = {"school": ledger.Fund.SEF, "wallet": ledger.Fund.TRUST}
CODES = tuple(KINDS)


@dataclass(frozen=True)
class Written:
    """An entry of the history: its lines, when it happened, and its accounting date if it has one of its own.

    `snapshots` are made behind it, `gap` places of the log before it were refused records'.
    """

    lines: tuple[tuple[str, int], ...]
    late: timedelta
    booked: int | None
    gap: int
    snapshots: bool


@st.composite
def entries(draw: st.DrawFn) -> Written:
    codes, amounts = st.sampled_from(CODES), st.integers(-50, 50).filter(bool)
    lines = draw(st.lists(st.tuples(codes, amounts), min_size=1, max_size=6))
    rest = -sum(cents for _, cents in lines)
    balanced = (*lines, (draw(codes), rest)) if rest else (*lines, ("bank", 7), ("bank", -7))
    return Written(
        balanced,
        draw(st.sampled_from((timedelta(0), timedelta(0), timedelta(hours=5), 9 * DAY))),
        draw(st.sampled_from((None, None, None, 0, 3, -4))),
        draw(st.integers(0, 2)),
        draw(st.booleans()),
    )


def open_books(session: Session) -> None:
    checked, derived = ledger.AccountPolicy.CHECKED, ledger.AccountPolicy.DERIVED
    ledger.open_accounts(
        session,
        [
            ledger.AccountSpec(
                code, kind, checked if code in ("bank", "wallet") else derived, FUNDS.get(code, ledger.Fund.GENERAL)
            )
            for code, kind in KINDS.items()
        ],
        START,
    )


def write(session: Session, history: Sequence[Written], *, blocks_of: int | None) -> None:
    """Post the history, an entry every eight hours; with `blocks_of`, snapshots where it says so."""
    seq, at = 0, START
    for number, written in enumerate(history):
        seq, at = seq + 1 + written.gap, at + timedelta(hours=8)
        draft = ledger.Draft(
            UUID(int=number + 1),
            ledger.EntryKind.ADJUSTMENT,
            tuple(ledger.Line(code, cents) for code, cents in written.lines),
            at - written.late,
            "law",
            booked_on=None if written.booked is None else business_date(at) + written.booked * DAY,
        )
        [posted] = ledger.post(session, [draft], first_seq=seq, recorded_at=at)
        assert isinstance(posted, ledger.Posted), posted
        if written.snapshots and blocks_of:
            ledger.take_snapshots(session, block=blocks_of)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE running_balance SET cents = cents + 1 WHERE account_id = {bank}",
        "UPDATE snapshot_mark SET entry_seq = entry_seq - 1",
        "DELETE FROM balance_snapshot WHERE entry_seq = (SELECT MIN(entry_seq) FROM balance_snapshot)",
        "UPDATE balance_snapshot SET cents = cents + 1",
        "UPDATE balance_snapshot SET cents = cents + 1, block_cents = block_cents + 1 WHERE account_id = {bank}",
        "UPDATE balance_snapshot SET happened_min = happened_min - 1 WHERE account_id = {bank}",
        "UPDATE balance_snapshot SET booked_max = '2026-12-24' WHERE account_id = {bank}",
    ],
)
def test_a_wrong_snapshot_is_found_and_made_again(session: Session, tampering: str) -> None:
    open_books(session)
    entry = Written((("bank", 5), ("fares", -5)), timedelta(0), None, 0, snapshots=True)
    write(session, [entry] * 5, blocks_of=2)
    ledger.check_books(session)
    with pytest.raises(DBAPIError, match="computed"), session.begin_nested():
        session.execute(sa.text("UPDATE balance_snapshot SET cents = 0"))
    on_table = "" if session.get_bind().dialect.name == "sqlite" else " ON balance_snapshot"
    session.execute(sa.text(f"DROP TRIGGER balance_snapshot_no_update{on_table}"))
    session.execute(sa.text(tampering.format(bank="(SELECT id FROM account WHERE code = 'bank')")))
    with pytest.raises(ledger.BooksDoNotBalance, match="snapshot of account bank"):
        ledger.check_books(session)
    ledger.forget_snapshots(session)
    ledger.take_all_snapshots(session)
    ledger.check_books(session)


Asked = Callable[[ledger.StoredEntry], bool]


def asked_of(stored: Sequence[ledger.StoredEntry], code: str, asked: Asked) -> int:
    """The plain sum, natural."""
    cents = sum(line.amount_cents for one in stored if asked(one) for line in one.lines if line.account == code)
    return cents * KINDS[code].sign


def booked(one: ledger.StoredEntry) -> date:
    return one.booked_on or business_date(one.recorded_at)


def walk(session: Session, code: str, span: ledger.Span | None, *, newest_first: bool) -> list[ledger.StatementLine]:
    """The whole statement in pages of two, of which each opens where the one before closed."""
    lines: list[ledger.StatementLine] = []
    after: str | None = None
    edge: int | None = None
    while True:
        page = ledger.statement(session, code, span=span, after=after, limit=2, newest_first=newest_first)
        assert page.opening + sum(line.amount_cents for line in page.lines) == page.closing
        begin, end = (page.closing, page.opening) if newest_first else (page.opening, page.closing)
        assert edge in (None, begin)
        edge, after = end, page.next
        lines += page.lines
        if after is None:
            return lines


DAYS = tuple(TODAY + number * DAY for number in (-7, -1, 0, 1, 2, 5))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(entries(), min_size=1, max_size=10), blocks_of=st.sampled_from((None, 1, 2, 3, 100)))
def test_every_answer_is_the_plain_sum(engine: Engine, history: Sequence[Written], blocks_of: int | None) -> None:
    with db.open_session(engine) as session:  # never committed: each example starts from nothing
        open_books(session)
        write(session, history, blocks_of=blocks_of)
        stored = ledger.entries(session, limit=1000)
        check_balances(session, stored)
        check_statements(session, stored)
        check_trial_balances(session, stored)
        ledger.check_books(session)


def check_balances(session: Session, stored: Sequence[ledger.StoredEntry]) -> None:
    def sums(asked: Asked) -> dict[str, int]:
        return {code: asked_of(stored, code, asked) for code in CODES}

    assert ledger.balances(session, CODES) == sums(lambda _: True)
    for at in {one.happened_at for one in stored}:
        assert ledger.balances(session, CODES, happened_by=at) == sums(partial(_happened_by, at))
    for at in {one.recorded_at for one in stored}:
        assert ledger.balances(session, CODES, recorded_by=at) == sums(partial(_recorded_by, at))
    for one in stored:
        assert ledger.balances(session, CODES, at=one.seq) == sums(partial(_placed_by, one.seq))
    for day in DAYS:
        assert ledger.balances(session, CODES, booked_by=day) == sums(partial(_booked_by, day))


def _happened_by(at: datetime, one: ledger.StoredEntry) -> bool:
    return one.happened_at <= at


def _recorded_by(at: datetime, one: ledger.StoredEntry) -> bool:
    return one.recorded_at <= at


def _placed_by(at: int | None, one: ledger.StoredEntry) -> bool:
    return at is None or one.seq <= at


def _booked_by(day: date, one: ledger.StoredEntry) -> bool:
    return booked(one) <= day


def _dated_by(day_of: Callable[[ledger.StoredEntry], date], day: date, one: ledger.StoredEntry) -> bool:
    return day_of(one) <= day


def check_statements(session: Session, stored: Sequence[ledger.StoredEntry]) -> None:
    dates = {
        ledger.DateBasis.BOOKED: booked,
        ledger.DateBasis.HAPPENED: lambda one: business_date(one.happened_at),
        ledger.DateBasis.RECORDED: lambda one: business_date(one.recorded_at),
    }
    for code in CODES:
        forwards = walk(session, code, None, newest_first=False)
        assert [line.seq for line in forwards] == [
            one.seq for one in stored for line in one.lines if line.account == code
        ]
        assert forwards == walk(session, code, None, newest_first=True)[::-1]
        for by, day_of in dates.items():
            span = ledger.Span(TODAY, TODAY + DAY, by)
            inside = walk(session, code, span, newest_first=False)
            assert inside == walk(session, code, span, newest_first=True)[::-1]
            page = ledger.statement(session, code, span=span)
            assert page.brought_forward == asked_of(stored, code, partial(_dated_by, day_of, TODAY - DAY))
            assert page.carried_forward == asked_of(stored, code, partial(_dated_by, day_of, TODAY + DAY))
            assert page.closing == page.carried_forward
            assert sum(line.amount_cents for line in inside) == page.carried_forward - page.brought_forward


def check_trial_balances(session: Session, stored: Sequence[ledger.StoredEntry]) -> None:
    places = [None, -1, *(one.seq for one in stored), 10_000]
    for at in places:
        whole = ledger.trial_balance(session, at=at)
        assert whole.lines == ledger.trial_balance(session, at=at, from_entries=True).lines
        check_trial_balance(whole, stored, partial(_placed_by, at))
        for fund in ledger.Fund:
            of_fund = ledger.trial_balance(session, at=at, fund=fund)
            assert of_fund.lines == tuple(line for line in whole.lines if line.fund is fund)
    for day in DAYS:
        by_day = ledger.trial_balance(session, booked_by=day)
        assert by_day.lines == ledger.trial_balance(session, booked_by=day, from_entries=True).lines
        check_trial_balance(by_day, stored, partial(_booked_by, day))


def check_trial_balance(found: ledger.TrialBalance, stored: Sequence[ledger.StoredEntry], asked: Asked) -> None:
    assert found.difference_cents == 0
    said = {line.code: (line.debit_cents - line.credit_cents) * line.kind.sign for line in found.lines if line.accounts}
    for code in CODES:
        assert said.get(code, 0) == asked_of(stored, code, asked)
    for fund in ledger.Fund:  # with what it owes the others, each fund balances by itself
        assert sum(line.debit_cents - line.credit_cents for line in found.lines if line.fund is fund) == 0
    assert sum(line.debit_cents - line.credit_cents for line in found.lines if line.code.startswith("interfund:")) == 0
