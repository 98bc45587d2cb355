"""Large batches on both databases: what goes in as a set comes out entry by entry, and a dry run leaves nothing."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from cardsvc import db, ledger

AT = datetime(2026, 11, 2, tzinfo=UTC)
COUNT = 1_300  # more than two handfuls


def spec(code: str, kind: ledger.AccountKind, floor_cents: int | None = None) -> ledger.AccountSpec:
    policy = ledger.AccountPolicy.DERIVED if kind is ledger.AccountKind.REVENUE else ledger.AccountPolicy.CHECKED
    return ledger.AccountSpec(code, kind, policy, ledger.Fund.GENERAL, floor_cents)


@pytest.fixture
def books(session: Session) -> Session:
    ledger.open_accounts(
        session,
        [
            spec("cash", ledger.AccountKind.ASSET, 0),
            spec("main", ledger.AccountKind.LIABILITY, 0),
            spec("bus", ledger.AccountKind.REVENUE),
        ],
        AT,
    )
    return session


def fare(number: int, cents: int = 13) -> ledger.Draft:
    lines = ledger.Line("main", cents), ledger.Line("bus", -cents)
    return ledger.Draft(UUID(int=number), ledger.EntryKind.TAP, lines, AT + timedelta(milliseconds=number), "fare")


def funding(cents: int) -> ledger.Draft:
    lines = ledger.Line("cash", cents), ledger.Line("main", -cents)
    return ledger.Draft(UUID(int=10**6), ledger.EntryKind.CASH_TOP_UP, lines, AT, "top-up")


def test_a_batch_of_many_handfuls_is_decided_in_order_and_kept_whole(books: Session) -> None:
    batch = [funding(13 * 1_000), *(fare(number % 1_200) for number in range(COUNT))]
    results = ledger.post(books, batch, first_seq=50, recorded_at=AT)
    reasons = [result.reason if isinstance(result, ledger.Refused) else None for result in results[1:]]
    # the money is gone before the ids come round again, so a repeated id is told from want of funds
    assert reasons == [
        *[None] * 1_000,
        *[ledger.Reason.INSUFFICIENT_FUNDS] * 200,
        *[ledger.Reason.DUPLICATE_ENTRY] * 100,
    ]
    posted = [result for result in results if isinstance(result, ledger.Posted)]
    kept = ledger.entries(books, limit=COUNT)
    assert [(one.entry_id, one.seq, one.lines, one.entry_hash) for one in kept] == [tuple(one) for one in posted]
    assert [one.happened_at for one in kept[1:]] == [AT + timedelta(milliseconds=number) for number in range(1_000)]
    assert ledger.balances(books, ["cash", "main", "bus"]) == {"cash": 13_000, "main": 0, "bus": 13_000}
    ledger.check_books(books)


def test_everything_special_about_an_entry_is_kept_beside_plain_ones(books: Session) -> None:
    noted = ledger.Draft(
        UUID(int=1),
        ledger.EntryKind.JOURNAL_ENTRY,
        (ledger.Line("cash", 5), ledger.Line("main", -5)),
        AT,
        "rule",
        booked_on=date(2026, 10, 31),
        metadata=(("floor", 'é {"}, \\'), ("voucher", "JEV 1")),
    )
    back = ledger.Draft(
        UUID(int=2),
        ledger.EntryKind.REVERSAL,
        (ledger.Line("cash", -5), ledger.Line("main", 5)),
        AT,
        "rule",
        reverses=UUID(int=1),
    )
    results = ledger.post(books, [noted, back, funding(13), fare(3)], first_seq=0, recorded_at=AT)
    assert all(isinstance(result, ledger.Posted) for result in results)
    first, second, *_ = ledger.entries(books, limit=10)
    assert (first.booked_on, first.metadata, first.reverses) == (noted.booked_on, noted.metadata, None)
    assert (second.booked_on, second.metadata, second.reverses) == (None, (), UUID(int=1))
    assert first.entry_hash == getattr(results[0], "entry_hash", None)


def test_a_dry_run_answers_as_the_real_one_and_leaves_nothing(books: Session) -> None:
    batch = [funding(20), fare(1), fare(2), fare(1)]
    dry = ledger.post(books, batch, first_seq=0, recorded_at=AT, dry_run=True)
    assert ledger.count_entries(books) == 0
    assert ledger.balances(books, ["main"]) == {"main": 0}
    assert ledger.post(books, batch, first_seq=0, recorded_at=AT) == dry


def test_an_empty_batch_and_one_that_is_refused_whole_leave_nothing(books: Session) -> None:
    assert ledger.post(books, [], first_seq=0, recorded_at=AT) == []
    (refused,) = ledger.post(books, [fare(1)], first_seq=0, recorded_at=AT)
    assert isinstance(refused, ledger.Refused)
    assert ledger.count_entries(books) == 0


def test_what_was_not_committed_never_was(engine: Engine) -> None:
    def work(session: Session) -> None:
        wallet = spec("main", ledger.AccountKind.LIABILITY, 0)
        ledger.open_accounts(session, [spec("cash", ledger.AccountKind.ASSET, 0), wallet], AT)
        ledger.post(session, [funding(20)], first_seq=0, recorded_at=AT)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        db.run(engine, work)
    with db.unit_of_work(engine, read_only=True) as session:
        assert session.scalar(sa.text("SELECT count(*) FROM posting")) == 0
        assert ledger.check_books(session) == ledger.BooksChecked(entries=0, postings=0, accounts=0)
