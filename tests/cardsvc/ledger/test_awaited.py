"""An account is not closed while a purse may still return its rest there."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.ledger.rules import holds

AT = datetime(2026, 11, 2, tzinfo=UTC)
END = AT + timedelta(days=1)
PURSE, HELD, FEES, RICE, FUND = "wallet:w:purse:rice", "wallet:w:held", "revenue:fees", "fund:rice", "fund"


@dataclass
class Books:
    session: Session
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def act(self, at: datetime) -> holds.Act:
        return holds.Act(UUID(int=next(self.numbers)), at, "a test's")

    def post(self, draft: ledger.Draft, at: datetime) -> None:
        [answer] = ledger.post(self.session, [draft], first_seq=next(self.numbers), recorded_at=at)
        assert isinstance(answer, ledger.Posted), answer

    def move(self, source: str, target: str, cents: int, at: datetime) -> None:
        lines = ledger.Line(source, cents), ledger.Line(target, -cents)
        self.post(ledger.Draft(self.act(at).entry_id, ledger.EntryKind.ADJUSTMENT, lines, at, "law"), at)

    def refused(self, at: datetime) -> str:
        with pytest.raises(ledger.AccountAwaited) as told:
            ledger.close_account(self.session, RICE, at)
        return str(told.value)


@pytest.fixture
def books(session: Session) -> Books:
    kind, policy, fund = ledger.AccountKind, ledger.AccountPolicy, ledger.Fund
    purse = ledger.Purse("", END, 0, RICE)
    specs = [
        ledger.AccountSpec(PURSE, kind.LIABILITY, policy.CHECKED, fund.TRUST, 0, purse=purse),
        ledger.AccountSpec(HELD, kind.LIABILITY, policy.CHECKED, fund.TRUST, 0),
        ledger.AccountSpec(FEES, kind.REVENUE, policy.DERIVED, fund.GENERAL),
        ledger.AccountSpec(RICE, kind.EQUITY, policy.DERIVED, fund.GENERAL),
        ledger.AccountSpec(FUND, kind.EQUITY, policy.DERIVED, fund.GENERAL),
    ]
    ledger.open_accounts(session, specs, AT)
    return Books(session)


def test_until_the_purse_is_over_and_empty_and_nothing_of_it_is_held(books: Books) -> None:
    session = books.session
    assert f"{PURSE} returns its rest to account {RICE}" in books.refused(AT)  # its time is not over
    books.move(FUND, PURSE, 40, AT)
    assert PURSE in books.refused(END)  # it has money
    terms = holds.Terms(FEES, "", 40, END + timedelta(days=1))
    act = books.act(AT)
    books.post(holds.place(act, terms, held=HELD, sources=(PURSE,), amount_cents=40), AT)
    assert PURSE in books.refused(END)  # what is held of it may come back
    hold = ledger.known_holds(session, [act.entry_id], END)[act.entry_id]
    parts = ledger.hold_parts(session, [hold])[act.entry_id]
    books.post(holds.release(books.act(END), hold, parts), END)
    with pytest.raises(ledger.AccountNotEmpty):
        ledger.close_account(session, RICE, END)
    books.move(RICE, FUND, 40, END)
    ledger.close_account(session, RICE, END)
    ledger.check_books(session)
