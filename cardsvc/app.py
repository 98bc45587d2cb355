"""The only file that knows every room: it makes a city of them, the web app on it, and the commands.

An order of making that a crash cannot spoil: folder, vault, schema, accounts. Each step finds what is there already.
"""

import functools
import importlib
import json
import secrets
import signal
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import click
from flask import Flask
from gunicorn.app.base import BaseApplication
from sqlalchemy import Engine

from cardsvc import access, audit, db, jobs, ledger, migrations, settings, web
from cardsvc.access import api as access_api
from cardsvc.access import commands as access_commands
from cardsvc.access import pages as access_pages
from cardsvc.audit import api as audit_api
from cardsvc.audit import commands as audit_commands
from cardsvc.clock import Clock, SystemClock
from cardsvc.db import Base
from cardsvc.errors import CityError, ErrorKind
from cardsvc.ledger import commands as ledger_commands
from cardsvc.settings import Settings
from cardsvc.vault import Vault, VaultMissing

RandomBytes = Callable[[int], bytes]

THREADS = 8  # web.md 4: gthread was the best choice measured; one process is enough for SQLite's one writer
PROCESSES = {"sqlite": 1, "postgresql": 2}
PUBLISH_EVERY = timedelta(seconds=10)
FORGET_EVERY = timedelta(minutes=5)


class SchemaOutdated(CityError):
    code = "schema_outdated"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("The database has another schema than this release. Run ./city migrate, then start again.")


# ------------------------------------------------------------------------------------------------------------ the rooms


def _built(place: str) -> list[Any]:
    """While the house is being built: "room.module:name" where it exists already, else nothing."""
    module, _, name = place.partition(":")
    try:
        return [getattr(importlib.import_module(f"cardsvc.{module}"), name)]
    except (ImportError, AttributeError):
        return []


def blueprints() -> list[Any]:
    """Every room's routes."""
    return [
        access_api.blueprint,
        access_pages.blueprint,
        audit_api.blueprint,
        *_built("transactions.api:blueprint"),
        *_built("benefits.api:blueprint"),
        *_built("taxes.api:blueprint"),
        *_built("transit.api:blueprint"),
        *_built("finance.api:blueprint"),
        *_built("finance.pages:blueprint"),
        *_built("wallets.pages:blueprint"),
        *_built("cards.api:blueprint"),
        *_built("devices.api:blueprint"),
    ]


def wiring() -> Any:
    """What the features do with each kind of record, and what each room says when a card asks about itself."""
    handlers = [
        made()
        for place in (
            "finance:ShiftOpening",
            "finance:ShiftClosing",
            "finance:ToppingUp",
            "finance:Depositing",
            "finance:Funds",
            "transit:Tapping",
            "benefits:Approval",
            "benefits:Claiming",
            "taxes:Paying",
        )
        for made in _built(place)
    ]
    for make in _built("transactions:Wiring"):
        return make(registry={handler.body.KIND: handler for handler in handlers}, sections={})
    return None


def open_base_accounts(city: web.City) -> None:
    """The accounts that every city begins with; opening them again changes nothing."""
    for open_accounts in (*_built("finance:open_chart"), *_built("taxes:open_accounts")):
        db.run(city.engine, functools.partial(open_accounts, now=city.clock.now()))


def periodic(city: web.City) -> list[jobs.Periodic]:
    """What a worker does again and again."""
    return [
        jobs.Periodic("forget expired sign-ins", FORGET_EVERY, access.forget_expired),
        jobs.Periodic("publish the log", PUBLISH_EVERY, lambda session, now: audit.publish(session, city.vault, now)),
    ]


JOBS: jobs.Handlers = {}
CHECKS = [audit_commands.Check("books", lambda session, _city: ledger.check_books(session))]

# ------------------------------------------------------------------------------------------------------------- the city


