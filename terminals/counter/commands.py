"""`./city counter`: issue and verify cards, take cash, from the command line."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from terminals.card import PivSession, Reader, pcsc
from terminals.client import CardView, StaffClient
from terminals.counter import options, orders
from terminals.counter.errors import NothingDue, NothingToIssue
from terminals.counter.making import Bench
from terminals.counter.office import Office, counter_identity
from terminals.counter.personalise import Step
from terminals.counter.pin_commands import pin
from terminals.counter.till import Till, read_pesos
from terminals.counter.tray import Tray
from terminals.counter.tray_bar import TrayBar, tray_sentence
from terminals.counter.verify import verify_card
from terminals.outbox import Identity, State, Stored
from terminals.settings import TerminalKind, load
from terminals.station import Station, console, enrol

_WAIT_SECONDS = 30.0
_ORDERS_MAX = 500


@click.group()
@console.terminal_options
@click.pass_context
def counter(context: click.Context, /, **given: Any) -> None:
    """Issue cards, verify cards, take cash."""
    console.keep_options(context, TerminalKind.COUNTER, given)


counter.add_command(pin)


def staff_options(command: Any) -> Any:
    path = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in (
        click.option("--password-file", type=path, help="A file with the password; without it it is asked for."),
        click.option("--username", required=True, help="Who does this."),
    ):
        command = option(command)
    return command


@counter.command()
@click.argument("card_id", type=click.UUID, required=False)
@click.option("--resident", metavar="ID", help="Whose card it is: the resident's number or id.")
@click.option(
    "--replace",
    "reason",
    type=click.Choice(["lost", "stolen", "damaged"]),
    help="With --resident: the card held until now is ended at once, for this reason.",
)
@click.option("--identity-checked", is_flag=True, help="With --replace: the person was identified anew.")
@options.reader_options
@options.intake_options
@console.pin_option
@click.option("--no-hand-over", is_flag=True, help="Stop when the card is ready; the holder comes later.")
@click.option("--serial", help="The serial printed on the blank card.")
@options.office_options
@console.json_option
@click.pass_context
def issue(
    context: click.Context,
    /,
    *,
    card_id: UUID | None,
    resident: str | None,
    reason: str | None,
    identity_checked: bool,
    pattern: str | None,
    wait_seconds: float,
    pin_file: Path | None,
    no_hand_over: bool,
    serial: str | None,
    **given: Any,
) -> None:
    """Make a citizen card of the blank PIV card in the reader, and hand it over.

    With --resident the person's order is found, or made and approved; or name the approved card by its CARD_ID. Any PIV
    card with contacts will do: its management key, if it is not one of the factories', is named with --management-key.
    The key and the PUK are replaced by the card's own. After a tear the same line again completes the card.

    In the demo city of this machine (./city up) nobody needs to sign in. The PIN is asked for twice; without a terminal
    it is one line of standard input, or --pin-file.
    """
    if resident is None and card_id is None:
        raise NothingToIssue
    intake = options.read_intake(**_of(given, _INTAKE))
    ask_pin = None if no_hand_over else options.pin_source(pin_file)
    told = _told(context, given)
    office = options.read_office(**told)
    terminal = _terminal(context, office)
    staff = office.sign_in(office.clerk)
    try:
        replacement = orders.Replacement(reason, identity_checked) if reason else None
        order = _order(office, staff, card_id, resident, replacement)
        bench = Bench(_reader_of(context, pattern), staff, terminal, intake, wait_seconds=wait_seconds)
        done = bench.make(order.card_id, ask_pin, watch=_tell, blank_serial=serial)
    finally:
        staff.sign_out()
    for warning in done.warnings():
        click.echo(warning, err=True)
    if ask_pin is None and not no_hand_over:
        click.echo("Nobody gave a PIN, so the card was not handed over; the same line with --pin-file does.", err=True)
    console.say({"ok": True, **done.to_json()}, f"Card {done.card_id} is {done.state}.")


@counter.command()
@click.option("--count", type=click.IntRange(1, 500), help="How many cards at most; all approved orders when left out.")
@options.reader_options
@options.intake_options
@options.office_options
@console.json_option
@click.pass_context
def tray(context: click.Context, /, count: int | None, pattern: str | None, wait_seconds: float, **given: Any) -> None:
    """Make the approved orders into cards, one blank after another. They are ready then, not handed over.

    Put a card in, take it out when it is done, put in the next. A card that fails is noted and put aside; its order
    goes on with the next card. Ends when all are made, or no card comes for a while. Exits 0 only if all were made.
    """
    intake = options.read_intake(**_of(given, _INTAKE))
    office = options.read_office(**_told(context, given))
    terminal = _terminal(context, office)
    staff = office.sign_in(office.clerk)
    try:
        found = [*staff.orders("personalising", limit=_ORDERS_MAX), *staff.orders("approved", limit=_ORDERS_MAX)]
        waiting = found[:count]
        reader = _reader_of(context, pattern)
        bench = Bench(reader, staff, terminal, intake, wait_seconds=wait_seconds)
        with TrayBar(len(waiting)) as bar:
            work = Tray(reader, bench, seconds=time.monotonic, tell=bar.tell, wait_seconds=wait_seconds)
            report = work.run(waiting)
    finally:
        staff.sign_out()
    console.say(report.to_json(), tray_sentence(report))
    if report.left or report.stopped:
        context.exit(1)


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


@counter.command("take-price")
@click.argument("card_id", type=click.UUID)
@staff_options
@console.json_option
@click.pass_context
def take_price(context: click.Context, card_id: UUID, username: str, password_file: Path | None) -> None:
    """Take the price of the card CARD_ID, which is on order, in cash, within the open shift. A load is a top-up."""
    station = console.open_station(context)
    password = console.read_password(password_file, username)
    staff = station.client.sign_in(username, password)
    try:
        fee = staff.card_fee(card_id)
        if fee is None or not fee.is_due:
            raise NothingDue(fee.state if fee else "not on order")
        _finish(context, Till(station).take_price(staff, password, fee), "The price of the card is in the drawer.")
    finally:
        staff.sign_out()


_INTAKE = ("management_key", "management_key_file", "algorithm", "puk_file", "card_pin_file")


def _of(given: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: given[name] for name in names}


def _told(context: click.Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """Who and where; --service may stand before or after the command's name."""
    told = {name: value for name, value in given.items() if name not in _INTAKE}
    told["service_url"] = told["service_url"] or console.group_option(context, "service_url")
    return told


def _terminal(context: click.Context, office: Office) -> Identity:
    """This counter, enrolled first where a code is given. Raises: NotEnrolled, OtherKind, and as `enrol`."""
    home, code = console.group_option(context, "home"), console.group_option(context, "enrol_code")
    settings = load(TerminalKind.COUNTER, service_url=office.client.url, home=Path(home) if home else office.home)
    if code:
        enrol(settings, code)
    return counter_identity(settings.home)


def _order(
    office: Office,
    staff: StaffClient,
    card_id: UUID | None,
    resident: str | None,
    replacement: orders.Replacement | None,
) -> CardView:
    if card_id is not None:
        order = staff.card(card_id)
    else:
        order = orders.order_of(staff, orders.find_resident(staff, str(resident)).resident_id, replacement)
    return orders.approved(order, lambda: office.sign_in(office.approver) if office.approver else None)


def _tell(step: Step) -> None:
    click.echo(f"  {step.value}", err=True)


def _reader_of(context: click.Context, pattern: str | None) -> Reader:
    name = pattern or console.group_option(context, "reader") or os.environ.get("CITY_TERMINAL_READER", "")
    return console.card_in_file(name) or pcsc.find_reader(name)


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
