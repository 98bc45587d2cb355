"""One small demo city for all tests here: twenty residents, fifteen days."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from cardsvc import app as service
from cardsvc import web
from cardsvc.clock import MANILA, FixedClock
from cardsvc.settings import DEMO_PASSPHRASE, Environment, Settings
from demo.city.load import Summary, load

TODAY = datetime(2026, 11, 16, 9, 0, tzinfo=MANILA)
SEED = 7


@dataclass(frozen=True, slots=True)
class Loaded:
    """A demo city and what loading it said."""

    settings: Settings
    city: web.City
    summary: Summary


def settings_at(home: Path, database_url: str = "", env: Environment = Environment.TEST) -> Settings:
    """What the environment would say by default, with a home of the test's own."""
    return Settings(
        env=env,
        home=home,
        database_url=database_url or f"sqlite:///{home / 'city.db'}",
        city_name="Maharlika City",
        log_origin="city.example/log",
        public_url="http://127.0.0.1",
        vault_passphrase=DEMO_PASSPHRASE,
        bind_host="127.0.0.1",
        port=0,
    )


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """The demo city on the morning after its fifteenth day."""
    settings = settings_at(tmp_path_factory.mktemp("demo") / "city")
    summary = load(settings, seed=SEED, count=20, today=TODAY, say=lambda _: None, days=15)
    city = service.build_city(settings, clock=FixedClock(TODAY))
    yield Loaded(settings, city, summary)
    city.engine.dispose()
