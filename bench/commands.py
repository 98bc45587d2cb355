"""`./city bench NAME`: run a bench, print its figures and whether each target holds."""

import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from typing import Final

import click

from bench.frame import ROUNDS, Figure, Options, machine

# Each module has `figures(options)`; loaded only when it is asked for.
BENCHES: Final = {
    "ledger": ("bench.ledger",),
    "crypto": ("bench.crypto",),
    "batch": ("bench.batch", "bench.http"),
    "verify": ("bench.verify",),
    "reading": ("bench.reading",),
    "fares": ("bench.fares",),
    "tap": ("bench.tap",),
}

_SMALL: Final = 100  # below it, decimals say something


@click.command()
@click.argument("name", type=click.Choice([*BENCHES, "all"]))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--quick", is_flag=True, help="Less work a round: to see that it runs, not to quote.")
@click.option("--long", "also_long", is_flag=True, help="Also what takes many minutes: a million entries.")
@click.option("--rounds", type=click.IntRange(1), default=ROUNDS, show_default=True, help="Rounds after the warm-up.")
def bench(name: str, as_json: bool, quick: bool, also_long: bool, rounds: int) -> None:
    """Measure NAME and print each figure with its ratio to a limit measured in the same run.

    Ratios are medians of the ratios of interleaved rounds. Exit 0 only if every target that could be measured holds.
    """
    options = Options(quick=quick, long=also_long, rounds=rounds, say=_say)
    measured: list[Figure] = []
    for figure in _figures(name, options):
        measured.append(figure)
        _say("")
        if not as_json:
            click.echo(_line(figure))
    if as_json:
        told = {"bench": name, "machine": machine(), "figures": [figure.to_json() for figure in measured]}
        click.echo(json.dumps(told, indent=2))
    sys.exit(any(figure.holds is False for figure in measured))


def _say(text: str) -> None:
    """What is being done just now, on a line that the next one replaces; nothing where nobody is looking."""
    if sys.stderr.isatty():
        click.echo(f"\r\033[K{text}", nl=False, err=True)


def _figures(name: str, options: Options) -> Iterator[Figure]:
    for chosen in BENCHES if name == "all" else (name,):
        for module in BENCHES[chosen]:
            if importlib.util.find_spec(module) is None:
                raise click.ClickException(f"The bench {module} is not in this installation.")
            yield from importlib.import_module(module).figures(options)


def _line(figure: Figure) -> str:
    value = "-" if figure.value is None else f"{figure.value:,.3g}" if figure.value < _SMALL else f"{figure.value:,.0f}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3g} x "
    verdict = {True: "holds", False: "MISSED", None: ""}[figure.holds]
    target = "" if figure.target is None else f"target {figure.target}"
    return f"{figure.name}: {value} {figure.unit}  {ratio}{figure.against or ''}  {target} {verdict}".rstrip()
