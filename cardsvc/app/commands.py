"""The service's commands: run it, make its parts, look at its settings; and those that the rooms bring."""

import functools
import gc
import json
import signal
import threading
from collections.abc import Mapping

import click
from flask import Flask
from gunicorn.app.base import BaseApplication

from cardsvc import jobs, settings, web
from cardsvc.app import wiring
from cardsvc.app.city import CLOCK, build_city, create_app, init_city, migrate_city, ready_city, start_city, tools_of
from cardsvc.ceremony import Tools
from cardsvc.settings import Settings
from crypto import verifying

# gthread served best of the workers tried; one process is enough for SQLite's one writer. Most of the threads wait: who
# waits for the same commit costs one together, so three times eight served single records better than eight.
THREADS = 24
_VALUES_OF_A_BATCH = 50_000
ABOUT_KEYS = {"vault", "ceremony"}  # they need no database, and may come before there is a city
PROCESSES = {"sqlite": 1, "postgresql": 2}


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
        made = create_app(self._config)
        settle_memory()
        return made


def settle_memory() -> None:
    """What is there now stays: looking through it again with every large batch cost a fifth of the batch's time, and a
    batch makes tens of thousands of values that hold no circles, so they are looked through more seldom too.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_VALUES_OF_A_BATCH, 20, 50)


@click.command()
@click.option("--host", help="Address to listen on (CITY_BIND_HOST; 127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (CITY_PORT; 8080).")
def serve(host: str | None, port: int | None) -> None:
    """Run the web service until it is told to stop."""
    config = settings.load(bind_host=host, port=port)
    city = start_city(config)  # says what is missing here, once, and not from every process
    backend = city.engine.dialect.name
    city.engine.dispose()
    click.echo(f"{config.city_name} at {config.public_url} (listening on {config.bind_host}:{config.port})", err=True)
    click.echo(_verifying(), err=True)
    _Server(config, PROCESSES[backend]).run()


@click.command()
def worker() -> None:
    """Run the jobs that wait in the database, and publish the log, until told to stop."""
    city = start_city(settings.load())
    web.configure_logs()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    jobs.work_until(stop, city.engine, clock=city.clock, handlers=wiring.JOBS, periodic=wiring.periodic(city))


@click.command()
def init() -> None:
    """Make what is missing of a city: keys, schema, first accounts. Safe to run again."""
    city = init_city(settings.load())
    click.echo(f"{city.settings.city_name} is ready in {city.settings.home}.")


@click.command()
@click.option(
    "--owner-url",
    envvar="CITY_OWNER_URL",
    help="PostgreSQL: the address of the role that owns the tables (CITY_OWNER_URL). Then the role of CITY_DATABASE_URL"
    " is granted what the service does, and no more: it cannot drop the guards, nor change or delete entries.",
)
def migrate(owner_url: str | None) -> None:
    """Bring the database to the newest schema, and the chart of accounts to what this release opens."""
    role = migrate_city(settings.load(), owner_url=owner_url)
    click.echo("The schema is the newest." + (f" {role} may read, add, and change what may change." if role else ""))


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
    width = max(len(line.name) for line in lines)
    for line in lines:
        click.echo(f"{line.name:<{width}} {line.value:<48} {line.source}")


@config.command("check")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(as_json: bool) -> None:
    """Whether a service could start with these settings: they agree, the vault opens, the schema is right."""
    ready_city(settings.load())
    if as_json:
        click.echo(json.dumps({"ok": True, "verifier": verifying.chosen().name}))
    else:
        click.echo(f"The service can start with these settings.\n{_verifying()}")


def _verifying() -> str:
    """What verifies the signatures of batches on this machine, and why."""
    choice = verifying.chosen()
    return f"Signatures of batches: the {choice.name} way. {choice.reason}"


def open_tools() -> Tools:
    """What the commands about keys get: settings, clock and randomness, without vault or database."""
    return tools_of(settings.load())


def _commands() -> Mapping[str, click.Command]:
    """The commands under their names in `./city`; each gets `open_city` (or `open_tools`) as its object."""
    made: dict[str, click.Command] = {
        "serve": serve,
        "worker": worker,
        "init": init,
        "migrate": migrate,
        "config": config,
        **wiring.commands(CLOCK),
    }
    for name, command in made.items():
        command.context_settings["obj"] = open_tools if name in ABOUT_KEYS else open_city
    return made


commands = _commands()
