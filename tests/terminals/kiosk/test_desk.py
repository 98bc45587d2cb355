"""A resident at a kiosk, against the real service: look, claim, pay; a network that goes away at the worst moment."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from crypto.wire.receipt import verify_receipt
from terminals.card import Interface, LastPinTry, NotAllowed, PinBlocked, PinFormat, PinRejected, SimulatedCard
from terminals.client import ServiceUnreachable
from terminals.kiosk import Kiosk, Seen
from terminals.outbox import State
from terminals.settings import TerminalKind
from terminals.station import AnotherCard, ForeignCard, Station
from tests.terminals.city import SmallCity, session
from tests.terminals.service import PIN, CityService

PESOS_500 = 500_00


@dataclass
class Visit:
    """A resident with an entitlement of 500 pesos and a bill of 200, at a kiosk."""

    office: CityService
    station: Station
    kiosk: Kiosk
    card: SimulatedCard

    def look(self) -> Seen:
        return self.kiosk.look(session(self.card))

    def records(self) -> int:
        latest = self.station.outbox.batch(now_ms=self.station.now_ms(), policy_number=1)
        return len(latest.record_ids) if latest else 0


@pytest.fixture
def visit(office: CityService) -> Iterator[Visit]:
    resident = office.resident()
    resident_id = UUID(resident["id"])
    office.entitlement(resident_id, PESOS_500)
    office.bill(resident["number"], "100.00")
    card = office.active_card(resident_id)
    station = office.station(TerminalKind.KIOSK)
    yield Visit(office, station, Kiosk(station), card)
    station.close()


def test_a_card_alone_shows_the_balance_and_what_is_due(visit: Visit) -> None:
    look = visit.look().look
    assert (look.initials, look.balance_cents, look.owed_cents) == ("J. R.", 0, 0)
    assert [due.amount_cents for due in look.entitlements] == [PESOS_500]
    assert [bill.amount_cents for bill in look.bills] == [200_00]
    assert re.fullmatch("RF[0-9]{2}( [0-9A-Z]{4}){3}", look.top_up_reference)
    assert look.top_up_mandates == ()


def test_a_claim_and_a_payment_with_the_pin_are_confirmed_with_receipts(visit: Visit) -> None:
    seen, pin = visit.look(), bytearray(PIN)
    claimed = visit.kiosk.claim(session(visit.card), seen.card_id, seen.look.entitlements[0], pin)
    assert (claimed.state, claimed.earlier, claimed.amount_cents) == (State.ACCEPTED, False, PESOS_500)
    assert not any(pin)
    paid = visit.kiosk.pay(session(visit.card), seen.card_id, seen.look.bills[0], bytearray(PIN))
    assert paid.state is State.ACCEPTED
    assert paid.receipt
    receipt = verify_receipt(paid.receipt, visit.station.policies.keys())
    assert (receipt.record_id, receipt.amount_cents) == (paid.record_id, 200_00)
    assert (receipt.official_number or "").startswith("RPT-2026-")
    after = visit.look().look
    assert (after.balance_cents, after.entitlements, after.bills) == (300_00, (), ())


def test_a_bill_that_the_wallet_cannot_pay_is_refused_with_a_reason(visit: Visit) -> None:
    seen = visit.look()
    refused = visit.kiosk.pay(session(visit.card), seen.card_id, seen.look.bills[0], bytearray(PIN))
    assert (refused.state, refused.reason) == (State.REJECTED, "insufficient_funds")
    visit.kiosk.claim(session(visit.card), seen.card_id, seen.look.entitlements[0], bytearray(PIN))
    again = visit.kiosk.pay(session(visit.card), seen.card_id, seen.look.bills[0], bytearray(PIN))
    assert (again.state, again.earlier) == (State.ACCEPTED, False)


@pytest.mark.parametrize("lost", ["lose_request", "lose_answer"])
def test_a_network_lost_after_the_signature_keeps_one_record_and_never_makes_a_second(visit: Visit, lost: str) -> None:
    seen = visit.look()
    due = seen.look.entitlements[0]
    setattr(visit.office.send, lost, visit.office.send.sent + 1)
    kept = visit.kiosk.claim(session(visit.card), seen.card_id, due, bytearray(PIN))
    assert (kept.state, visit.records()) == (State.WAITING, 1)
    visit.office.send.off = True
    still = visit.kiosk.claim(session(visit.card), seen.card_id, due, bytearray(PIN))
    assert (still.record_id, still.state, still.earlier) == (kept.record_id, State.WAITING, True)
    assert visit.records() == 1
    visit.office.send.off = False
    confirmed = visit.kiosk.claim(session(visit.card), seen.card_id, due, bytearray(PIN))
    assert (confirmed.record_id, confirmed.state, confirmed.earlier) == (kept.record_id, State.ACCEPTED, True)
    assert visit.look().look.balance_cents == PESOS_500


def test_a_wrong_pin_says_how_many_tries_are_left_and_leaves_no_record(visit: Visit) -> None:
    seen, pin = visit.look(), bytearray(b"999999")
    with pytest.raises(PinRejected) as rejected:
        visit.kiosk.claim(session(visit.card), seen.card_id, seen.look.entitlements[0], pin)
    assert rejected.value.attempts_left == 4
    assert not any(pin)
    assert visit.station.outbox.waiting() == 0


def test_the_last_try_is_not_used_up_unasked_and_a_blocked_pin_is_a_state(visit: Visit) -> None:
    seen = visit.look()
    due = seen.look.entitlements[0]
    visit.card.state.pin_tries_left = 1
    with pytest.raises(LastPinTry):
        visit.kiosk.claim(session(visit.card), seen.card_id, due, bytearray(b"999999"))
    visit.card.state.pin_tries_left = 0
    with pytest.raises(PinBlocked):
        visit.kiosk.claim(session(visit.card), seen.card_id, due, bytearray(PIN))
    assert visit.look().look.balance_cents == 0  # a blocked PIN still shows the balance


def test_something_else_than_a_pin_is_refused_before_the_card_is_asked(visit: Visit) -> None:
    seen = visit.look()
    with pytest.raises(PinFormat):
        visit.kiosk.claim(session(visit.card), seen.card_id, seen.look.entitlements[0], bytearray(b"12"))


def test_another_card_cannot_sign_for_what_the_first_was_shown(visit: Visit) -> None:
    seen, other = visit.look(), visit.office.active_card()
    with pytest.raises(AnotherCard):
        visit.kiosk.claim(session(other), seen.card_id, seen.look.entitlements[0], bytearray(PIN))
    assert visit.station.outbox.waiting() == 0


def test_another_citys_card_sees_nothing(visit: Visit) -> None:
    with pytest.raises(ForeignCard):
        visit.kiosk.look(session(SmallCity(2).card()))


def test_a_contactless_card_is_sent_to_the_slot_for_its_pin(visit: Visit) -> None:
    seen = visit.look()
    pin = bytearray(PIN)
    with pytest.raises(NotAllowed):
        visit.kiosk.claim(session(visit.card, Interface.CONTACTLESS), seen.card_id, seen.look.entitlements[0], pin)
    assert not any(pin)


def test_without_a_network_there_is_no_look(visit: Visit) -> None:
    visit.office.send.off = True
    with pytest.raises(ServiceUnreachable):
        visit.look()


def test_a_pass_is_bought_with_the_pin_and_the_same_one_for_the_same_day_once(visit: Visit) -> None:
    assert visit.look().look.passes == ()
    visit.office.tariff()
    seen = visit.look()
    week, ten, month = seen.look.passes
    assert (week.pass_id, week.amount_cents, week.days, week.rides) == ("bus-week", 150_00, 7, None)
    assert (ten.rides, month.amount_cents) == (10, 1_200_00)
    refused = visit.kiosk.buy(session(visit.card), seen.card_id, week, bytearray(PIN))
    assert (refused.state, refused.reason) == (State.REJECTED, "insufficient_funds")
    visit.kiosk.claim(session(visit.card), seen.card_id, seen.look.entitlements[0], bytearray(PIN))
    pin = bytearray(PIN)
    bought = visit.kiosk.buy(session(visit.card), seen.card_id, week, pin)
    assert (bought.state, bought.earlier, bought.amount_cents) == (State.ACCEPTED, False, 150_00)
    assert not any(pin)
    again = visit.kiosk.buy(session(visit.card), seen.card_id, week, bytearray(PIN))
    assert (again.record_id, again.earlier) == (bought.record_id, True)
    assert visit.look().look.balance_cents == PESOS_500 - 150_00
