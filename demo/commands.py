"""`./city up`, `./city story`, `./city demo`: the city for somebody who has just met it."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from demo.story import Report, Step
    from demo.up import Running

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COUNT_MIN, _COUNT_MAX = 20, 100_000


@click.group()
def demo() -> None:
    """The demo city's data."""


@demo.command()
@click.option(
    "--residents",
    "count",
    type=click.IntRange(_COUNT_MIN, _COUNT_MAX),
    default=1_000,
    show_default=True,
    help="How many people live there.",
)
@click.option("--seed", type=int, default=2026, show_default=True, help="The same seed makes the same city.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def load(count: int, seed: int, as_json: bool) -> None:
    """Make the demo city in CITY_HOME: residents, cards, bills, thirty days of signed history.

    The city must be empty. Refused where CITY_ENV is production.
    """
    from cardsvc import settings
    from demo.city.load import load as load_city

    console = Console(stderr=True, highlight=False)
    with console.status("The city is being made ...") as status:
        summary = load_city(
            settings.load(), seed=seed, count=count, today=_now(), say=lambda text: status.update(f"{text} ...")
        )
    if as_json:
        click.echo(json.dumps({"ok": True, "seed": seed, **summary.to_json()}))
        return
    click.echo(
        f"{summary.residents:,} residents, {summary.bills:,} tax bills, {summary.accepted:,} transactions, "
        f"{summary.declined:,} declined, {summary.statements} bank statements."
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with steps and checks, and nothing else.")
@click.option("--kill-at", hidden=True, help="Kill the service in the middle of this step: nothing may be lost.")
def story(as_json: bool, kill_at: str | None) -> None:
    """Play one resident's life, from a card in a reader to a line in the books, in a throw-away city.

    Takes less than a minute and leaves nothing behind. CITY_DATABASE_URL may name a PostgreSQL server: the story makes
    a schema of its own there and drops it. CITY_PCSC=off leaves card readers alone. Exit 0 only if every check holds.
    """
    from demo.processes import turn_signals_into_exceptions
    from demo.story import play
    from demo.story.play import EVERY, NAMES

    if kill_at is not None and kill_at not in (*NAMES, EVERY):
        raise click.BadParameter(f"There is no such step; there are {', '.join(NAMES)}.", param_hint="--kill-at")
    turn_signals_into_exceptions()
    console = Console(highlight=False, quiet=as_json)
    console.print("[bold]One resident's life, in a city that exists for a minute.[/]\n")
    try:
        report = play(os.environ.get("CITY_DATABASE_URL", ""), lambda step: _show_step(console, step), kill_at=kill_at)
    except KeyboardInterrupt:
        click.echo("Stopped; nothing is left behind.", err=True)
        sys.exit(130)
    _show_checks(console, report)
    if as_json:
        click.echo(json.dumps(report.to_json(), ensure_ascii=False))
    sys.exit(0 if report.ok else 1)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="When all runs, print one JSON object with the addresses.")
def up(as_json: bool) -> None:
    """Start the city on this machine: service, worker, a counter and a kiosk, and in a demo city a card in its reader.

    Lives in CITY_HOME (.city in the checkout), listens on this machine alone, and takes the next free ports. The first
    start makes the demo city, unless CITY_ENV is production. Ctrl-C stops all of it.
    """
    from demo.processes import ProcessFailed, turn_signals_into_exceptions
    from demo.up import running, watch

    turn_signals_into_exceptions()
    console = Console(stderr=True, highlight=False)
    try:
        with (
            console.status("Starting ...") as status,
            running(_now(), lambda text: status.update(f"{text} ...")) as city,
        ):
            status.stop()
            if as_json:
                click.echo(json.dumps(city.to_json()))
                sys.stdout.flush()
            else:
                _show_city(city)
            watch(city)
    except KeyboardInterrupt:
        click.echo("Stopped.", err=True)
    except ProcessFailed as error:
        raise click.ClickException(str(error)) from error


def _show_city(city: "Running") -> None:
    from demo.cast import STAFF
    from demo.city.holders import HOLDERS, PIN

    console = Console(highlight=False)
    places = Table(title="The city runs", title_justify="left", show_header=False, box=None, title_style="bold")
    for what, where in city.addresses():
        places.add_row(what, where)
    console.print(places)
    console.print(f"\nReaders: {escape(city.desks.readers)}.", soft_wrap=True)
    if city.home.production:
        console.print("CITY_ENV is production: no demo data, no demo credentials. Make staff with ./city staff add.")
        return
    if city.desks.card:
        card = escape(city.desks.card)
        console.print(f"The card of {card} is in the kiosk's reader; the PIN of every demo card is {PIN}.")
    people = Table(title="\nDemo sign-ins", title_justify="left", box=None, title_style="bold")
    for heading in ("user name", "password", "may"):
        people.add_column(heading)
    for member in STAFF:
        people.add_row(member.username, member.password, ", ".join(member.roles))
    for holder in HOLDERS:
        if holder.signs_in:
            people.add_row(holder.name, holder.password, f"see the wallet of {holder.full_name}")
    console.print(people)
    console.print("\nCtrl-C stops all of it.")


def _show_step(console: Console, step: "Step") -> None:
    mark = "[green]ok[/]    " if step.ok else "[red]failed[/]"
    again = f", again after the service was killed ({step.attempts} attempts)" if step.attempts > 1 else ""
    console.print(f"{mark} [bold]{escape(step.title)}[/] [dim]{step.ms:,} ms{again}[/]")
    figures = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in step.details.items())
    console.print(f"       {escape(figures)}", soft_wrap=True)


def _show_checks(console: Console, report: "Report") -> None:
    console.print()
    for check in report.checks:
        mark = "[green]holds[/] " if check.ok else "[red]FAILS[/] "
        console.print(f"{mark} {escape(check.name)} [dim]({escape(check.detail)})[/]", soft_wrap=True)
    total = sum(step.ms for step in report.steps) / 1000
    verdict = "Every check holds" if report.ok else "[red]Not every check holds[/]"
    console.print(f"\n[bold]{verdict}[/], {total:.1f} s.")
    if report.log:
        console.print(f"The service's log was kept: {report.log}")


def _now() -> datetime:
    from terminals.settings import SystemClock

    return _EPOCH + timedelta(milliseconds=SystemClock().now_ms())
