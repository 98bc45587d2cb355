"""From a ride that the wallet could not pay to a gate that opens again: the real service, its list, real terminals."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from cardsvc import db, devices, transit, wallets
from terminals.card import SimulatedCard
from terminals.counter import Till, verify_card
from terminals.outbox import State
from terminals.settings import TerminalKind
from terminals.station import Station
from terminals.validator import Mode, Outcome, Place, TapResult, Validator
from tests.builders import CLERK
from tests.terminals.city import session
from tests.terminals.service import PASSWORD, CityService
from tests.town import BUS_CENTS, FEED

BUS = Place("bus", "ayala")
RAIL_IN, RAIL_OUT = Place("rail", "metro-ayala", mode=Mode.IN), Place("rail", "metro-guadalupe", mode=Mode.OUT)


@dataclass
class Ride:
    """A rider without money, a validator, a counter with an open shift."""

    office: CityService
    validator: Station
    counter: Station
    till: Till
    card: SimulatedCard
    resident_id: UUID

    def tap(self, place: Place = BUS) -> TapResult:
        self.office.clock.advance(timedelta(minutes=3))  # past what counts as the same tap, or as another's
        return Validator(self.validator, place, lambda _result: None).tap(session(self.card))

    def a_minute_later(self) -> None:
        """The worker publishes, each terminal syncs."""
        office = self.office
        office.clock.advance(timedelta(minutes=1))
        db.run(office.engine, lambda unit: devices.publish_deny_list(unit, office.clock.now()))
        for station in (self.validator, self.counter):
            station.sync()

    def owed(self) -> int:
        def work(unit: Session) -> int:
            return wallets.summary(unit, wallets.of_resident(unit, self.resident_id).id).owed_cents

        return db.run(self.office.engine, work, read_only=True)


@pytest.fixture
def ride(office: CityService) -> Iterator[Ride]:
    now = office.clock.now()
    feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
    db.run(office.engine, lambda unit: transit.import_feed(unit, feed, valid_from=now, by=CLERK, now=now))
    office.fund_vault(5_000_00)
    counter, validator = office.station(TerminalKind.COUNTER), office.station(TerminalKind.VALIDATOR)
    till = Till(counter)
    till.open_shift(office.person("carlo"), PASSWORD, 1_000_00)
    resident_id = UUID(office.resident()["id"])
    yield Ride(office, validator, counter, till, office.active_card(resident_id), resident_id)
    counter.close()
    validator.close()


def test_a_gate_is_shut_from_a_minute_after_the_ride_until_a_minute_after_the_payment(ride: Ride) -> None:
    assert ride.tap().outcome is Outcome.ACCEPTED
    ride.validator.sync()
    assert ride.owed() == BUS_CENTS
    late = ride.tap()  # the gate has not heard of it, and the city honours what it took
    assert late.outcome is Outcome.ACCEPTED
    ride.a_minute_later()
    assert late.record_id is not None
    assert ride.validator.outbox.find(late.record_id).state is State.ACCEPTED
    assert ride.owed() == 2 * BUS_CENTS
    refused = ride.tap()
    assert (refused.outcome, refused.code, refused.record_id) == (Outcome.REFUSED, "fare_owed", None)
    verified = verify_card(session(ride.card), ride.counter)  # the counter holds the same list
    assert (ride.counter.denials.current(), verified.denied) == (ride.validator.denials.current(), False)
    assert ride.till.top_up(session(ride.card), 2 * BUS_CENTS).stored.state is State.ACCEPTED
    assert ride.owed() == 0
    assert ride.tap().code == "fare_owed"  # until the next list
    ride.a_minute_later()
    assert ride.tap().outcome is Outcome.ACCEPTED


def test_whoever_came_in_before_the_list_goes_out_after_it(ride: Ride) -> None:
    assert ride.tap(RAIL_IN).outcome is Outcome.ACCEPTED
    ride.a_minute_later()
    assert ride.owed() > 0
    ride.a_minute_later()
    assert ride.tap(RAIL_IN).code == "fare_owed"
    went_out = ride.tap(RAIL_OUT)
    assert went_out.outcome is Outcome.ACCEPTED
    ride.a_minute_later()
    assert went_out.record_id is not None
    assert ride.validator.outbox.find(went_out.record_id).state is State.ACCEPTED
    assert ride.tap(RAIL_IN).code == "fare_owed"


def test_the_citys_own_policy_bounds_what_a_card_and_what_a_gate_can_lose(ride: Ride) -> None:
    limits = ride.validator.policy().limits
    assert 0 < limits.tap_cents_max <= limits.card_day_cents_max <= limits.device_day_cents_max
    assert 0 < limits.lower_card_day_cents_max < limits.card_day_cents_max
