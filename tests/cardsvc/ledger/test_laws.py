"""Random drafts against a ledger too simple to be wrong, and many writers at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db, ledger

AT = datetime(2026, 11, 2, tzinfo=UTC)
# code: (sign of a debit in the natural balance, floor)
CHECKED = {"cash": (1, 0), "main": (-1, 0), "purse": (-1, 0), "owed": (1, 0), "credit": (-1, -50), "free": (1, None)}
DERIVED = {"revenue": -1, "cost": 1}
CODES = [*CHECKED, *DERIVED]
KINDS = {
    "cash": ledger.AccountKind.ASSET,
    "main": ledger.AccountKind.LIABILITY,
    "purse": ledger.AccountKind.LIABILITY,
    "owed": ledger.AccountKind.ASSET,
    "credit": ledger.AccountKind.EQUITY,
    "free": ledger.AccountKind.EXPENSE,
    "revenue": ledger.AccountKind.REVENUE,
    "cost": ledger.AccountKind.EXPENSE,
}

amounts = st.integers(min_value=1, max_value=120)
codes = st.sampled_from(CODES)
draws = st.lists(codes, max_size=2).map(tuple)


@st.composite
def drafts(draw: st.DrawFn) -> ledger.Draft:
    """Mostly balanced drafts of two or three lines, with ids that are sometimes used before."""
    lines = [ledger.Line(draw(codes), draw(amounts) * draw(st.sampled_from((1, -1))), draw(draws)) for _ in range(2)]
    rest = -sum(line.amount_cents for line in lines) + draw(st.sampled_from((0, 0, 0, 0, 1)))
    lines.append(ledger.Line(draw(codes), rest))
    kept = tuple(line for line in lines if line.amount_cents)
    number = draw(st.integers(min_value=1, max_value=40))
    return ledger.Draft(UUID(int=number), ledger.EntryKind.ADJUSTMENT, kept, AT, "law")


@dataclass
class Naive:
    """One dictionary of centavos, debit positive; moves one centavo at a time and takes everything back on failure."""

    cents: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CODES, 0))
    ids: set[UUID] = field(default_factory=set)

    def natural(self, code: str) -> int:
        return self.cents[code] * (CHECKED[code][0] if code in CHECKED else DERIVED[code])

    def may(self, code: str, step: int) -> bool:
        if code in DERIVED:
            return True
        sign, floor = CHECKED[code]
        return step * sign > 0 or floor is None or self.natural(code) - 1 >= floor

    def post(self, draft: ledger.Draft) -> bool:
        if sum(line.amount_cents for line in draft.lines) or len(draft.lines) < 2 or draft.entry_id in self.ids:
            return False
        before = dict(self.cents)
        for line in draft.lines:
            step = 1 if line.amount_cents > 0 else -1
            for _ in range(abs(line.amount_cents)):
                account = next((code for code in (line.account, *line.then) if self.may(code, step)), None)
                if account is None:
                    self.cents = before
                    return False
                self.cents[account] += step
        self.ids.add(draft.entry_id)
        return True


def open_all(session: Session) -> None:
    specs = [
        ledger.AccountSpec(
            code,
            KINDS[code],
            ledger.AccountPolicy.CHECKED if code in CHECKED else ledger.AccountPolicy.DERIVED,
            ledger.Fund.GENERAL,
            CHECKED[code][1] if code in CHECKED else None,
        )
        for code in CODES
    ]
    ledger.open_accounts(session, specs, AT)


def walk(session: Session, code: str, *, newest_first: bool) -> list[ledger.StatementLine]:
    """The whole statement, in pages of three."""
    lines: list[ledger.StatementLine] = []
    after: str | None = None
    while True:
        page = ledger.statement(session, code, after=after, limit=3, newest_first=newest_first)
        moved = sum(line.amount_cents for line in page.lines)
        assert page.opening + moved == page.closing
        lines += page.lines
        after = page.next
        if after is None:
            return lines


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(drafts(), min_size=1, max_size=8), min_size=1, max_size=5))
def test_any_drafts_in_any_batches_end_as_in_the_naive_ledger(
    engine: Engine, batches: Sequence[Sequence[ledger.Draft]]
) -> None:
    naive = Naive()
    with db.open_session(engine) as session:  # never committed: each example starts from nothing
        open_all(session)
        seq = 0
        for batch in batches:
            results = ledger.post(session, batch, first_seq=seq, recorded_at=AT)
            seq += len(batch)
            assert [isinstance(result, ledger.Posted) for result in results] == [naive.post(draft) for draft in batch]
        expected = {code: naive.natural(code) for code in CODES}
        assert ledger.balances(session, CODES) == expected
        assert ledger.balances(session, CODES, recorded_by=AT) == expected
        assert ledger.trial_balance(session).difference_cents == 0
        for code in CODES:
            forwards = walk(session, code, newest_first=False)
            assert forwards == walk(session, code, newest_first=True)[::-1]
            assert (forwards[-1].balance_after if forwards else 0) == expected[code]
        ledger.check_books(session)
        for entry in ledger.entries(session, limit=1000):
            assert sum(line.amount_cents for line in entry.lines) == 0


def test_many_writers_of_the_same_drafts_post_each_of_them_once(engine: Engine) -> None:
    def draft(number: int) -> ledger.Draft:
        lines = ledger.Line("free", 10), ledger.Line("main", -10)
        return ledger.Draft(UUID(int=number), ledger.EntryKind.ADJUSTMENT, lines, AT, "law")

    def write(start: int) -> int:
        posted = 0
        for number in range(start, start + 20, 4):
            batch = [draft(one % 20) for one in range(number, number + 4)]

            def work(session: Session, batch: list[ledger.Draft] = batch) -> int:
                ledger.lock(session)
                newest = ledger.entries(session, limit=1000)
                first = newest[-1].seq + 1 if newest else 0
                results = ledger.post(session, batch, first_seq=first, recorded_at=AT)
                return sum(isinstance(result, ledger.Posted) for result in results)

            posted += db.run(engine, work)
        return posted

    db.run(engine, open_all)
    with ThreadPoolExecutor(max_workers=6) as pool:
        assert sum(pool.map(write, range(0, 12, 2))) == 20
    with db.unit_of_work(engine, read_only=True) as session:
        assert ledger.balances(session, ["main"]) == {"main": 200}
        assert ledger.check_books(session).entries == 20
