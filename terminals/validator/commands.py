"""`./city validator`: take taps from the command line, once or until interrupted."""

import secrets
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from crypto.errors import CryptoError
from terminals.card import CardError, PivSession, Reader, ReaderUnavailable, pcsc, uid_of
from terminals.client import ClientError
from terminals.outbox import OUTBOX_FILE, OutboxError, StoredElsewhere
from terminals.settings import TerminalKind
from terminals.station import News, Pace, Station, StationError, console
from terminals.validator.gate import Validator, forget_settled
from terminals.validator.inspecting import Finding, Inspection, Inspector
from terminals.validator.lights import light
from terminals.validator.showing import shown
from terminals.validator.values import Mode, Outcome, Place, TapResult

_POLL_SECONDS = 0.2
_PAUSE_SECONDS = 5.0
_WAIT_SECONDS = 30.0


@click.group()
@console.terminal_options
@click.pass_context
def validator(context: click.Context, /, **options: Any) -> None:
    """Take taps, with or without a network."""
    console.keep_options(context, TerminalKind.VALIDATOR, options)


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option("--category", help="The rider category of the fare; without it the one the policy prices."),
        click.option("--stop", "stop_id", default="stop", show_default=True, help="The stop's id in the tariff."),
        click.option("--network", "network_id", required=True, help="The network's id in the tariff."),
        click.option(
            "--sibling",
            "siblings",
            multiple=True,
            type=click.Path(path_type=Path, exists=True, file_okay=False),
            help="The home of another validator of this line, or a copy of it; may be given again.",
        ),
    ):
        command = option(command)
    return command


def mode_option(command: Callable[..., None]) -> Callable[..., None]:
    modes = click.Choice([mode.value for mode in Mode])
    return click.option(
        "--mode", type=modes, default=Mode.FLAT.value, show_default=True, help="A tap is a ride, or begins or ends one."
    )(command)


@validator.command()
@place_options
@mode_option
@console.json_option
@click.pass_context
def tap(context: click.Context, /, siblings: tuple[Path, ...], **place: Any) -> None:
    """Wait for one card, take its tap, exit 0 when it is accepted."""
    station = console.open_station(context)
    reader = _reader_with_card(station)
    result = _tap(_gate(station, siblings, **place), reader)
    _say(result, station.now_ms())
    _warn(station)
    if result.outcome is Outcome.REFUSED:
        context.exit(1)


@validator.command()
@place_options
@console.json_option
@click.pass_context
def inspect(
    context: click.Context, siblings: tuple[Path, ...], network_id: str, stop_id: str, category: str | None
) -> None:
    """Wait for one card and say whether a tap of it is known here; exit 0 when it is. It charges nothing."""
    station = console.open_station(context)
    reader = _reader_with_card(station)
    inspector = Inspector(station, Place(network_id, stop_id, category), _outboxes(siblings))
    try:
        with PivSession(reader.connect()) as session:
            found = inspector.inspect(session)
    except CardError as error:
        found = Inspection(Finding.NOT_VALID, error.code, str(error))
    _say_found(found)
    if found.finding is not Finding.PAID:
        context.exit(1)


@validator.command()
@click.option("--take-list", type=int, default=0, help="The number of a deny list that was held back and is right.")
@console.json_option
@click.pass_context
def sync(context: click.Context, take_list: int) -> None:
    """Upload what was stored and fetch the policy."""
    station = console.open_station(context)
    done = station.sync(take_list=take_list)
    policy = station.policies.current()
    content = {"sent": done.sent, "accepted": done.accepted, "rejected": done.rejected, "waiting": done.waiting}
    console.say(
        {**content, "policy": policy.number, "deny_list": policy.deny_number, "news": station.news().value},
        f"{done.sent} sent: {done.accepted} accepted, {done.rejected} rejected; {done.waiting} still wait.",
    )
    _forget(station)


