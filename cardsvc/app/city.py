"""Making a city of its parts, and the web app on it.

An order of making that a crash cannot spoil: folder, vault, schema, accounts. Each step finds what is there already.
"""

import contextlib
import functools
import secrets
from collections.abc import Callable, Iterator

from flask import Flask
from sqlalchemy import Engine

from cardsvc import audit, db, ledger, migrations, residents, web
from cardsvc import vault as vaults
from cardsvc.app import records, wiring
from cardsvc.ceremony import Tools
from cardsvc.clock import Clock, SystemClock
from cardsvc.errors import CityError, ErrorKind
from cardsvc.settings import Settings
from cardsvc.vault import Vault, VaultMissing

RandomBytes = Callable[[int], bytes]
CLOCK = SystemClock()
_FIRST_WITH_A_KEPT_HEAD = "0011"


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
        config, clock or SystemClock(), engine, vault, records.handlers(), random_bytes or secrets.token_bytes
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
    _make_schema(city.engine, config)
    wiring.open_base_accounts(city)
    return city


def migrate_city(config: Settings, *, owner_url: str | None = None) -> str | None:
    """Bring a database to this release: its schema, and a chart of accounts with all that this release opens.

    With `owner_url` the schema is the owner's, and the service's role is granted what it needs; returns that role. If
    we stop before the grants, the service cannot use what is new: do it again.
    """
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)  # residents' data and password hashes are in it
    role = None
    with _engine(config.database_url) as engine:
        if owner_url is None:
            _make_schema(engine, config)
        else:
            with _engine(owner_url) as owner:
                _make_schema(owner, config)
                role = migrations.grant(owner, engine)
        db.run(engine, functools.partial(ledger.adopt_packaged, now=SystemClock().now()))
    return role


@contextlib.contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = db.make_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


def tools_of(config: Settings) -> Tools:
    """What it takes to make or change the city's keys: no database, and perhaps no vault yet."""
    return Tools(config, SystemClock(), secrets.token_bytes)


def make_schema(engine: Engine) -> None:
    """Bring the tables to where this release wants them, and what is computed from them with it. Repeatable."""
    migrations.migrate(engine)
    while db.run(engine, residents.index_register):
        pass


def _make_schema(engine: Engine, config: Settings) -> None:
    """The same, and the head of a log that is older than the file outside the database goes into it.

    Only then: a file that is missing later was lost, and that is for people to say.
    """
    before = db.run(engine, migrations.applied, read_only=True)
    make_schema(engine)
    head = db.run(engine, audit.newest, read_only=True)
    if before and max(before) < _FIRST_WITH_A_KEPT_HEAD and head is not None and not config.log_head.exists():
        audit.keep(config.log_head, head.note)


def app_of(city: web.City) -> Flask:
    """The web app of a city."""
    app = Flask("cardsvc")
    web.init(app, city)
    web.register(app, *wiring.blueprints())
    web.measure(app, *wiring.GAUGES)
    return app


def ready_city(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> web.City:
    """A city whose schema is the one of this release, and whose log goes on from the head kept outside the database.

    Raises: what `build_city` raises; SchemaOutdated; what `audit.check_kept` raises.
    """
    city = build_city(config, clock=clock, random_bytes=random_bytes)
    check_ready(city)
    return city


def check_ready(city: web.City) -> None:
    """Raises: SchemaOutdated, what `audit.check_kept` raises."""
    if not migrations.is_current(city.engine):
        raise SchemaOutdated
    db.run(
        city.engine,
        lambda session: audit.check_kept(session, city.vault, city.settings.log_head),
        read_only=True,
    )


def start_city(config: Settings) -> web.City:
    """A city that is about to serve: its witnesses are asked too. Raises: what `ready_city` raises."""
    city = build_city(config)
    if not migrations.is_current(city.engine):
        raise SchemaOutdated
    audit.check_start(city.engine, city.vault, audit.outside(config))
    return city


def create_app(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> Flask:
    """The web app of a city that was made before. Raises: what `ready_city` raises."""
    return app_of(ready_city(config, clock=clock, random_bytes=random_bytes))
