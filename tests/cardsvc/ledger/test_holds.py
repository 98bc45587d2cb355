"""Holds in the ledger: placed, taken in parts, given back; never twice, never more than is there."""

import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db, ledger
from cardsvc.ledger import holds

AT = datetime(2026, 11, 2, tzinfo=UTC)
END = AT + timedelta(days=2)
FIRST, MAIN, HELD, FEES, FUND = "wallet:w:purse:first", "wallet:w:main", "wallet:w:held", "revenue:fees", "fund"


def specs(expires_at: datetime | None = None) -> list[ledger.AccountSpec]:
    kind, policy = ledger.AccountKind, ledger.AccountPolicy
    purse = ledger.Purse("", expires_at, 0, None if expires_at is None else FUND)
    return [
        ledger.AccountSpec(FIRST, kind.LIABILITY, policy.CHECKED, ledger.Fund.TRUST, 0, purse=purse),
        ledger.AccountSpec(MAIN, kind.LIABILITY, policy.CHECKED, ledger.Fund.TRUST, 0),
        ledger.AccountSpec(HELD, kind.LIABILITY, policy.CHECKED, ledger.Fund.TRUST, 0),
        ledger.AccountSpec(FEES, kind.REVENUE, policy.DERIVED, ledger.Fund.GENERAL),
        ledger.AccountSpec(FUND, kind.EQUITY, policy.DERIVED, ledger.Fund.GENERAL),
    ]


@dataclass
class Books:
    """A ledger with one wallet, a place in the log that grows, and a clock that is handed in."""

    session: Session
    at: datetime = AT
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def post(self, draft: ledger.Draft) -> ledger.Reason | None:
        seq = (self.session.scalar(sa.text("SELECT max(seq) FROM entry")) or 0) + 1
        [answer] = ledger.post(self.session, [draft], first_seq=seq, recorded_at=self.at)
        return answer.reason if isinstance(answer, ledger.Refused) else None

    def act(self) -> holds.Act:
        return holds.Act(UUID(int=next(self.numbers)), self.at, "a test's")

    def give(self, account: str, cents: int) -> None:
        lines = ledger.Line(FUND, cents), ledger.Line(account, -cents)
        act = self.act()
        assert self.post(ledger.Draft(act.entry_id, ledger.EntryKind.ADJUSTMENT, lines, AT, "law")) is None

    def place(self, cents: int, *, limit: int = 0, until: datetime | None = END) -> UUID:
        act = self.act()
        terms = holds.Terms(FEES, "", limit or cents, until)
        assert self.post(holds.place(act, terms, held=HELD, sources=(FIRST, MAIN), amount_cents=cents)) is None
        return act.entry_id

    def hold(self, hold_id: UUID) -> ledger.KnownHold:
        return ledger.known_holds(self.session, [hold_id], self.at)[hold_id]

    def capture(self, hold_id: UUID, cents: int, *, final: bool = False) -> ledger.Reason | None:
        return self.post(self.capturing(hold_id, cents, final=final))

    def capturing(self, hold_id: UUID, cents: int, *, final: bool = False) -> ledger.Draft:
        hold = self.hold(hold_id)
        parts = ledger.hold_parts(self.session, [hold])[hold_id]
        return holds.capture(self.act(), hold, parts, amount_cents=cents, final=final, sources=(FIRST, MAIN))

    def releasing(self, hold_id: UUID) -> ledger.Draft:
        hold = self.hold(hold_id)
        return holds.release(self.act(), hold, ledger.hold_parts(self.session, [hold])[hold_id])

    def balances(self) -> tuple[int, int, int, int]:
        """In the purse, in the wallet, held, taken."""
        found = ledger.balances(self.session, [FIRST, MAIN, HELD, FEES])
        return found[FIRST], found[MAIN], found[HELD], found[FEES]


@pytest.fixture
def books(session: Session) -> Books:
    """40 in a purse, 100 in the wallet."""
    ledger.open_accounts(session, specs(), AT)
    made = Books(session)
    made.give(FIRST, 40)
    made.give(MAIN, 100)
    return made


def test_placing_takes_the_purses_in_order_and_leaves_what_is_not_held(books: Books) -> None:
    hold_id = books.place(70)
    assert books.balances() == (0, 70, 70, 0)
    assert books.hold(hold_id).left_cents == 70
    ledger.check_books(books.session)


