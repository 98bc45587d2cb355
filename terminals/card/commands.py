"""`./city card ...`: what one can do with a reader and a card, and nothing else."""

import json
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.markup import escape

from terminals.card import health, pcsc
from terminals.card.check import Check, Report, Step
from terminals.card.connection import Reader
from terminals.card.errors import CardError, NoCard
from terminals.card.files import read_certificates, read_revocation_lists
from terminals.card.pins import wiped
from terminals.card.prompt import ask_secret
from terminals.card.session import PivSession
from terminals.settings import SystemClock

WAIT_SECONDS: Final = 10.0
_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_Found = TypeVar("_Found")
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
    type=_FILE,
    multiple=True,
    help="Certificate of the card authority or its root (PEM or DER), to check who issued it. Can be given again.",
)
@click.option(
    "--intermediate",
    "intermediate_files",
    type=_FILE,
    multiple=True,
    help="Certificate between the card's and the authority's. Can be given again.",
)
@click.option(
    "--crl",
    "list_files",
    type=_FILE,
    multiple=True,
    help="Revocation list (PEM or DER); with one, every issuer of the path needs one. Can be given again.",
)
@click.option("--sign-with-pin", is_flag=True, help="Ask for the PIN and sign with the 9C and 9A keys too.")
@click.option("--pin-file", type=_FILE, help="A file with that PIN; without it the PIN is asked for.")
@click.option("--wait", "wait_seconds", default=WAIT_SECONDS, show_default=True, help="Seconds to wait for a card.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def check(
    pattern: str,
    authority_files: tuple[Path, ...],
    intermediate_files: tuple[Path, ...],
    list_files: tuple[Path, ...],
    sign_with_pin: bool,
    pin_file: Path | None,
    wait_seconds: float,
    as_json: bool,
) -> None:
    """Check the PIV card in the reader, whoever issued it: its CHUID and that one's signature, its certificates, that
    all name one card, who issued them, and a fresh challenge to its 9E key. It also says whether it is a citizen card.

    Works without the service: it knows of a revocation only by the lists that are given. Exits 0 only if everything
    held. With --sign-with-pin the PIN is asked for, or read from standard input when that is not a terminal.
    """
    authorities = _read_all(authority_files, read_certificates, "--authority")
    intermediates = _read_all(intermediate_files, read_certificates, "--intermediate")
    lists = _read_all(list_files, read_revocation_lists, "--crl")
    pin = _pin(pin_file) if sign_with_pin or pin_file else None
    now = _EPOCH + timedelta(milliseconds=SystemClock().now_ms())
    name = ""
    try:
        reader = pcsc.find_reader(pattern)
        name = reader.name
        with closing(reader), _open(reader, wait_seconds) as session:
            looked = Check(session, now, authorities, intermediates=intermediates, revocation_lists=lists)
            report = looked.run(pin)
    except CardError as error:
        report = Report((Step("reader", ok=False, detail=str(error), code=error.code, fault=error.code),))
    if as_json:
        click.echo(json.dumps(_document(name, report)))
    else:
        _print(name, report)
    sys.exit(0 if report.ok else 1)


def _open(reader: Reader, wait_seconds: float) -> PivSession:
    if not reader.wait_for_card(wait_seconds):
        raise NoCard(reader.name)
    return PivSession(reader.connect())


def _read_all(files: Iterable[Path], read: Callable[[Path], list[_Found]], option: str) -> list[_Found]:
    found = []
    for file in files:
        try:
            found += read(file)
        except ValueError:
            raise click.BadParameter(f"{file} is neither PEM nor DER of what is asked for", param_hint=option) from None
    return found


def _pin(file: Path | None) -> bytearray:
    if file is None:
        return ask_secret("PIN")
    content = bytearray(file.read_bytes())
    with wiped(content):
        return bytearray(content.strip())


def _document(reader: str, report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "verdict": report.verdict,
        "code": report.code,
        "fault": report.fault or None,
        "citizen_card": report.citizen_card,
        "keys": {slot.title: kind for slot, kind in report.keys},
        "reader": reader,
        "card_id": str(report.card_id) if report.card_id else None,
        "expires_on": report.expires_on.isoformat() if report.expires_on else None,
        "steps": [
            {"name": step.name, "ok": step.ok, "detail": step.detail, "code": step.code, "fault": step.fault or None}
            for step in report.steps
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
