"""Cash at a counter, against the real service: a shift, top-ups, and a network that goes away."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from terminals.card import SimulatedCard
from terminals.client import FeeView, ServiceRefused, ServiceUnreachable
from terminals.counter import (
    NoOpenShift,
    NothingDue,
    ShiftStillOpen,
    Taken,
    Till,
    TopUp,
    VerifiedCard,
    WrongAmount,
    read_pesos,
    verify_card,
)
from terminals.outbox import IntentPending, State
from terminals.settings import TerminalKind
from terminals.station import ForeignCard, Station
from tests.terminals.city import SmallCity, session
from tests.terminals.service import PASSWORD, CityService


@dataclass
class Desk:
    office: CityService
    station: Station
    till: Till
    card: SimulatedCard

    def open_shift(self) -> None:
        self.office.fund_vault(5_000_00)
        opened = self.till.open_shift(self.office.person("carlo"), PASSWORD, 1_000_00)
        assert opened.state is State.ACCEPTED, opened.detail

    def top_up(self, cents: int = 250_00) -> TopUp:
        return self.till.top_up(session(self.card), cents)

    def verify(self) -> VerifiedCard:
        return verify_card(session(self.card), self.station, self.office.clerk)


@pytest.fixture
def desk(office: CityService) -> Iterator[Desk]:
    station = office.station(TerminalKind.COUNTER)
    yield Desk(office, station, Till(station), office.active_card())
    station.close()


def test_a_shift_from_float_to_count(desk: Desk) -> None:
    desk.open_shift()
    done = desk.top_up()
    assert done.stored.state is State.ACCEPTED
    assert done.stored.receipt
    shift = desk.till.shift()
    assert shift
    assert (shift.float_cents, shift.expected_cents, shift.confirmed) == (1_000_00, 1_250_00, True)
    closed = desk.till.close_shift(desk.office.person("carlo"), PASSWORD, 1_250_00)
    assert closed.state is State.ACCEPTED, closed.detail
    assert desk.till.shift() is None


def test_no_cash_is_taken_without_a_shift(desk: Desk) -> None:
    with pytest.raises(NoOpenShift):
        desk.top_up()


def test_a_second_shift_waits_for_the_first_to_close(desk: Desk) -> None:
    desk.open_shift()
    with pytest.raises(ShiftStillOpen):
        desk.till.open_shift(desk.office.person("carlo"), PASSWORD, 0)


def test_the_open_shift_survives_a_restart(desk: Desk) -> None:
    desk.open_shift()
    assert Till(desk.station).shift() == desk.till.shift()


def test_a_wrong_password_opens_no_shift(desk: Desk) -> None:
    with pytest.raises(ServiceRefused):
        desk.till.open_shift(desk.office.person("carlo"), "not the password", 0)
    assert desk.station.outbox.waiting() == 0
    assert desk.till.shift() is None


def test_a_top_up_that_the_network_lost_is_kept_and_not_taken_twice(desk: Desk) -> None:
    desk.open_shift()
    desk.office.send.off = True
    kept = desk.top_up()
    assert kept.stored.state is State.WAITING
    with pytest.raises(IntentPending):
        desk.top_up()
    desk.office.send.off = False
    assert desk.station.upload().accepted == 1
    assert desk.station.upload().sent == 0
    assert desk.station.outbox.find(kept.stored.record_id).state is State.ACCEPTED
    assert desk.top_up(100_00).stored.state is State.ACCEPTED


def test_nothing_is_no_amount(desk: Desk) -> None:
    desk.open_shift()
    with pytest.raises(WrongAmount):
        desk.top_up(0)


def test_a_genuine_active_card_is_verified(desk: Desk) -> None:
    found = desk.verify()
    assert (found.state, found.denied, found.attempts_left) == ("active", False, 5)


def test_a_suspended_card_is_genuine_and_not_in_force(desk: Desk) -> None:
    card_id = desk.verify().card_id
    desk.office.ask("clara", "POST", f"/v1/cards/{card_id}/suspension", {"reason": "lost"})
    desk.station.refresh()
    assert (desk.verify().state, desk.verify().denied) == ("suspended", True)


def test_verifying_works_without_the_network_and_says_what_it_does_not_know(desk: Desk) -> None:
    desk.office.send.off = True
    found = desk.verify()
    assert (found.state, found.denied) == (None, False)
    with pytest.raises(ServiceUnreachable):
        desk.station.sync()


def test_a_foreign_card_is_not_verified(desk: Desk) -> None:
    with pytest.raises(ForeignCard):
        verify_card(session(SmallCity(2).card()), desk.station)


@pytest.mark.parametrize(
    ("text", "cents"),
    [("1,234.50", 123450), ("1234", 123400), ("0.05", 5), (" 12.00 ", 1200), ("1,000,000", 100000000)],
)
def test_amounts_are_read_as_people_write_them(text: str, cents: int) -> None:
    assert read_pesos(text) == cents


@pytest.mark.parametrize("text", ["", "-1", "1.5", "1.234", "1,23", "12,34,567", "٣", "1e3", "₱5", "9999999999"])
def test_anything_else_is_no_amount(text: str) -> None:
    with pytest.raises(WrongAmount):
        read_pesos(text)


def priced_order(desk: Desk) -> FeeView:
    """The order of a lost card's successor, and what it asks for."""
    desk.office.card_price(100_00)
    held = desk.verify().card_id
    order = desk.office.clerk.replace_card(held, "lost")
    fee = desk.office.person("cora").card_fee(order.card_id)
    assert fee is not None
    assert (fee.amount_cents, fee.is_due) == (100_00, True)
    return fee