def test_what_is_not_there_cannot_be_held(books: Books) -> None:
    terms = holds.Terms(FEES, "", 141, END)
    draft = holds.place(books.act(), terms, held=HELD, sources=(FIRST, MAIN), amount_cents=141)
    assert books.post(draft) is ledger.Reason.INSUFFICIENT_FUNDS


def test_a_hold_is_taken_in_parts_and_the_rest_stays(books: Books) -> None:
    hold_id = books.place(70)
    assert books.capture(hold_id, 30) is None
    assert books.capture(hold_id, 10) is None
    assert books.balances() == (0, 70, 30, 40)
    hold = books.hold(hold_id)
    assert (hold.captured_cents, hold.left_cents, hold.ended) == (40, 30, False)
    ledger.check_books(books.session)


def test_a_final_capture_gives_the_rest_back_where_it_came_from(books: Books) -> None:
    hold_id = books.place(70)  # 40 of the purse, 30 of the wallet
    assert books.capture(hold_id, 20, final=True) is None
    assert books.balances() == (20, 100, 0, 20)
    assert books.hold(hold_id).ended
    ledger.check_books(books.session)


def test_no_more_than_is_left_is_taken_unless_the_limit_allows_it(books: Books) -> None:
    hold_id = books.place(70)
    assert books.capture(hold_id, 71) is ledger.Reason.HOLD_EXCEEDED
    other = books.place(30, limit=50)
    assert books.capture(other, 51) is ledger.Reason.HOLD_EXCEEDED
    assert books.capture(other, 50) is None
    assert books.balances() == (0, 20, 70, 50)
    ledger.check_books(books.session)


def test_more_needs_the_money_too(books: Books) -> None:
    hold_id = books.place(130, limit=200)
    assert books.capture(hold_id, 150) is ledger.Reason.INSUFFICIENT_FUNDS
    assert books.capture(hold_id, 140) is None
    assert books.balances() == (0, 0, 0, 140)


def test_nothing_is_taken_from_a_hold_that_ended(books: Books) -> None:
    hold_id = books.place(70)
    late = books.capturing(hold_id, 10)
    again = books.releasing(hold_id)
    assert books.post(books.releasing(hold_id)) is None
    assert books.post(late) is ledger.Reason.HOLD_ENDED
    assert books.post(again) is ledger.Reason.HOLD_ENDED
    assert books.balances() == (40, 100, 0, 0)


def test_the_same_capture_sent_again_is_a_duplicate_and_moves_nothing(books: Books) -> None:
    hold_id = books.place(70)
    draft = books.capturing(hold_id, 30)
    assert books.post(draft) is None
    assert books.post(draft) is ledger.Reason.DUPLICATE_ENTRY
    assert books.balances() == (0, 70, 40, 30)


def test_a_hold_that_nobody_placed_is_not_known(books: Books) -> None:
    stranger = ledger.KnownHold(UUID(int=99), HELD, holds.Terms(FEES, "", 10, None), 10, 0, 10)
    books.place(10)
    draft = holds.capture(books.act(), stranger, (), amount_cents=10)
    assert books.post(draft) is ledger.Reason.UNKNOWN_HOLD


def test_held_money_moves_by_its_hold_only(books: Books) -> None:
    books.place(70)
    for lines in (
        (ledger.Line(HELD, 10), ledger.Line(FEES, -10)),
        (ledger.Line(MAIN, 90, then=(HELD,)), ledger.Line(FEES, -90)),
    ):
        draft = ledger.Draft(books.act().entry_id, ledger.EntryKind.ADJUSTMENT, lines, AT, "law")
        assert books.post(draft) is ledger.Reason.UNKNOWN_HOLD


def test_an_entry_that_moves_other_than_its_step_says_is_refused(books: Books) -> None:
    hold_id = books.place(70)
    step = ledger.HoldStep(hold_id, ledger.HoldVerb.CAPTURE, 10)
    lines = ledger.Line(HELD, 20), ledger.Line(FEES, -20)
    act = books.act()
    draft = ledger.Draft(act.entry_id, ledger.EntryKind.HOLD_CAPTURED, lines, AT, "law", hold=step)
    assert books.post(draft) is ledger.Reason.HOLD_EXCEEDED


