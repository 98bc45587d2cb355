"""`./city validator`: take taps from the command line, once or until interrupted."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import click

from crypto.errors import CryptoError
from terminals.card import CardError, PivSession, Reader, ReaderUnavailable, pcsc, uid_of
from terminals.client import ClientError
from terminals.outbox import OutboxError
from terminals.settings import TerminalKind
from terminals.station import News, Station, StationError, console
from terminals.validator.gate import Validator
from terminals.validator.values import Outcome, Place, TapResult

_POLL_SECONDS = 0.2
_PAUSE_SECONDS = 5.0
_SYNC_MS = 60_000
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
    ):
        command = option(command)
    return command


@validator.command()
@place_options
@console.json_option
@click.pass_context
def tap(context: click.Context, network_id: str, stop_id: str, category: str | None) -> None:
    """Wait for one card, take its tap, exit 0 when it is accepted."""
    station = console.open_station(context)
    reader = _reader(station)
    if not reader.wait_for_card(_WAIT_SECONDS):
        raise click.ClickException("No card came within 30 seconds.")
    result = _tap(Validator(station, Place(network_id, stop_id, category), _open_gate), reader)
    _say(result)
    _warn(station)
    if result.outcome is Outcome.REFUSED:
        context.exit(1)


@validator.command()
@console.json_option
@click.pass_context
def sync(context: click.Context) -> None:
    """Upload what was stored and fetch the policy."""
    station = console.open_station(context)
    done = station.sync()
    policy = station.policies.current()
    content = {"sent": done.sent, "accepted": done.accepted, "rejected": done.rejected, "waiting": done.waiting}
    console.say(
        {**content, "policy": policy.number, "deny_list": policy.deny_number, "news": station.news().value},
        f"{done.sent} sent: {done.accepted} accepted, {done.rejected} rejected; {done.waiting} still wait.",
    )


@validator.command()
@place_options
@console.json_option
@click.pass_context
def run(context: click.Context, network_id: str, stop_id: str, category: str | None) -> None:
    """Take taps until interrupted, and sync each minute when there is a network."""
    station = console.open_station(context)
    pattern = station.settings.reader
    # It starts without its reader, and says so until somebody plugs it in.
    reader = console.card_in_file(pattern) or pcsc.expected_reader(pattern)
    gate = Validator(station, Place(network_id, stop_id, category), _open_gate)
    next_sync_ms = 0
    while True:
        if station.now_ms() >= next_sync_ms:
            next_sync_ms = station.now_ms() + _SYNC_MS
            _sync_if_possible(gate)
            _warn(station)
        try:
            _next_card(gate, reader)
        except ReaderUnavailable as error:
            click.echo(str(error), err=True)
            time.sleep(_PAUSE_SECONDS)


def _next_card(gate: Validator, reader: Reader) -> None:
    """Take the tap of a card that is there, and wait until it is gone."""
    if reader.wait_for_card(_POLL_SECONDS):
        _say(_tap(gate, reader))
        while not reader.wait_for_removal(_POLL_SECONDS):
            pass


def _reader(station: Station) -> Reader:
    pattern = station.settings.reader
    return console.card_in_file(pattern) or pcsc.find_reader(pattern)


def _tap(gate: Validator, reader: Reader) -> TapResult:
    try:
        connection = reader.connect()
        with PivSession(connection) as session:
            return gate.tap(session, uid_of(connection))
    except CardError as error:
        return TapResult(Outcome.REFUSED, error.code, str(error))


def _open_gate(_result: TapResult) -> None:
    """A command line has no gate: the printed result is what opens it."""


def _sync_if_possible(gate: Validator) -> None:
    try:
        gate.sync()
    except (ClientError, CryptoError, StationError, OutboxError) as error:
        click.echo(str(error), err=True)


def _warn(station: Station) -> None:
    """Staff hear of old news before the gate stops; riders do not."""
    with suppress(StationError, CryptoError):
        if station.news() is not News.FRESH:
            click.echo(station.news().sentence, err=True)


def _say(result: TapResult) -> None:
    console.say(
        {
            "outcome": result.outcome.value,
            "code": result.code,
            "text": result.text,
            "record_id": str(result.record_id) if result.record_id else None,
            "card_id": str(result.card_id) if result.card_id else None,
            "fare_cents": result.fare_cents,
            "currency": result.currency,
        },
        result.text,
    )
