"""`./city up`, `./city story`, `./city demo`: the city for somebody who has just met it."""

import json
import os
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.markup import escape

if TYPE_CHECKING:
    from demo.story import Report, Step

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
    from demo.story.play import NAMES

    if kill_at is not None and kill_at not in NAMES:
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
