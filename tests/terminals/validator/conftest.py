from collections.abc import Iterator
from uuid import UUID

import pytest

from cardsvc import db, transit
from terminals.counter import Till
from terminals.settings import TerminalKind
from tests.builders import CLERK
from tests.terminals.riding import Ride
from tests.terminals.service import PASSWORD, CityService
from tests.town import FEED


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
