"""What the terminals' commands share: where the terminal lives, how it answers, how a PIN gets in (no argument)."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from terminals.card import LocalReader, SimulatedCard, ask_secret
from terminals.settings import TerminalKind, TerminalSettings, load
from terminals.station.station import Station, enrol

_F = TypeVar("_F", bound=Callable[..., Any])
JsonValue = str | int | bool | None | list["JsonValue"] | Mapping[str, "JsonValue"]
_CARD_FILE = "file:"
_JSON = "terminals.as_json"


def terminal_options(command: _F) -> _F:
    """--service, --home, --reader and --enrol-code, for the group of a terminal's commands."""
    for option in (
        click.option("--enrol-code", help="Enrol this terminal first, with the code an administrator made."),
        click.option(
            "--reader",
            help="A part of the card reader's name; file:PATH for a virtual card in a file. Default: the first reader.",
        ),
        click.option("--home", type=click.Path(path_type=Path), help="The terminal's folder: its key, its outbox."),
        click.option("--service", "service_url", help="The city's service, as http://HOST:PORT."),
    ):
        command = option(command)
    return command


def json_option(command: _F) -> _F:
    """--json: one object instead of sentences."""

    def remember(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
        context.meta[_JSON] = wanted

    option = click.option("--json", is_flag=True, expose_value=False, callback=remember, help="Answer with one object.")
    return option(command)


def pin_option(command: _F) -> _F:
    """--pin-file: where a script has the PIN; a person is asked for it."""
    path = click.Path(path_type=Path, exists=True, dir_okay=False)
    return click.option("--pin-file", type=path, help="A file with the PIN; without it the PIN is asked for.")(command)


def read_pin(path: Path | None, question: str = "PIN") -> bytearray:
    """The PIN, in a buffer that whoever uses it wipes."""
    if path is None:
        return ask_secret(question)
    content = bytearray(path.read_bytes())
    pin = bytearray(content.strip())
    content[:] = bytes(len(content))
    return pin


def read_password(path: Path | None, username: str) -> str:
    if path is None:
        return str(click.prompt(f"Password of {username}", hide_input=True, err=True))
    return path.read_text().strip()


def card_in_file(pattern: str) -> LocalReader | None:
    """A reader with the virtual card of `file:PATH` in it; None for any other pattern."""
    if not pattern.startswith(_CARD_FILE):
        return None
    reader = LocalReader(f"Virtual card {pattern.removeprefix(_CARD_FILE)}")
    reader.insert(SimulatedCard.from_file(Path(pattern.removeprefix(_CARD_FILE))))
    return reader


def keep_options(context: click.Context, kind: TerminalKind, options: Mapping[str, Any]) -> None:
    """Remember a group's options for its commands. Nothing is checked yet, so that --help needs no service."""
    context.obj = lambda: _settings(kind, options)


def group_option(context: click.Context, name: str) -> str | None:
    """What was given before the command's name, for commands that take it after the name too."""
    value = context.parent.params.get(name) if context.parent else None
    return None if value is None else str(value)


def _settings(kind: TerminalKind, options: Mapping[str, Any]) -> TerminalSettings:
    settings = load(kind, service_url=options["service_url"], home=options["home"], reader=options["reader"])
    if options["enrol_code"]:
        enrol(settings, options["enrol_code"])
    return settings


def open_station(context: click.Context) -> Station:
    """The terminal of this command line, enrolled first where a code is given, closed when the command ends.

    Raises: SettingsError, NotEnrolled, and as `enrol`.
    """
    settings: TerminalSettings = context.obj()
    station = Station.open(settings)
    context.call_on_close(station.close)
    return station


def say(content: Mapping[str, JsonValue], sentence: str) -> None:
    """The answer of a command: a sentence, or with --json the object."""
    if click.get_current_context().meta.get(_JSON):
        click.echo(json.dumps(content, ensure_ascii=False))
    else:
        click.echo(sentence)