def build_city(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> web.City:
    """The parts of a city that was made before. Raises: VaultMissing, WrongPassphrase, UnsuitableDatabase."""
    vault = Vault.open(config.vault_folder, config.vault_passphrase)
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
    return web.City(config, clock or SystemClock(), engine, vault, wiring(), random_bytes or secrets.token_bytes)


def init_city(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> web.City:
    """Make what is missing of a city: its folder, keys, schema and first accounts. Doing it again changes nothing."""
    config.home.mkdir(parents=True, exist_ok=True)
    try:
        vault = Vault.open(config.vault_folder, config.vault_passphrase)
    except VaultMissing:
        vault = Vault.create(
            config.vault_folder,
            config.vault_passphrase,
            city_name=config.city_name,
            log_origin=config.log_origin,
            at=(clock or SystemClock()).now(),
            random_bytes=random_bytes or secrets.token_bytes,
            cost=config.password_cost,
        )
    city = assemble(config, vault, db.make_engine(config.database_url), clock=clock, random_bytes=random_bytes)
    make_schema(city.engine)
    open_base_accounts(city)
    return city


def make_schema(engine: Engine) -> None:
    """Bring the tables to where this release wants them."""
    if migrations.has_revisions():
        migrations.migrate(engine)
    else:  # while the house is being built
        Base.metadata.create_all(engine)


def app_of(city: web.City) -> Flask:
    """The web app of a city."""
    app = Flask("cardsvc")
    web.init(app, city)
    web.register(app, *blueprints())
    return app


def create_app(config: Settings, *, clock: Clock | None = None, random_bytes: RandomBytes | None = None) -> Flask:
    """The web app of a city that was made before. Raises: what `build_city` raises; SchemaOutdated."""
    city = build_city(config, clock=clock, random_bytes=random_bytes)
    if not migrations.is_current(city.engine):
        raise SchemaOutdated
    return app_of(city)


# --------------------------------------------------------------------------------------------------------- the commands


@functools.cache
def open_city() -> web.City:
    """The city of this process's environment; what commands get as their object, and open only when they need it."""
    return build_city(settings.load())


class _Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, told by our settings alone: no configuration file, no arguments of its own."""

    def __init__(self, config: Settings, processes: int) -> None:
        self._config = config
        self._processes = processes
        super().__init__()

    def load_config(self) -> None:
        told = {
            "bind": f"{self._config.bind_host}:{self._config.port}",
            "worker_class": "gthread",
            "workers": self._processes,
            "threads": THREADS,
            "proc_name": "city",
            "control_socket_disable": True,
            "graceful_timeout": 10,
        }
        for name, value in told.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """In each process, after the fork: no connection is shared."""
        web.configure_logs()
        return create_app(self._config)


@click.command()
@click.option("--host", help="Address to listen on (CITY_BIND_HOST; 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (CITY_PORT; 8080).")
def serve(host: str | None, port: int | None) -> None:
    """Run the web service until it is told to stop."""
    config = settings.load(bind_host=host, port=port)
    create_app(config)  # says what is missing here, once, and not from every process
    backend = db.make_engine(config.database_url).dialect.name
    click.echo(f"{config.city_name} at {config.public_url} (listening on {config.bind_host}:{config.port})", err=True)
    _Server(config, PROCESSES[backend]).run()


@click.command()
@click.pass_obj
def worker(open_city: Callable[[], web.City]) -> None:
    """Run the jobs that wait in the database, and publish the log, until told to stop."""
    city = open_city()
    if not migrations.is_current(city.engine):
        raise SchemaOutdated
    web.configure_logs()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    jobs.work_until(stop, city.engine, clock=city.clock, handlers=JOBS, periodic=periodic(city))


@click.command()
def init() -> None:
    """Make what is missing of a city: keys, schema, first accounts. Safe to run again."""
    city = init_city(settings.load())
    click.echo(f"{city.settings.city_name} is ready in {city.settings.home}.")


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    config = settings.load()
    config.home.mkdir(parents=True, exist_ok=True)
    make_schema(db.make_engine(config.database_url))
    click.echo("The schema is the newest.")


@click.group()
def config() -> None:
    """The settings in force, and where each comes from."""


@config.command("show")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(as_json: bool) -> None:
    """Every setting, its value and its variable; secrets stay secret."""
    lines = settings.describe(settings.load())
    if as_json:
        click.echo(json.dumps({line.name: {"value": line.value, "from": line.source} for line in lines}))
        return
    for line in lines:
        click.echo(f"{line.name:<24} {line.value:<48} {line.source}")


@config.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(as_json: bool) -> None:
    """Whether a service could start with these settings: they agree, the vault opens, the schema is right."""
    found = build_city(settings.load())
    if not migrations.is_current(found.engine):
        raise SchemaOutdated
    click.echo(json.dumps({"ok": True}) if as_json else "The service can start with these settings.")


def _commands() -> Mapping[str, click.Command]:
    """The commands under their names in `./city`; each gets `open_city` as its object."""
    made: dict[str, click.Command] = {
        "serve": serve,
        "worker": worker,
        "init": init,
        "migrate": migrate,
        "config": config,
        "staff": access_commands.staff,
        "ledger": ledger_commands.ledger,
        "audit": audit_commands.make(CHECKS),
    }
    for name in ("residents", "devices", "benefits", "taxes", "transit", "finance", "cards"):
        for command in _built(f"{name}.commands:{name}"):
            made[name] = command
    for command in made.values():
        command.context_settings["obj"] = open_city
    return made


commands = _commands()
