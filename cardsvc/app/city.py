"""Making a city of its parts, and the web app on it.

An order of making that a crash cannot spoil: folder, vault, schema, accounts. Each step finds what is there already.
"""

import secrets
from collections.abc import Callable

from flask import Flask
from sqlalchemy import Engine

from cardsvc import db, migrations, residents, web
from cardsvc import vault as vaults
from cardsvc.app import wiring
from cardsvc.ceremony import Tools
from cardsvc.clock import Clock, SystemClock
from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import Settings
from cardsvc.vault import Vault, VaultMissing

RandomBytes = Callable[[int], bytes]


class SchemaOutdated(CityError):
    code = "schema_outdated"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The database has another schema than this release. Run ./city migrate, then start again.")


def build_city(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> web.City:
    """The parts of a city that was made before. Raises: VaultMissing, WrongPassphrase, UnsuitableDatabase."""
    vault = vaults.open_by(config)
    return assemble(config, vault, db.make_engine(config.database_url), clock=clock, random_bytes=random_bytes)


def assemble(
    config: Settings,
    vault: Vault,
    engine: Engine,
    *,
    clock: Clock | None = None,
    random_bytes: RandomBytes | None = None,
) -> web.City:
    """A city of parts in hand."""
    return web.City(
        config, clock or SystemClock(), engine, vault, wiring.handlers(), random_bytes or secrets.token_bytes
    )


def init_city(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> web.City:
    """Make what is missing of a city: its folder, keys, schema and first accounts. Doing it again changes nothing."""
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)  # residents' data and password hashes are in it
    try:
        vault = vaults.open_by(config)
    except VaultMissing:
        at = (clock or SystemClock()).now()
        vault = vaults.create_by(config, at=at, random_bytes=random_bytes or secrets.token_bytes)
    city = assemble(config, vault, db.make_engine(config.database_url), clock=clock, random_bytes=random_bytes)
    make_schema(city.engine)
    wiring.open_base_accounts(city)
    return city


def tools_of(config: Settings) -> Tools:
    """What it takes to make or change the city's keys: no database, and perhaps no vault yet."""
    return Tools(config, SystemClock(), secrets.token_bytes)


def make_schema(engine: Engine) -> None:
    """Bring the tables to where this release wants them, and what is computed from them with it. Repeatable."""
    migrations.migrate(engine)
    while db.run(engine, residents.index_register):
        pass


def app_of(city: web.City) -> Flask:
    """The web app of a city."""
    app = Flask("cardsvc")
    web.init(app, city)
    web.register(app, *wiring.blueprints())
    return app


def ready_city(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> web.City:
    """A city whose schema is the one of this release. Raises: what `build_city` raises; SchemaOutdated."""
    city = build_city(config, clock=clock, random_bytes=random_bytes)
    if not migrations.is_current(city.engine):
        raise SchemaOutdated
    return city


def create_app(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> Flask:
    """The web app of a city that was made before. Raises: what `ready_city` raises."""
    return app_of(ready_city(config, clock=clock, random_bytes=random_bytes))