def test_the_last_millisecond_still_counts_and_the_end_itself_does_not(books: Books) -> None:
    hold_id = books.place(70)
    books.at = END - timedelta(milliseconds=1)
    assert books.capture(hold_id, 10) is None
    assert ledger.expired_holds(books.session, books.at, limit=10) == ()
    books.at = END
    early = books.capturing(hold_id, 10)
    assert books.post(early) is ledger.Reason.HOLD_ENDED  # whether or not it was given back yet
    assert [hold.hold_id for hold in ledger.expired_holds(books.session, END, limit=10)] == [hold_id]
    assert books.post(books.releasing(hold_id)) is None
    assert books.balances() == (30, 100, 0, 10)


def test_a_terminals_clock_does_not_stretch_a_hold(books: Books) -> None:
    hold_id = books.place(70)
    books.at = END + timedelta(hours=1)
    hold = books.hold(hold_id)
    backdated = holds.Act(UUID(int=500), AT, "a test's")
    parts = ledger.hold_parts(books.session, [hold])[hold_id]
    assert books.post(holds.capture(backdated, hold, parts, amount_cents=10)) is ledger.Reason.HOLD_ENDED


def test_the_rest_of_a_purse_that_expired_meanwhile_goes_where_the_purse_says(session: Session) -> None:
    ledger.open_accounts(session, specs(AT + timedelta(days=1)), AT)
    books = Books(session)
    books.give(FIRST, 40)
    books.give(MAIN, 100)
    hold_id = books.place(70)
    books.at = AT + timedelta(days=1)
    assert books.capture(hold_id, 10) is None  # what was held while the purse could pay is honoured
    assert books.post(books.releasing(hold_id)) is None
    assert books.balances() == (0, 100, 0, 10)
    assert ledger.balances(session, [FUND])[FUND] == 30 - 140
    ledger.check_books(session)


def test_a_capture_taken_back_is_held_again_and_can_be_given_back(books: Books) -> None:
    hold_id = books.place(70)
    draft = books.capturing(hold_id, 30, final=True)
    assert books.post(draft) is None
    entry = ledger.entry(books.session, draft.entry_id)
    back = ledger.reversing(entry, entry_id=books.act().entry_id, happened_at=AT, rule="law")
    assert books.post(back) is None
    hold = books.hold(hold_id)
    assert (hold.captured_cents, hold.left_cents, books.balances()) == (0, 70, (0, 70, 70, 0))
    ledger.check_books(books.session)
    assert books.post(books.releasing(hold_id)) is None
    assert books.balances() == (40, 100, 0, 0)
    ledger.check_books(books.session)


def test_placing_and_giving_back_are_not_reversed_but_by_the_hold_itself(books: Books) -> None:
    hold_id = books.place(70)
    placed = ledger.reversing(
        ledger.entry(books.session, hold_id), entry_id=books.act().entry_id, happened_at=AT, rule="law"
    )
    assert books.post(placed) is ledger.Reason.UNKNOWN_HOLD


def test_an_account_is_not_closed_while_money_of_it_is_held(books: Books) -> None:
    hold_id = books.place(140)
    for code in (FIRST, MAIN):
        with pytest.raises(ledger.AccountHeld):
            ledger.close_account(books.session, code, AT)
    with pytest.raises(ledger.AccountNotEmpty):
        ledger.close_account(books.session, HELD, AT)
    assert books.capture(hold_id, 140) is None
    ledger.close_account(books.session, MAIN, AT)


def test_two_captures_of_one_batch_see_each_other(books: Books) -> None:
    hold_id = books.place(70)
    drafts = [books.capturing(hold_id, 40), books.capturing(hold_id, 40)]
    seq = (books.session.scalar(sa.text("SELECT max(seq) FROM entry")) or 0) + 1
    first, second = ledger.post(books.session, drafts, first_seq=seq, recorded_at=AT)
    assert isinstance(first, ledger.Posted)
    assert isinstance(second, ledger.Refused)
    assert second.reason is ledger.Reason.HOLD_EXCEEDED
    ledger.check_books(books.session)


def test_the_state_is_recomputed_from_the_entries(books: Books) -> None:
    hold_id = books.place(70)
    assert books.capture(hold_id, 30) is None
    ledger.check_books(books.session)
    books.session.execute(sa.text("UPDATE hold SET captured_cents = 20"))
    with pytest.raises(ledger.BooksDoNotBalance, match=str(hold_id)):
        ledger.check_books(books.session)


# ------------------------------------------------------------------------------------------------------- many at once