def test_the_price_of_a_card_is_counted_apart_from_loads(desk: Desk) -> None:
    desk.open_shift()
    desk.top_up(70_00)
    fee = priced_order(desk)
    paid = desk.till.take_price(desk.office.person("carlo"), PASSWORD, fee)
    assert (paid.state, paid.detail) == (State.ACCEPTED, None)
    assert paid.receipt
    shift = desk.till.shift()
    assert shift
    assert (shift.loads_cents, shift.cards_cents, shift.expected_cents) == (70_00, 100_00, 1_170_00)
    assert desk.till.taken_for(fee.card_id) == Taken(100_00, 0)
    closed = desk.till.close_shift(desk.office.person("carlo"), PASSWORD, shift.expected_cents)
    assert closed.state is State.ACCEPTED


def test_a_price_whose_answer_was_lost_is_kept_and_not_taken_twice(desk: Desk) -> None:
    desk.open_shift()
    fee, carlo = priced_order(desk), desk.office.person("carlo")
    desk.office.send.lose_answer = desk.office.send.sent + 2  # the signature comes, the city's answer does not
    kept = desk.till.take_price(carlo, PASSWORD, fee)
    assert kept.state is State.WAITING
    with pytest.raises(IntentPending):
        desk.till.take_price(carlo, PASSWORD, fee)
    assert desk.station.upload().accepted == 1
    assert desk.station.outbox.find(kept.record_id).state is State.ACCEPTED
    again = desk.till.take_price(carlo, PASSWORD, fee)  # as it was shown before
    assert (again.state, again.reason) == (State.REJECTED, "already_done")
    shift = desk.till.shift()
    assert shift
    assert shift.cards_cents == 100_00


def test_without_a_shift_or_a_price_nothing_is_taken(desk: Desk) -> None:
    fee, carlo = priced_order(desk), desk.office.person("carlo")
    with pytest.raises(NoOpenShift):
        desk.till.take_price(carlo, PASSWORD, fee)
    desk.open_shift()
    with pytest.raises(NothingDue):
        desk.till.take_price(carlo, PASSWORD, replace(fee, state="paid"))
