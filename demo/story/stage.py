"""The stage: a throw-away city with its service, its readers and its terminals. Leaving it leaves nothing."""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID

from cardsvc import access, db, transit
from cardsvc import app as service_app
from cardsvc.clock import MANILA
from cardsvc.settings import CHEAP, DEMO_PASSPHRASE, Environment, Settings
from crypto.wire import ids
from demo.city import register
from demo.city.load import FEED
from demo.office import Office
from demo.readers import Bench, Slot, private_bench
from demo.story.database import own_database
from demo.story.service import Service, Wire
from terminals.card import Interface, NoCard, PivSession, SimulatedCard
from terminals.client import Send
from terminals.settings import SystemClock, TerminalKind, TerminalSettings
from terminals.station import Station

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CARD_SECONDS: Final = 5.0
PREFIX: Final = "city-story-"


def now() -> datetime:
    """The time, from the terminals' clock."""
    return _EPOCH + timedelta(milliseconds=SystemClock().now_ms())


@dataclass(slots=True)
class Stage:
    """What the steps share. `at` is the slot that the card is in.

    `keys` are the Idempotency-Keys in use: a step that is played again uses the same.
    """

    folder: Path
    settings: Settings
    service: Service
    wire: Wire
    office: Office
    bench: Bench
    card: SimulatedCard
    at: Slot | None = None
    keys: dict[str, UUID] = field(default_factory=dict)
    stations: list[Station] = field(default_factory=list)

    def key(self, what: str) -> UUID:
        """The id of the act of this name, made once."""
        return self.keys.setdefault(what, ids.uuid7(SystemClock().now_ms(), secrets.token_bytes(ids.RANDOM_BYTES)))

    def today(self) -> date:
        """The city's date."""
        return now().astimezone(MANILA).date()

    def terminal(self, kind: TerminalKind) -> TerminalSettings:
        return TerminalSettings(kind, self.service.url, self.folder / kind, name=f"The story's {kind}")

    def station(self, kind: TerminalKind, *, send: Send | None = None) -> Station:
        """The enrolled terminal of this kind, opened anew; without `send` it is on the network."""
        station = Station.open(self.terminal(kind), send=send or self.wire)
        self.stations.append(station)
        return station

    @contextlib.contextmanager
    def session(self, slot: Slot) -> Iterator[PivSession]:
        """The card in this slot, brought there if it is elsewhere, and a session with it."""
        if self.at is not slot:
            if self.at is not None:
                self.at.hand.remove()
            slot.hand.insert(self.card)
            self.at = slot
            if not slot.reader.wait_for_card(_CARD_SECONDS):
                raise NoCard(slot.name)
        with PivSession(slot.reader.connect()) as session:
            yield session

    def close(self) -> None:
        for station in self.stations:
            station.close()

    def give_password(self, resident_id: UUID, username: str, password: str) -> None:
        """What an operator does for a resident who wants to see the wallet on the web."""
        engine = db.make_engine(self.settings.database_url)
        try:
            with db.unit_of_work(engine) as session:
                access.set_resident_password(
                    session, resident_id, username, password, now(), random_bytes=secrets.token_bytes, cost=CHEAP
                )
        finally:
            engine.dispose()


@contextlib.contextmanager
def stage(database_url: str) -> Iterator[Stage]:
    """Build it; on leaving, however, take everything away but a log that somebody asked to keep."""
    with contextlib.ExitStack() as kept:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        kept.callback(shutil.rmtree, folder, ignore_errors=True)
        url = kept.enter_context(own_database(database_url, folder))
        settings = _settings(folder / "city", url)
        _prepare(settings)
        service = Service(settings.home, url, folder / "service.log")
        kept.callback(service.stop)
        service.start()
        bench = private_bench(Interface.CONTACTLESS)
        kept.callback(bench.close)
        wire = Wire(service)
        made = Stage(folder, settings, service, wire, Office(wire), bench, SimulatedCard.blank())
        kept.callback(made.close)
        yield made


def _settings(home: Path, database_url: str) -> Settings:
    return Settings(
        env=Environment.DEMO,
        home=home,
        database_url=database_url,
        city_name="Maharlika City",
        log_origin="city.example/log",
        public_url="http://127.0.0.1",
        vault_passphrase=DEMO_PASSPHRASE,
        bind_host="127.0.0.1",
        port=0,
    )


def _prepare(settings: Settings) -> None:
    """A city with staff and a tariff, and nobody else in it."""
    city = service_app.init_city(settings)
    at = city.clock.now()
    feed = {path.name: path.read_bytes() for path in sorted(FEED.glob("*.txt"))}
    try:
        with db.unit_of_work(city.engine) as session:
            register.add_staff(session, city, at)
            transit.import_feed(session, feed, valid_from=at, by=UUID(int=0), now=at)
    finally:
        city.engine.dispose()