@validator.command()
@place_options
@mode_option
@console.json_option
@click.pass_context
def run(context: click.Context, /, siblings: tuple[Path, ...], **place: Any) -> None:
    """Take taps until interrupted, and sync each minute when there is a network, more seldom while there is none."""
    station = console.open_station(context)
    pattern = station.settings.reader
    # It starts without its reader, and says so until somebody plugs it in.
    reader = console.card_in_file(pattern) or pcsc.expected_reader(pattern)
    gate, pace = _gate(station, siblings, **place), Pace(secrets.token_bytes)
    while True:
        if pace.due(station.now_ms()):
            (pace.answered if _sync_if_possible(gate) else pace.failed)(station.now_ms())
            _forget(station)
            _warn(station)
        try:
            _next_card(gate, reader)
        except ReaderUnavailable as error:
            click.echo(str(error), err=True)
            time.sleep(_PAUSE_SECONDS)


def _next_card(gate: Validator, reader: Reader) -> None:
    """Take the tap of a card that is there, and wait until it is gone."""
    if reader.wait_for_card(_POLL_SECONDS):
        _say(_tap(gate, reader), gate.now_ms())
        while not reader.wait_for_removal(_POLL_SECONDS):
            pass


def _gate(
    station: Station, siblings: tuple[Path, ...], *, network_id: str, stop_id: str, category: str | None, mode: str
) -> Validator:
    place = Place(network_id, stop_id, category, mode=Mode(mode))
    return Validator(station, place, _open_gate, siblings=_outboxes(siblings))


def _outboxes(homes: tuple[Path, ...]) -> tuple[StoredElsewhere, ...]:
    return tuple(StoredElsewhere(home / OUTBOX_FILE) for home in homes)


def _reader_with_card(station: Station) -> Reader:
    pattern = station.settings.reader
    reader = console.card_in_file(pattern) or pcsc.find_reader(pattern)
    if not reader.wait_for_card(_WAIT_SECONDS):
        raise click.ClickException("No card came within 30 seconds.")
    return reader


def _tap(gate: Validator, reader: Reader) -> TapResult:
    try:
        connection = reader.connect()
        with PivSession(connection) as session:
            result = gate.tap(session, uid_of(connection))
            light(connection, reader.name, shown(result, gate.now_ms()))
            return result
    except CardError as error:
        return TapResult(Outcome.REFUSED, error.code, str(error))


def _open_gate(_result: TapResult) -> None:
    """A command line has no gate: the printed result is what opens it."""


def _sync_if_possible(gate: Validator) -> bool:
    try:
        gate.sync()
    except (ClientError, CryptoError, StationError, OutboxError) as error:
        click.echo(str(error), err=True)
        return False
    return True


def _forget(station: Station) -> None:
    """What cannot be deleted now is said, and keeps no gate shut."""
    try:
        forget_settled(station)
    except (OutboxError, sqlite3.Error) as error:
        click.echo(f"Old taps stay for now: {error}", err=True)


def _warn(station: Station) -> None:
    """Staff hear of old news before the gate stops; riders do not."""
    with suppress(StationError, CryptoError):
        if station.news() is not News.FRESH:
            click.echo(station.news().sentence, err=True)


def _say_found(found: Inspection) -> None:
    tap = found.tap
    console.say(
        {
            "finding": found.finding.value,
            "code": found.code,
            "text": found.text,
            "tap": {"record_id": str(tap.record_id), "at_ms": tap.at_ms, "stop": tap.stop_id} if tap else None,
            "unknown": list(found.unknown),
            "owes": found.owes,
            "news": found.news.value if found.news else None,
        },
        " ".join([found.text, *(f"Not known here: {what[0].lower()}{what[1:]}" for what in found.unknown)]),
    )


def _say(result: TapResult, now_ms: int) -> None:
    show = shown(result, now_ms)
    console.say(
        {
            "outcome": result.outcome.value,
            "code": result.code,
            "text": result.text,
            "record_id": str(result.record_id) if result.record_id else None,
            "card_id": str(result.card_id) if result.card_id else None,
            "fare_cents": result.fare_cents,
            "currency": result.currency,
            "mode": result.mode.value,
            "held_cents": result.held_cents,
            "shown": {
                "icon": show.icon.value,
                "tone": show.tone.value,
                "colour": show.colour.value,
                "text": show.text,
                "amount": show.amount,
                "balance": show.balance,
            },
        },
        " ".join(part for part in (result.text, show.amount, show.balance) if part),
    )
