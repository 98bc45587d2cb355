"""Wallets on a real database: opened once, filled by the ledger, read by their holders."""

import random
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.clock import FixedClock
from tests.builders import make_resident

CASH = "cash:vault"


def open_one(session: Session, clock: FixedClock) -> wallets.Wallet:
    resident = make_resident(session, clock.now())
    return wallets.open_wallets(session, [resident.id], clock.now())[resident.id]


def move(session: Session, clock: FixedClock, number: int, *lines: ledger.Line) -> None:
    """Post one entry; positive amounts are debits."""
    draft = ledger.Draft(UUID(int=number), ledger.EntryKind.ADJUSTMENT, lines, clock.now(), "a test's")
    [answer] = ledger.post(session, [draft], first_seq=number, recorded_at=clock.now())
    assert isinstance(answer, ledger.Posted), answer


@pytest.fixture
def cash(session: Session, clock: FixedClock) -> str:
    spec = ledger.AccountSpec(CASH, ledger.AccountKind.ASSET, ledger.AccountPolicy.DERIVED, ledger.Fund.GENERAL)
    ledger.open_accounts(session, [spec], clock.now())
    return CASH


def test_a_wallet_opens_empty_with_its_accounts(session: Session, clock: FixedClock) -> None:
    wallet = open_one(session, clock)
    assert wallet.is_open
    assert wallet.opened_at == clock.now()
    assert wallets.summary(session, wallet.id) == wallets.Summary(wallet.id, 0, 0, "PHP")
    [purse] = wallets.purses(session, wallet.id)
    assert (purse.name, purse.account, purse.balance_cents) == ("main", wallets.main_account(wallet.id), 0)


def test_opening_a_wallet_again_changes_nothing(session: Session, clock: FixedClock) -> None:
    wallet = open_one(session, clock)
    clock.advance(timedelta(days=1))
    again = wallets.open_wallets(session, [wallet.resident_id, wallet.resident_id], clock.now())
    assert again == {wallet.resident_id: wallet}


def test_many_wallets_open_at_once(session: Session, clock: FixedClock) -> None:
    people = [make_resident(session, clock.now()).id for _ in range(50)]
    opened = wallets.open_wallets(session, people, clock.now())
    assert set(opened) == set(people)
    assert len({wallet.id for wallet in opened.values()}) == 50
    assert wallets.by_residents(session, people) == opened
    assert wallets.open_wallets(session, [], clock.now()) == {}


@pytest.mark.parametrize("seed", range(4))
def test_who_owes_is_said_as_the_balances_say_it_however_much_was_summed_up(
    session: Session, clock: FixedClock, cash: str, seed: int
) -> None:
    """Debts grow, are paid, and are paid too much by a correction; now and then the ledger sums up what it has."""
    chosen = random.Random(seed)
    people = [make_resident(session, clock.now()).id for _ in range(6)]
    owed = {
        who: wallets.owed_account(one.id) for who, one in wallets.open_wallets(session, people, clock.now()).items()
    }
    for number in range(1, 40):
        cents = chosen.choice([-2, -1, 1, 2])
        move(session, clock, number, ledger.Line(owed[chosen.choice(people)], cents), ledger.Line(cash, -cents))
        if not chosen.randrange(6):
            ledger.take_all_snapshots(session)
        money = ledger.balances(session, owed.values())
        found = wallets.owing(session)
        assert sorted(found) == sorted(who for who, code in owed.items() if money[code] > 0)


def test_who_has_no_wallet_has_none(session: Session, clock: FixedClock) -> None:
    resident = make_resident(session, clock.now())
    assert wallets.by_residents(session, [resident.id]) == {}
    with pytest.raises(wallets.WalletNotFound):
        wallets.of_resident(session, resident.id)


def test_the_summary_tells_money_from_debt(session: Session, clock: FixedClock, cash: str) -> None:
    wallet = open_one(session, clock)
    main, owed = wallets.main_account(wallet.id), wallets.owed_account(wallet.id)
    move(session, clock, 1, ledger.Line(cash, 5000), ledger.Line(main, -5000))
    move(session, clock, 2, ledger.Line(main, 6200, then=(owed,)), ledger.Line(cash, -6200))
    found = wallets.summary(session, wallet.id)
    assert (found.balance_cents, found.owed_cents) == (0, 1200)


def test_a_statement_shows_the_newest_entries_first_in_pages(session: Session, clock: FixedClock, cash: str) -> None:
    wallet = open_one(session, clock)
    main = wallets.main_account(wallet.id)
    for number in range(1, 6):
        move(session, clock, number, ledger.Line(cash, 100 * number), ledger.Line(main, -100 * number))
    first = wallets.statement(session, wallet.id, limit=3)
    assert [line.amount_cents for line in first.lines] == [500, 400, 300]
    assert (first.opening, first.closing) == (300, 1500)
    rest = wallets.statement(session, wallet.id, after=first.next, limit=3)
    assert [line.balance_after for line in rest.lines] == [300, 100]
    assert (rest.opening, rest.next) == (0, None)
