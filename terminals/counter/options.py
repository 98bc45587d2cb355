"""What the counter's commands are told: people, blank cards and PINs, from options, files and the environment."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from terminals.card import ManagementAlgorithm, check_pin, read_lines
from terminals.counter.errors import BadIntake
from terminals.counter.making import WAIT_SECONDS, AskPin
from terminals.counter.office import Credentials, Office, is_production
from terminals.counter.secret import FACTORY_PIN, FACTORY_PUK, Intake
from terminals.station import console

_F = TypeVar("_F", bound=Callable[..., Any])
_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
ALGORITHMS: Final = {algorithm.title: algorithm for algorithm in ManagementAlgorithm}


def _options(*options: Callable[[_F], _F]) -> Callable[[_F], _F]:
    def decorate(command: _F) -> _F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


office_options: Final = _options(
    click.option("--service", "service_url", help="The city's service, as http://HOST:PORT."),
    click.option("--username", envvar="CITY_STAFF_USERNAME", help="Who does this [env: CITY_STAFF_USERNAME]."),
    click.option(
        "--password-file",
        type=_FILE,
        envvar="CITY_STAFF_PASSWORD_FILE",
        help="A file with the password; without it it is asked for [env: CITY_STAFF_PASSWORD_FILE].",
    ),
    click.option("--approve-as", metavar="USERNAME", help="The second person, who approves an order that waits."),
    click.option("--approver-password-file", type=_FILE, help="A file with that person's password."),
)

reader_options: Final = _options(
    click.option("--reader", "pattern", help="A part of the reader's name; file:PATH for a virtual card in a file."),
    click.option(
        "--wait",
        "wait_seconds",
        type=float,
        default=WAIT_SECONDS,
        show_default=True,
        help="Seconds to wait for a card.",
    ),
)

intake_options: Final = _options(
    click.option(
        "--management-key", metavar="HEX", help="The blank card's 9B key; without it the factories' keys are tried."
    ),
    click.option("--management-key-file", type=_FILE, help="The same from a file, as production wants it."),
    click.option(
        "--algorithm",
        type=click.Choice(list(ALGORITHMS), case_sensitive=False),
        help="That key's algorithm; without it the card is asked.",
    ),
    click.option("--puk-file", type=_FILE, help="The blank card's PUK, where it is not 12345678."),
    click.option("--card-pin-file", type=_FILE, help="The blank card's PIN, for a card without PUK."),
)


def read_office(
    service_url: str | None,
    username: str | None,
    password_file: Path | None,
    approve_as: str | None,
    approver_password_file: Path | None,
) -> Office:
    """Raises: NoStaff."""
    clerk = Credentials(username, console.read_password(password_file, username)) if username else None
    second = Credentials(approve_as, console.read_password(approver_password_file, approve_as)) if approve_as else None
    return Office.find(service_url=service_url, clerk=clerk, approver=second)


def read_intake(
    management_key: str | None,
    management_key_file: Path | None,
    algorithm: str | None,
    puk_file: Path | None,
    card_pin_file: Path | None,
) -> Intake:
    """Raises: BadIntake."""
    production = is_production()
    if management_key and production:
        raise BadIntake("In production a management key is given with --management-key-file: arguments are public.")
    if management_key and management_key_file:
        raise BadIntake("Give --management-key or --management-key-file, not both.")
    text = management_key_file.read_text("utf-8") if management_key_file else management_key
    chosen = ALGORITHMS[algorithm.lower()] if algorithm else None
    key = None if text is None else _key(text, chosen)
    puk = puk_file.read_bytes().strip() if puk_file else FACTORY_PUK
    pin = card_pin_file.read_bytes().strip() if card_pin_file else FACTORY_PIN
    return Intake(key, chosen, puk, pin, production)


def _key(text: str, algorithm: ManagementAlgorithm | None) -> bytes:
    try:
        key = bytes.fromhex("".join(text.replace(":", " ").split()))
    except ValueError:
        raise BadIntake("The management key is not written in hex digits.") from None
    lengths = {one.key_length for one in ManagementAlgorithm if algorithm in (None, one)}
    if len(key) not in lengths:
        wanted = " or ".join(str(length) for length in sorted(lengths))
        raise BadIntake(f"The management key has {len(key)} bytes; it should have {wanted}.")
    return key


def pin_source(pin_file: Path | None) -> AskPin | None:
    """Where the holder's PIN comes from: a file or a pipe, read before a card is touched; else a person, asked later.
    None where neither is there: then the card can be made, but not handed over.

    Raises: PinFormat.
    """
    if pin_file is None and sys.stdin.isatty():
        return lambda: (console.read_pin(None, "Holder's new PIN"), console.read_pin(None, "The same PIN again"))
    pins = _piped() if pin_file is None else [console.read_pin(pin_file)]
    if not pins:
        return None
    for pin in pins:
        check_pin(pin)
    first, again = pins[0], pins[1] if len(pins) > 1 else pins[0][:]
    return lambda: (first, again)


def _piped() -> list[bytearray]:
    """The PIN from standard input: one line, or the same line twice."""
    return [line for line in read_lines(2) if line]