def test_many_who_take_the_same_hold_take_it_once(engine: Engine) -> None:
    """Sixty want 10 of 200 each, from several sessions at once: twenty get it."""

    def prepare(session: Session) -> UUID:
        ledger.open_accounts(session, specs(), AT)
        made = Books(session)
        made.give(MAIN, 300)
        return made.place(200)

    hold_id = db.run(engine, prepare)

    def take(number: int) -> bool:
        def work(session: Session) -> bool:
            ledger.lock(session)
            made = Books(session, numbers=itertools.count(1000 + number))
            return not made.hold(hold_id).ended and made.capture(hold_id, 10) is None

        return db.run(engine, work)

    with ThreadPoolExecutor(max_workers=6) as pool:
        assert sum(pool.map(take, range(60))) == 20
    with db.unit_of_work(engine, read_only=True) as session:
        assert ledger.balances(session, [HELD, FEES, MAIN]) == {HELD: 0, FEES: 200, MAIN: 100}
        ledger.check_books(session)


# ------------------------------------------------------------------------------------------------- against a naive one


@dataclass
class Naive:
    """One hold as two numbers, and a purse and a wallet moved cent by cent."""

    first: int = 40
    main: int = 100
    taken: int = 0
    own: dict[int, list[str]] = field(default_factory=dict)  # what is left of each hold: where each centavo came from
    captured: dict[int, int] = field(default_factory=dict)
    limit: dict[int, int] = field(default_factory=dict)

    def spend(self, cents: int) -> list[str] | None:
        if cents > self.first + self.main:
            return None
        of_first = min(cents, self.first)
        self.first -= of_first
        self.main -= cents - of_first
        return ["first"] * of_first + ["main"] * (cents - of_first)

    def place(self, number: int, cents: int, limit: int) -> bool:
        spent = self.spend(cents)
        if spent is not None:
            self.own[number], self.captured[number], self.limit[number] = spent, 0, limit
        return spent is not None

    def capture(self, number: int, cents: int, *, final: bool) -> bool:
        left = self.own.get(number, [])
        if not left or self.captured[number] + cents > self.limit[number]:
            return False
        if cents > len(left) and self.spend(cents - len(left)) is None:
            return False
        self.taken += cents
        self.captured[number] += cents
        self.own[number] = left[cents:]
        if final:
            self.release(number)
        return True

    def release(self, number: int) -> bool:
        left = self.own.get(number, [])
        self.first += left.count("first")
        self.main += left.count("main")
        self.own[number] = []
        return bool(left)


steps = st.one_of(
    st.tuples(st.just("place"), st.integers(1, 80), st.integers(0, 30)),
    st.tuples(st.just("capture"), st.integers(1, 60), st.integers(0, 5)),
    st.tuples(st.just("final"), st.integers(1, 60), st.integers(0, 5)),
    st.tuples(st.just("release"), st.just(0), st.integers(0, 5)),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(steps, max_size=12))
def test_any_sequence_ends_as_in_the_naive_model(engine: Engine, plan: Sequence[tuple[str, int, int]]) -> None:
    naive = Naive()
    ids: list[UUID] = []
    with db.open_session(engine) as session:  # never committed: each example starts from nothing
        ledger.open_accounts(session, specs(), AT)
        books = Books(session)
        books.give(FIRST, 40)
        books.give(MAIN, 100)
        for verb, cents, other in plan:
            if verb == "place":
                act = books.act()
                terms = holds.Terms(FEES, "", cents + other, END)
                placed = books.post(holds.place(act, terms, held=HELD, sources=(FIRST, MAIN), amount_cents=cents))
                assert (placed is None) == naive.place(len(ids), cents, cents + other)
                ids += [act.entry_id] if placed is None else []
            elif other < len(ids) and not books.hold(ids[other]).ended:
                draft = books.releasing(ids[other]) if verb == "release" else None
                if draft is None:
                    done = books.capture(ids[other], cents, final=verb == "final") is None
                    assert done == naive.capture(other, cents, final=verb == "final")
                else:
                    assert (books.post(draft) is None) == naive.release(other)
            assert books.balances() == (naive.first, naive.main, sum(map(len, naive.own.values())), naive.taken)
        for number, hold_id in enumerate(ids):
            hold = books.hold(hold_id)
            assert (hold.left_cents, hold.captured_cents) == (len(naive.own[number]), naive.captured[number])
        ledger.check_books(session)
