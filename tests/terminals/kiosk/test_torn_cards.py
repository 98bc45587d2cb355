"""A card pulled out, or gone mute, at any command of a claim or payment: money moves once, when it is done again."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import pytest

from terminals.card import CardInSlot, CardRemoved, LocalReader, PivSession, SimulatedCard
from terminals.kiosk import Kiosk, Seen
from terminals.outbox import State
from terminals.settings import TerminalKind
from terminals.station import Station
from tests.card_builders import Tearing
from tests.terminals.service import PIN, CityService

PESOS_500, PESOS_200 = 500_00, 200_00
COMMANDS_MAX = 40  # far more than a consent takes


@dataclass
class Torn:
    office: CityService
    station: Station
    kiosk: Kiosk
    card: SimulatedCard

    def session(self, card: CardInSlot) -> PivSession:
        reader = LocalReader()
        reader.insert(card)
        return PivSession(reader.connect())

    def look(self) -> Seen:
        return self.kiosk.look(self.session(self.card))


@pytest.fixture
def torn(office: CityService) -> Iterator[Torn]:
    resident = office.resident()
    office.entitlement(UUID(resident["id"]), PESOS_500)
    office.bill(resident["number"], "100.00")
    station = office.station(TerminalKind.KIOSK)
    yield Torn(office, station, Kiosk(station), office.active_card(UUID(resident["id"])))
    station.close()


@pytest.mark.parametrize("done", [False, True])
def test_a_card_torn_out_at_any_command_pays_once(torn: Torn, done: bool) -> None:
    seen = torn.look()
    due, bill = seen.look.entitlements[0], seen.look.bills[0]
    tears = 0
    for place in range(COMMANDS_MAX):
        session = torn.session(Tearing(torn.card, place, done=done))
        try:
            claimed = torn.kiosk.claim(session, seen.card_id, due, bytearray(PIN))
        except CardRemoved:
            # nothing was stored, so nothing is on its way to the city: the outbox says so, by what it holds
            assert torn.station.outbox.by_intent(f"claim:{due.entitlement_id}") is None
            tears += 1
        else:
            break
    assert tears >= 6
    assert (claimed.state, claimed.earlier) == (State.ACCEPTED, False)
    for place in range(COMMANDS_MAX):
        try:
            paid = torn.kiosk.pay(
                torn.session(Tearing(torn.card, place, done=done)), seen.card_id, bill, bytearray(PIN)
            )
        except CardRemoved:
            assert torn.station.outbox.by_intent(f"pay:{bill.bill_id}") is None
        else:
            break
    assert (paid.state, paid.earlier) == (State.ACCEPTED, False)
    again = torn.kiosk.pay(torn.session(torn.card), seen.card_id, bill, bytearray(PIN))
    assert (again.record_id, again.earlier) == (paid.record_id, True)
    after = torn.look().look
    assert after.balance_cents == PESOS_500 - PESOS_200
    assert (after.bills, after.entitlements) == ((), ())
