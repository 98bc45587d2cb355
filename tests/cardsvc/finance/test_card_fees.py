"""The price of a card, in cash within a shift: at the price in force, once, apart from every wallet, and back again."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from cardsvc import cards, finance
from cardsvc.cards import CardNotPaid
from cardsvc.finance.queries import day_sheet
from crypto.wire.finance import CardPaid
from crypto.wire.transaction import Purpose
from tests.builders import CLERK
from tests.cardsvc.transactions.test_concurrency import THREADS, at_once
from tests.prices import LOST_CENTS, by_two, fee, hand_over, replaced, set_price, waive
from tests.town import FLOAT_CENTS, Result, Terminal, Town, top_up

FEES = "revenue:fees:card"
Till = tuple[Terminal, UUID]


@pytest.fixture
def till(town: Town) -> Till:
    """A counter with an open shift, in a city where a lost card has a price."""
    set_price(town, LOST_CENTS)
    return town.till()


def body(town: Town, till: Till, card_id: UUID, cents: int = LOST_CENTS, currency: str = "PHP") -> CardPaid:
    return CardPaid(town.staff("cashier").id, till[1], card_id, cents, currency)


def pay(town: Town, till: Till, card_id: UUID, cents: int = LOST_CENTS, **given: Any) -> Result:
    return till[0].send_one(body(town, till, card_id, cents), town.staff_signs("cashier"), **given)


def books(town: Town, till: Till) -> list[int]:
    """What the drawer holds, and what was earned with cards."""
    return town.balance_of(finance.drawer(till[0].device_id), FEES)


def reverse(town: Town, entry_id: UUID | None) -> Any:
    given = {"entry_id": str(entry_id), "reason": "The card was found"}
    return town.act("/v1/finance/reversals", "finance", **given)


def test_a_card_is_paid_in_cash_and_then_handed_over(town: Town, till: Till) -> None:
    ana = town.person()
    order = replaced(town, ana)
    done = pay(town, till, order)
    assert (done.outcome, town.verified(done).record_id) == ("accepted", done.record_id)
    assert books(town, till) == [FLOAT_CENTS + LOST_CENTS, LOST_CENTS]
    assert (town.balance(ana), town.balance_of("revenue:fees")) == (0, [0])
    assert fee(town, order) == ("lost", LOST_CENTS, "paid")
    assert hand_over(town, ana).card_id == order
    town.check()


def test_what_was_paid_stands_when_the_price_changes(town: Town, till: Till) -> None:
    ana = town.person()
    order = replaced(town, ana)
    pay(town, till, order)
    set_price(town, 150_00)
    assert fee(town, order) == ("lost", LOST_CENTS, "paid")
    assert hand_over(town, ana).card_id == order


@pytest.mark.parametrize("cents", [LOST_CENTS - 1, LOST_CENTS + 1, 150_00])
def test_a_price_that_does_not_hold_now_is_refused(town: Town, till: Till, cents: int) -> None:
    set_price(town, 150_00, day=town.today() + timedelta(days=1))
    order = replaced(town, town.person())
    assert pay(town, till, order, cents).reason == "wrong_amount"
    assert books(town, till) == [FLOAT_CENTS, 0]
    town.check()


def test_the_price_in_force_is_that_of_the_day_on_which_the_city_takes_the_record(town: Town, till: Till) -> None:
    order, shown_at = replaced(town, town.person()), town.clock.now()
    set_price(town, 150_00, day=town.today() + timedelta(days=1))
    town.clock.advance(timedelta(days=1))
    late = pay(town, till, order, at=shown_at)
    assert (late.reason, late.detail) == ("wrong_amount", "This card costs ₱150.00. Look at its price again.")
    assert pay(town, till, order, 150_00).outcome == "accepted"


def test_other_money_and_free_cards_are_refused(town: Town, till: Till) -> None:
    order = replaced(town, town.person())
    dollars = till[0].send_one(body(town, till, order, currency="USD"), town.staff_signs("cashier"))
    assert dollars.reason == "wrong_amount"
    free = replaced(town, town.person(), cards.RevocationReason.DAMAGED)
    refused = pay(town, till, free)
    assert (refused.reason, refused.detail) == ("wrong_amount", "This card is free. Give the cash back.")
    town.check()


def test_one_order_is_paid_once(town: Town, till: Till) -> None:
    order = replaced(town, town.person())
    signs, counter = town.staff_signs("cashier"), till[0]
    for _ in range(2):  # of two in one batch, too
        counter.add(body(town, till, order), signs)
    assert [one.reason for one in counter.send()] == [None, "already_done"]
    assert pay(town, till, order).reason == "already_done"
    assert books(town, till) == [FLOAT_CENTS + LOST_CENTS, LOST_CENTS]
    town.check()


def test_the_same_record_again_moves_nothing_twice(town: Town, till: Till) -> None:
    order = replaced(town, town.person())
    _, item = till[0].make(body(town, till, order), town.staff_signs("cashier"))
    first, again = till[0].send([item])[0], till[0].send([item])[0]
    assert (first.outcome, first.replayed) == ("accepted", False)
    assert (again.outcome, again.replayed, again.receipt is not None) == ("accepted", True, True)
    assert books(town, till) == [FLOAT_CENTS + LOST_CENTS, LOST_CENTS]
    assert town.count("card_payment") == 1


def test_of_several_counters_at_one_moment_one_is_paid(town: Town, till: Till) -> None:
    order, signs = replaced(town, town.person()), town.staff_signs("cashier")
    tills = [till, *(town.till() for _ in range(THREADS - 1))]
    batches = []
    for each in tills:
        each[0].add(body(town, each, order), signs)
        batches.append(each[0].batch())
    answers = [answer[0].reason or answer[0].outcome for answer in at_once(town, batches)]
    assert sorted(answers) == ["accepted", *["already_done"] * (THREADS - 1)]
    assert (town.balance_of(FEES), town.count("card_payment")) == ([LOST_CENTS], 1)
    town.check()


def test_a_card_that_is_not_on_order_is_not_paid(town: Town, till: Till) -> None:
    ana = town.person()
    assert pay(town, till, ana.card.card_id).reason == "unknown_reference"  # in use
    assert pay(town, till, UUID(int=7)).reason == "unknown_reference"
    order = replaced(town, ana)
    now = town.clock.now()
    town.run(lambda session: cards.revoke(session, order, reason=cards.RevocationReason.WITHDRAWN, by=CLERK, now=now))
    assert pay(town, till, order).reason == "unknown_reference"


def test_a_price_that_was_waived_is_not_taken(town: Town, till: Till) -> None:
    order = replaced(town, town.person())
    waive(town, order)
    assert pay(town, till, order).reason == "already_done"


def test_only_the_cashier_of_the_open_shift_takes_it(town: Town, till: Till) -> None:
    order, counter = replaced(town, town.person()), till[0]
    signed = body(town, till, order)
    assert counter.send_one(signed, town.staff_signs("clerk")).reason == "not_permitted"
    assert counter.send_one(signed, town.staff_signs("cashier", "clerk")).reason == "not_permitted"  # not the signer
    other = CardPaid(town.staff("cashier", "clerk").id, till[1], order, LOST_CENTS, "PHP")
    in_anothers_shift = counter.send_one(other, town.staff_signs("cashier", "clerk"))
    assert (in_anothers_shift.reason, "another cashier's shift" in str(in_anothers_shift.detail)) == (
        "not_permitted",
        True,
    )
    assert town.counter().send_one(signed, town.staff_signs("cashier")).reason == "unknown_reference"
    assert town.kiosk().send_one(signed, town.staff_signs("cashier")).reason == "not_permitted"
    town.close_shift(counter, till[1], FLOAT_CENTS)
    assert pay(town, till, order).reason == "unknown_reference"
    assert fee(town, order) == ("lost", LOST_CENTS, "due")
    town.check()


def test_what_is_taken_back_counts_as_unpaid_and_may_be_paid_again(town: Town, till: Till) -> None:
    ana = town.person()
    order = replaced(town, ana)
    done = pay(town, till, order)
    assert reverse(town, done.record_id)["outcome"] == "accepted"
    assert reverse(town, done.record_id)["reason"] == "already_done"
    assert (books(town, till), fee(town, order)) == ([FLOAT_CENTS, 0], ("lost", LOST_CENTS, "due"))
    with pytest.raises(CardNotPaid):
        hand_over(town, ana)
    assert pay(town, till, order).outcome == "accepted"
    assert hand_over(town, ana).card_id == order
    town.check()


def test_a_voucher_of_two_takes_it_back_too(town: Town, till: Till) -> None:
    order = replaced(town, town.person())
    done = pay(town, till, order)
    drawer = finance.drawer(till[0].device_id)
    lines = [{"account_code": drawer, "amount_cents": -LOST_CENTS}, {"account_code": FEES, "amount_cents": LOST_CENTS}]
    said = {"fund": "general", "booked_on": town.today().isoformat(), "particulars": "Found", "document": "Note 1"}
    payload = said | {"lines": lines, "reverses": str(done.record_id)}
    by_two(town, "finance.journal_entry", payload, "finance", "treasurer")
    assert (books(town, till), fee(town, order)[2]) == ([FLOAT_CENTS, 0], "due")
    town.check()


def test_a_shift_with_loads_and_cards_counts_to_the_centavo(town: Town, till: Till) -> None:
    """Float, a load, two cards of which one is taken back: the drawer, the count, and the sheet of the day agree."""
    set_price(town, 33_33, "damaged")
    counter, shift_id = till
    ana, ben = town.person(), town.person()
    assert counter.send_one(top_up(shift_id, 70_01), ana.signs(Purpose.PRESENCE)).outcome == "accepted"
    lost = pay(town, till, replaced(town, ana))
    damaged = pay(town, till, replaced(town, ben, cards.RevocationReason.DAMAGED), 33_33)
    assert (lost.outcome, damaged.outcome) == ("accepted", "accepted")
    assert (town.balance(ana), town.balance(ben)) == (70_01, 0)
    assert reverse(town, lost.record_id)["outcome"] == "accepted"
    expected = FLOAT_CENTS + 70_01 + 33_33
    assert books(town, till) == [expected, 33_33]
    [drawer] = town.run(lambda session: day_sheet(session, town.today())).drawers
    assert (drawer.cards_cents, drawer.expected_cents) == (LOST_CENTS + 33_33, expected)
    assert town.close_shift(counter, shift_id, expected).outcome == "accepted"
    assert town.balance_of("cash:over-short", finance.drawer(counter.device_id)) == [0, 0]
    town.check()


def test_the_wallet_and_its_statement_know_nothing_of_it(town: Town, till: Till) -> None:
    ana = town.rich_person(70_00, till=till)
    pay(town, till, replaced(town, ana))
    path = f"/v1/finance/accounts/wallet:{ana.wallet_id}:main/statement"
    page = town.client.get(path, headers=town.token("finance")).get_json()
    assert [line["amount_cents"] for line in page["lines"]] == [70_00]
    assert town.balance(ana) == 70_00
