"""`./city counter`: issue and verify cards, take cash, from the command line."""

import secrets
from pathlib import Path
from typing import Any

import click

from terminals.card import PivSession, Reader, pcsc
from terminals.client import CardView, StaffClient
from terminals.counter.personalise import Personalisation, Step
from terminals.counter.till import Till, read_pesos
from terminals.counter.verify import verify_card
from terminals.outbox import State, Stored
from terminals.settings import TerminalKind
from terminals.station import Station, console

_WAIT_SECONDS = 30.0


@click.group()
@console.terminal_options
@click.pass_context
def counter(context: click.Context, /, **options: Any) -> None:
    """Issue cards, verify cards, take cash."""
    console.keep_options(context, TerminalKind.COUNTER, options)


def staff_options(command: Any) -> Any:
    path = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in (
        click.option("--password-file", type=path, help="A file with the password; without it it is asked for."),
        click.option("--username", required=True, help="Who does this."),
    ):
        command = option(command)
    return command


@counter.command()
@click.argument("card_id", type=click.UUID)
@staff_options
@console.pin_option
@console.json_option
@click.pass_context
def issue(
    context: click.Context, card_id: Any, username: str, password_file: Path | None, pin_file: Path | None
) -> None:
    """Make the approved card CARD_ID of the blank one in the reader, and hand it over. After a tear: again."""
    station = console.open_station(context)
    staff = station.client.sign_in(username, console.read_password(password_file, username))
    try:
        view = _issue(station, staff, card_id, pin_file)
    finally:
        staff.sign_out()
    console.say({"card_id": str(view.card_id), "state": view.state}, f"Card {view.card_id} is {view.state}.")


@counter.command()
@console.json_option
@click.pass_context
def verify(context: click.Context) -> None:
    """Check the card in the reader: a fresh challenge, the chain, the deny list. Exit 0 only when it may be used."""
    station = console.open_station(context)
    with _session(station) as session:
        found = verify_card(session, station)
    console.say(
        {"card_id": str(found.card_id), "genuine": True, "denied": found.denied, "attempts_left": found.attempts_left},
        f"Card {found.card_id} is genuine{', and blocked' if found.denied else ''}.",
    )
    if found.denied:
        context.exit(1)


@counter.command("open-shift")
@click.argument("float_pesos", type=str)
@staff_options
@console.json_option
@click.pass_context
def open_shift(context: click.Context, float_pesos: str, username: str, password_file: Path | None) -> None:
    """Open a shift with FLOAT_PESOS in the drawer."""
    station = console.open_station(context)
    password = console.read_password(password_file, username)
    staff = station.client.sign_in(username, password)
    try:
        _finish(context, Till(station).open_shift(staff, password, read_pesos(float_pesos)), "The shift is open.")
    finally:
        staff.sign_out()


@counter.command("close-shift")
@click.argument("counted_pesos", type=str)
@staff_options
@console.json_option
@click.pass_context
def close_shift(context: click.Context, counted_pesos: str, username: str, password_file: Path | None) -> None:
    """Close the shift with COUNTED_PESOS in the drawer."""
    station = console.open_station(context)
    password = console.read_password(password_file, username)
    staff = station.client.sign_in(username, password)
    try:
        _finish(context, Till(station).close_shift(staff, password, read_pesos(counted_pesos)), "The shift is closed.")
    finally:
        staff.sign_out()


@counter.command("top-up")
@click.argument("pesos", type=str)
@console.json_option
@click.pass_context
def top_up(context: click.Context, pesos: str) -> None:
    """Take PESOS in cash for the wallet of the card in the reader."""
    station = console.open_station(context)
    with _session(station) as session:
        done = Till(station).top_up(session, read_pesos(pesos))
    _finish(context, done.stored, "The money is in the wallet.")


def _issue(station: Station, staff: StaffClient, card_id: Any, pin_file: Path | None) -> CardView:
    def watch(step: Step) -> None:
        click.echo(f"  {step.value}", err=True)

    work = Personalisation(staff, card_id, random_bytes=secrets.token_bytes, watch=watch)
    with _session(station) as session:
        made = work.make(session)
    pin = console.read_pin(pin_file, "Holder's new PIN")
    again = pin[:] if pin_file else console.read_pin(None, "The same PIN again")
    with _session(station) as session:
        return work.hand_over(session, made, pin, again)


def _session(station: Station) -> PivSession:
    reader = _reader(station)
    if not reader.wait_for_card(_WAIT_SECONDS):
        raise click.ClickException("No card came within 30 seconds.")
    return PivSession(reader.connect())


def _reader(station: Station) -> Reader:
    pattern = station.settings.reader
    return console.card_in_file(pattern) or pcsc.find_reader(pattern)


def _finish(context: click.Context, stored: Stored, sentence: str) -> None:
    sentences = {
        State.ACCEPTED: sentence,
        State.WAITING: "Kept: it will be confirmed when the city's service answers.",
        State.REJECTED: stored.detail or "The city's service refused it.",
    }
    console.say(
        {
            "record_id": str(stored.record_id),
            "state": stored.state.value,
            "reason": stored.reason,
            "detail": stored.detail,
        },
        sentences[stored.state],
    )
    if stored.state is State.REJECTED:
        context.exit(1)
