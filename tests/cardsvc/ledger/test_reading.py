"""Statements, balances, totals: the same money seen from each side."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import ledger

NOON = datetime(2026, 11, 2, 4, tzinfo=UTC)  # in Manila
DAY = timedelta(days=1)
WALLET = "wallet:0190a3b5-7c1e-4d2f-8a9b-0c1d2e3f4a5b:main"


def draft(number: int, debit: str, credit: str, cents: int, at: datetime = NOON) -> ledger.Draft:
    lines = ledger.Line(debit, cents), ledger.Line(credit, -cents)
    return ledger.Draft(
        UUID(int=number), ledger.EntryKind.TAP if cents < 50 else ledger.EntryKind.FUNDING, lines, at, "test"
    )


@pytest.fixture
def books(session: Session) -> Session:
    """A wallet funded with 100 and spent in taps of 10, with places in the log left to refused records."""
    kinds, policies, funds = ledger.AccountKind, ledger.AccountPolicy, ledger.Fund
    ledger.open_accounts(
        session,
        [
            ledger.AccountSpec("bank:main", kinds.ASSET, policies.CHECKED, funds.GENERAL, 0),
            ledger.AccountSpec(WALLET, kinds.LIABILITY, policies.CHECKED, funds.TRUST, 0),
            ledger.AccountSpec(WALLET.replace("5b", "5c"), kinds.LIABILITY, policies.CHECKED, funds.TRUST, 0),
            ledger.AccountSpec("revenue:transit", kinds.REVENUE, policies.DERIVED, funds.GENERAL),
            ledger.AccountSpec("revenue:unused", kinds.REVENUE, policies.DERIVED, funds.GENERAL),
        ],
        NOON,
    )
    ledger.post(session, [draft(1, "bank:main", WALLET, 100)], first_seq=3, recorded_at=NOON)
    taps = [draft(10 + i, WALLET, "revenue:transit", 10, NOON + i * DAY) for i in range(5)]
    ledger.post(session, taps, first_seq=20, recorded_at=NOON + 7 * DAY)
    return session


def test_a_statement_opens_where_the_page_before_it_closed(books: Session) -> None:
    first = ledger.statement(books, WALLET, limit=2)
    assert (first.opening, first.closing) == (0, 90)
    assert [(line.amount_cents, line.balance_after) for line in first.lines] == [(100, 100), (-10, 90)]
    second = ledger.statement(books, WALLET, after=first.next, limit=2)
    assert (second.opening, second.closing) == (90, 70)
    third = ledger.statement(books, WALLET, after=second.next, limit=2)
    assert (third.opening, third.closing, third.next) == (70, 50, None)
    assert [line.seq for page in (first, second, third) for line in page.lines] == [3, 20, 21, 22, 23, 24]


def test_newest_first_the_same_lines_come_backwards(books: Session) -> None:
    first = ledger.statement(books, WALLET, limit=4, newest_first=True)
    assert (first.opening, first.closing) == (90, 50)
    assert [(line.seq, line.balance_after) for line in first.lines] == [(24, 50), (23, 60), (22, 70), (21, 80)]
    second = ledger.statement(books, WALLET, after=first.next, limit=4, newest_first=True)
    assert (second.opening, second.closing, second.next) == (0, 90, None)
    assert [(line.amount_cents, line.balance_after) for line in second.lines] == [(-10, 90), (100, 100)]


def test_an_empty_statement_and_a_derived_account_have_pages_too(books: Session) -> None:
    assert ledger.statement(books, "revenue:unused") == ledger.StatementPage(0, (), 0, None)
    assert ledger.statement(books, "revenue:transit").closing == 50
    assert ledger.statement(books, "revenue:unused", newest_first=True).opening == 0


def test_a_statement_needs_an_account_and_a_place_that_a_page_gave(books: Session) -> None:
    with pytest.raises(ledger.UnknownAccount, match="nobody"):
        ledger.statement(books, "nobody")
    for place in ("", "1", "1-", "--1-1", "x-1", "1-1 ", "٣-1"):
        with pytest.raises(ledger.InvalidCursor):
            ledger.statement(books, WALLET, after=place)


def test_balances_now_and_at_a_moment_by_either_time(books: Session) -> None:
    codes = [WALLET, "revenue:transit", "bank:main"]
    assert ledger.balances(books, codes) == {WALLET: 50, "revenue:transit": 50, "bank:main": 100}
    happened = ledger.balances(books, codes, happened_by=NOON + DAY)
    assert happened == {WALLET: 80, "revenue:transit": 20, "bank:main": 100}
    recorded = ledger.balances(books, codes, recorded_by=NOON + DAY)
    assert recorded == {WALLET: 100, "revenue:transit": 0, "bank:main": 100}
    assert ledger.balances(books, []) == {}
    with pytest.raises(ledger.UnknownAccount):
        ledger.balances(books, [WALLET, "nobody"])


def test_the_trial_balance_groups_the_many_and_sums_to_zero(books: Session) -> None:
    balance = ledger.trial_balance(books)
    assert balance.difference_cents == 0
    assert [(line.code, line.accounts, line.debit_cents, line.credit_cents) for line in balance.lines] == [
        ("bank:main", 1, 100, 0),
        ("interfund:general", 0, 0, 50),  # what the general fund holds of the wallets' money, which is in trust
        ("interfund:trust", 0, 50, 0),
        ("revenue:transit", 1, 0, 50),
        ("wallet:*:main", 1, 0, 50),  # of the two, only this one holds money
    ]
    single = ledger.trial_balance(books, by_account=True)
    assert [line.code for line in single.lines if line.credit_cents and line.accounts] == ["revenue:transit", WALLET]


def test_a_day_of_the_books_is_the_day_of_recording_in_the_city(books: Session) -> None:
    assert ledger.day_totals(books, date(2026, 11, 2)) == (ledger.DayTotal(ledger.EntryKind.FUNDING, 1, 100),)
    assert ledger.day_totals(books, date(2026, 11, 3)) == ()
    assert ledger.day_totals(books, date(2026, 11, 9)) == (ledger.DayTotal(ledger.EntryKind.TAP, 5, 50),)
    late = [draft(50, "bank:main", WALLET, 60)]
    ledger.post(books, late, first_seq=90, recorded_at=datetime(2026, 11, 4, 16, tzinfo=UTC))  # midnight in Manila
    assert ledger.day_totals(books, date(2026, 11, 4)) == ()
    assert [entry.seq for entry in ledger.entries(books, day=date(2026, 11, 5))] == [90]


def test_entries_are_read_with_their_lines_and_the_hash_that_the_log_got(books: Session) -> None:
    [posted] = ledger.post(books, [draft(60, WALLET, "bank:main", 20)], first_seq=91, recorded_at=NOON)
    assert isinstance(posted, ledger.Posted)
    stored = ledger.entry(books, UUID(int=60))
    assert (stored.lines, stored.entry_hash, stored.seq) == (posted.lines, posted.entry_hash, 91)
    assert stored.happened_at == NOON
    page = ledger.entries(books, limit=3)
    assert [entry.seq for entry in page] == [3, 20, 21]
    assert [entry.seq for entry in ledger.entries(books, after=page[-1].seq)] == [22, 23, 24, 91]
    with pytest.raises(ledger.UnknownEntry):
        ledger.entry(books, UUID(int=404))


def test_a_reversal_takes_back_every_line_and_is_found_from_what_it_undoes(books: Session) -> None:
    undone = ledger.entry(books, UUID(int=10))
    assert ledger.reversal_of(books, undone.entry_id) is None
    back = ledger.reversing(undone, entry_id=UUID(int=70), happened_at=NOON, rule="test")
    [posted] = ledger.post(books, [back], first_seq=95, recorded_at=NOON)
    assert isinstance(posted, ledger.Posted)
    assert ledger.balances(books, [WALLET, "revenue:transit"]) == {WALLET: 60, "revenue:transit": 40}
    found = ledger.reversal_of(books, undone.entry_id)
    assert found is not None
    assert (found.entry_id, found.reverses) == (UUID(int=70), undone.entry_id)


def test_a_statement_of_days_runs_from_the_balance_before_them(books: Session) -> None:
    span = ledger.Span(date(2026, 11, 3), date(2026, 11, 4), ledger.DateBasis.HAPPENED)
    page = ledger.statement(books, WALLET, span=span)
    assert (page.brought_forward, page.carried_forward) == (90, 70)
    assert [(line.seq, line.balance_after) for line in page.lines] == [(21, 80), (22, 70)]
    by_recording = ledger.statement(
        books, WALLET, span=ledger.Span(last=date(2026, 11, 3), by=ledger.DateBasis.RECORDED)
    )
    assert [line.seq for line in by_recording.lines] == [3]
    [funding] = by_recording.lines
    assert (funding.counterparts, funding.metadata, funding.booked_on) == (("bank:main",), (), date(2026, 11, 2))


def test_entries_are_found_by_what_they_have_in_common_and_keep_their_places(books: Session) -> None:
    said = (("invoice", 'No. "7" 100%'), ("payee", "Aling Nena"))
    lines = ledger.Line("bank:main", 30), ledger.Line(WALLET, -30)
    dated = ledger.Draft(UUID(int=80), ledger.EntryKind.ADJUSTMENT, lines, NOON, "test", metadata=said)
    ledger.post(books, [dated], first_seq=96, recorded_at=NOON + 8 * DAY)

    def found(**wanted: object) -> list[int]:
        return [one.seq for one in ledger.find_entries(books, ledger.Wanted(**wanted))]  # type: ignore[arg-type]

    assert found(metadata=("invoice", 'No. "7" 100%')) == [96]
    assert found(metadata=("invoice", 'No. "7" 100_')) == []
    assert found(metadata=("payee", "Aling")) == []
    assert found(amount_cents=100) == [3]
    assert found(amount_cents=100, account="revenue:transit") == []
    assert found(entry_id=UUID(int=10)) == [20]
    assert found(kinds=(ledger.EntryKind.FUNDING, ledger.EntryKind.ADJUSTMENT)) == [3, 96]
    assert found(span=ledger.Span(date(2026, 11, 10), None)) == [96]
    assert found(account="revenue:transit", fund=ledger.Fund.GENERAL) == [20, 21, 22, 23, 24]
    first = ledger.find_entries(books, ledger.Wanted(), limit=2, newest_first=True)
    second = ledger.find_entries(books, ledger.Wanted(), after=first[-1].seq, limit=2, newest_first=True)
    assert [one.seq for one in (*first, *second)] == [96, 24, 23, 22]
