"""`./city counter pin`: the help with a PIN that the counter's pages give, from the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from terminals.card import NoCard, PivSession, pcsc
from terminals.counter.holder import HolderCard, HolderDesk
from terminals.station import Station, console

_WAIT_SECONDS = 30.0
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_T = TypeVar("_T")


@click.group()
def pin() -> None:
    """Help holders with their PIN: see the tries left, change it, set a new one."""


@pin.command()
@click.option("--pin-file", type=_FILE, help="The PIN until now; without it it is asked for.")
@click.option("--new-pin-file", type=_FILE, help="The new PIN; without it it is asked for twice.")
@click.option("--last-try", is_flag=True, help="Take the last try too; a wrong PIN then blocks the card.")
@console.json_option
@click.pass_context
def change(context: click.Context, pin_file: Path | None, new_pin_file: Path | None, *, last_try: bool) -> None:
    """Change the PIN of the card in the reader; its holder knows it."""
    station = console.open_station(context)
    desk = HolderDesk(station)
    before = _at_reader(station, desk.look)
    click.echo(_left(before), err=True)
    old = console.read_pin(pin_file, "PIN until now")
    new, again = _new_pin(new_pin_file)
    _at_reader(station, lambda session: desk.change_pin(session, old, new, again, last_try=last_try))
    _say(_at_reader(station, desk.look), "The PIN was changed.")


@pin.command()
@click.option("--username", required=True, help="Who does this: a clerk or a card officer.")
@click.option("--password-file", type=_FILE, help="A file with the password; without it it is asked for.")
@click.option("--reason", required=True, help="How the person was identified; it goes into the card's history.")
@click.option("--new-pin-file", type=_FILE, help="The new PIN; without it it is asked for twice.")
@console.json_option
@click.pass_context
def reset(
    context: click.Context,
    *,
    username: str,
    password_file: Path | None,
    reason: str,
    new_pin_file: Path | None,
) -> None:
    """Set a new PIN on the card in the reader, whose holder forgot it or blocked it, and was identified.

    The card shows the city that it is here, the city answers with its PUK, sealed for this counter, and its history
    says who asked and why. The PUK is written nowhere.
    """
    station = console.open_station(context)
    desk = HolderDesk(station)
    card_id: UUID = _at_reader(station, desk.look).card_id
    staff = station.client.sign_in(username, console.read_password(password_file, username))
    try:
        new, again = _new_pin(new_pin_file)
        card = _at_reader(station, lambda session: desk.reset_pin(session, staff, card_id, reason, new, again))
    finally:
        staff.sign_out()
    _say(card, "The card has a new PIN.")


def _at_reader(station: Station, job: Callable[[PivSession], _T]) -> _T:
    pattern = station.settings.reader
    reader = console.card_in_file(pattern) or pcsc.find_reader(pattern)
    if not reader.wait_for_card(_WAIT_SECONDS):
        raise NoCard(reader.name)
    with PivSession(reader.connect()) as session:
        return job(session)


def _new_pin(path: Path | None) -> tuple[bytearray, bytearray]:
    new = console.read_pin(path, "New PIN")
    return new, (new[:] if path else console.read_pin(None, "The same PIN again"))


def _left(card: HolderCard) -> str:
    if card.attempts_left is None:
        return "The card does not say how many tries are left."
    if card.attempts_left == 0:
        return "The PIN is blocked."
    return "1 try left." if card.attempts_left == 1 else f"{card.attempts_left} tries left."


def _say(card: HolderCard, sentence: str) -> None:
    content: dict[str, Any] = {"ok": True, "card_id": str(card.card_id), "attempts_left": card.attempts_left}
    console.say(content, f"{sentence} {_left(card)}")
