"""Balances that somebody signs off: kept whether they held or not, and not changed behind anybody's back."""

import random
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.ledger.actions.asserting import assert_balance, withdraw_assertion
from cardsvc.ledger.queries import asserting as queries
from cardsvc.ledger.queries.asserting import AssertionView
from cardsvc.ledger.rules.errors import AssertionWithdrawn, InvalidAssertion, UnknownAssertion

BANK, INCOME = "bank:test", "revenue:test"
ANA = UUID("018f3c5e-7c00-7abc-8def-0123456789ac")
FIRST, SECOND, THIRD = (date(2026, 11, day) for day in (1, 2, 3))
NOW = datetime(2026, 11, 20, tzinfo=UTC)


class Books:
    """A bank account that had 100.00 on the first day, and 30.00 more on the third."""

    def __init__(self, session: Session) -> None:
        self.session, self.seq = session, 0
        self.random_bytes = random.Random(11).randbytes
        kinds, policies = ledger.AccountKind, ledger.AccountPolicy
        specs = [
            ledger.AccountSpec(BANK, kinds.ASSET, policies.CHECKED, ledger.Fund.GENERAL, 0),
            ledger.AccountSpec(INCOME, kinds.REVENUE, policies.DERIVED, ledger.Fund.GENERAL),
        ]
        ledger.open_accounts(session, specs, NOW)
        assert self.book(100_00, FIRST) == "posted"
        assert self.book(30_00, THIRD) == "posted"

    def book(self, cents: int, day: date | None, *, at: datetime = NOW) -> str:
        self.seq += 1
        lines = (ledger.Line(BANK, cents), ledger.Line(INCOME, -cents))
        draft = ledger.Draft(
            UUID(int=self.seq),
            ledger.EntryKind.JOURNAL_ENTRY,
            lines,
            at,
            "test",
            booked_on=day,
        )
        [result] = ledger.post(self.session, [draft], first_seq=self.seq, recorded_at=at)
        return result.reason.value if isinstance(result, ledger.Refused) else "posted"

    def sign_off(self, cents: int, day: date = SECOND, code: str = BANK, *, now: datetime = NOW) -> AssertionView:
        return assert_balance(
            self.session, code, day, cents, document="Statement 31", by=ANA, now=now, random_bytes=self.random_bytes
        )


@pytest.fixture
def books(session: Session) -> Books:
    return Books(session)


def test_a_balance_that_holds_is_kept_and_not_changed_any_more(books: Books) -> None:
    held = books.sign_off(100_00)
    assert (held.held, held.found_cents, held.asserted_by, held.document) == (True, 100_00, ANA, "Statement 31")
    for day in (FIRST, SECOND):
        assert books.book(1, day) == "balance_asserted"
    assert books.book(1, THIRD) == "posted"
    assert books.book(1, None) == "posted"
    assert queries.check_assertions(books.session).assertions == 1


def test_one_that_does_not_hold_is_kept_too_and_waits_to_be_settled(books: Books) -> None:
    failed = books.sign_off(101_00)
    assert (failed.held, failed.difference_cents) == (False, 1_00)
    assert books.book(1_00, SECOND) == "posted", "a failed assertion stops nobody from correcting the books"
    assert [one.id for one in queries.open_failures(books.session)] == [failed.id]
    assert books.sign_off(101_00, now=NOW + timedelta(minutes=1)).held
    assert queries.open_failures(books.session) == []
    assert len(queries.assertions(books.session)) == 2


def test_an_account_is_asserted_on_its_own_side(books: Books) -> None:
    assert books.sign_off(100_00, code=INCOME).held
    assert books.book(-1, SECOND) == "balance_asserted"


def test_a_withdrawn_assertion_lets_the_books_be_corrected_and_is_kept(books: Books) -> None:
    held = books.sign_off(100_00)
    withdrawn = withdraw_assertion(books.session, held.id, reason="The bank sent another", by=ANA, now=NOW)
    assert (withdrawn.withdrawn_by, withdrawn.withdrawn_why) == (ANA, "The bank sent another")
    assert books.book(5, SECOND) == "posted"
    with pytest.raises(AssertionWithdrawn):
        withdraw_assertion(books.session, held.id, reason="again", by=ANA, now=NOW)
    assert queries.check_assertions(books.session).assertions == 0


def test_a_withdrawn_failure_stands_against_nothing(books: Books) -> None:
    failed = books.sign_off(1)
    withdraw_assertion(books.session, failed.id, reason="misread", by=ANA, now=NOW)
    assert queries.open_failures(books.session) == []


@pytest.mark.parametrize("late_by", [timedelta(0), timedelta(minutes=59, seconds=59), timedelta(hours=1)])
def test_a_day_is_asserted_an_hour_after_it_is_over(books: Books, late_by: timedelta) -> None:
    """Midnight in the city is 16:00 UTC."""
    now = datetime(2026, 11, 2, 16, tzinfo=UTC) + late_by
    if late_by < timedelta(hours=1):
        with pytest.raises(InvalidAssertion, match="an hour after"):
            books.sign_off(100_00, now=now)
    else:
        assert books.sign_off(100_00, now=now).held


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"code": "bank:nowhere"}, ledger.UnknownAccount),
        ({"day": date(2026, 12, 24)}, InvalidAssertion),
        ({"day": date.max}, InvalidAssertion),
        ({"cents": 2**63}, InvalidAssertion),
    ],
)
def test_what_cannot_be_asserted_is_refused(books: Books, given: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        books.sign_off(**{"cents": 1, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("document", ["", "  ", "x" * 201, "a\nb"])
def test_an_assertion_names_its_document(books: Books, document: str) -> None:
    with pytest.raises(InvalidAssertion, match="statement or the count"):
        assert_balance(
            books.session, BANK, SECOND, 1, document=document, by=ANA, now=NOW, random_bytes=books.random_bytes
        )


def test_an_assertion_nobody_made_cannot_be_withdrawn(books: Books) -> None:
    with pytest.raises(UnknownAssertion):
        withdraw_assertion(books.session, ANA, reason="none", by=ANA, now=NOW)
    held = books.sign_off(100_00)
    with pytest.raises(InvalidAssertion, match="why"):
        withdraw_assertion(books.session, held.id, reason=" ", by=ANA, now=NOW)


def test_assertions_cannot_be_changed_in_the_database(books: Books) -> None:
    books.sign_off(1)
    for statement in ("UPDATE balance_assertion SET asserted_cents = 2", "DELETE FROM balance_assertion"):
        with pytest.raises(DBAPIError, match="append-only"), books.session.begin_nested():
            books.session.execute(sa.text(statement))


def test_the_database_itself_knows_what_held_means(books: Books) -> None:
    lie = sa.text(
        "INSERT INTO balance_assertion SELECT id, account_code, day, 7, found_cents, held, document, asserted_by,"
        " asserted_at FROM balance_assertion"
    )
    books.sign_off(100_00)
    with pytest.raises(DBAPIError), books.session.begin_nested():
        books.session.execute(lie)
