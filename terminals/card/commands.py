"""`./city card ...`: what one can do with a reader and a card, and nothing else."""

import json
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import click
from cryptography import x509
from rich.console import Console
from rich.markup import escape

from terminals.card import health, pcsc
from terminals.card.check import Check, Report, Step
from terminals.card.connection import Reader
from terminals.card.errors import CardError, NoCard
from terminals.card.session import PivSession
from terminals.settings import SystemClock

WAIT_SECONDS: Final = 10.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@click.group()
def card() -> None:
    """Read and check the card in the reader."""


@card.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def readers(as_json: bool) -> None:
    """Show each card reader of this machine: its state, its driver's firmware, what is wrong and what to do about it.

    No card is touched. Exits 0 only if there is a reader and all of them are well.
    """
    seen = health.survey(pcsc.look_around, health.Machine.look(), SystemClock().now_ms())
    if as_json:
        click.echo(json.dumps(health.document(seen)))
    else:
        _print_readers(seen)
    sys.exit(0 if seen.well else 1)


@card.command()
@click.option("--reader", "pattern", default="", help="A part of the reader's name; the first reader when left out.")
@click.option(
    "--authority",
    "authority_files",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Certificate of the card authority (PEM), to check who issued the card. Can be given again.",
)
@click.option("--sign-with-pin", is_flag=True, help="Ask for the PIN and sign with the 9C key too.")
@click.option("--wait", "wait_seconds", default=WAIT_SECONDS, show_default=True, help="Seconds to wait for a card.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(
    pattern: str, authority_files: tuple[Path, ...], sign_with_pin: bool, wait_seconds: float, as_json: bool
) -> None:
    """Check the card in the reader: what it says it is, its certificates, and a fresh challenge to its 9E key.

    Works without the service, so it cannot know about a revocation. Exits 0 only if everything held. With
    --sign-with-pin the PIN is asked for, or read from standard input when that is not a terminal.
    """
    authorities = [_authority(file) for file in authority_files]
    pin = _ask_pin() if sign_with_pin else None
    now = _EPOCH + timedelta(milliseconds=SystemClock().now_ms())
    name = ""
    try:
        reader = pcsc.find_reader(pattern)
        name = reader.name
        with closing(reader), _open(reader, wait_seconds) as session:
            report = Check(session, now, authorities).run(pin)
    except CardError as error:
        report = Report((Step("reader", ok=False, detail=str(error), code=error.code),))
    if as_json:
        click.echo(json.dumps(_document(name, report)))
    else:
        _print(name, report)
    sys.exit(0 if report.ok else 1)


def _open(reader: Reader, wait_seconds: float) -> PivSession:
    if not reader.wait_for_card(wait_seconds):
        raise NoCard(reader.name)
    return PivSession(reader.connect())


def _authority(file: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(file.read_bytes())
    except ValueError:
        raise click.BadParameter(f"{file} is not a certificate in PEM form", param_hint="--authority") from None


def _ask_pin() -> bytearray:
    if sys.stdin.isatty():
        return bytearray(click.prompt("PIN", hide_input=True).encode())
    return bytearray(sys.stdin.readline().strip().encode())


def _document(reader: str, report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "verdict": report.verdict,
        "code": report.code,
        "reader": reader,
        "card_id": str(report.card_id) if report.card_id else None,
        "expires_on": report.expires_on.isoformat() if report.expires_on else None,
        "steps": [
            {"name": step.name, "ok": step.ok, "detail": step.detail, "code": step.code} for step in report.steps
        ],
    }


def _print(reader: str, report: Report) -> None:
    console = Console(highlight=False)
    if reader:
        console.print(f"Reader: {escape(reader)}")
    for step in report.steps:
        mark = "[green]ok[/]    " if step.ok else "[red]failed[/]"
        console.print(f"{mark}  {step.name}: {escape(step.detail)}", soft_wrap=True)
    console.print(f"[bold]{escape(report.verdict)}[/]", soft_wrap=True)


def _print_readers(seen: health.Health) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if seen.problem:
        console.print(escape(seen.problem))
    for one in seen.readers:
        what = ", ".join(
            text for text in (one.title, one.interface.value, one.driver, one.firmware, one.serial) if text
        )
        console.print(f"[bold]{escape(one.name)}[/]: {one.state.value} ({escape(what)})")
        if one.last_fault:
            console.print(f"  [red]{escape(one.last_fault.text)}[/]")
        for advice in one.advice:
            console.print(f"  {escape(advice.says)} {escape(advice.do)}")
