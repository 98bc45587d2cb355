"""A rider at the real service with real terminals: a validator, and a counter that takes cash."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import db, devices, wallets
from terminals.card import SimulatedCard
from terminals.counter import Till
from terminals.station import Station
from terminals.validator import Place, TapResult, Validator
from tests.terminals.city import session
from tests.terminals.service import CityService

BUS = Place("bus", "ayala")


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
