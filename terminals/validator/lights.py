"""The lamps and the buzzer of the reader, as far as it has any that we know: best effort, after the tap is decided."""

from contextlib import suppress
from typing import Final

from terminals.card import CardConnection, CardError, Interface
from terminals.validator.showing import Colour, Shown

# ACR122U API 2.04, 6.2: bi-colour LED and buzzer. P2: final state, then its mask; T1, T2 (100 ms), times, buzzer.
_ACR122: Final = "ACR122"
_FRAMES: Final = {
    Colour.GREEN: bytes.fromhex("FF00400E0401000101"),
    Colour.AMBER: bytes.fromhex("FF00400F0401010201"),
    Colour.RED: bytes.fromhex("FF00400D0405000101"),
}


def light(connection: CardConnection, reader_name: str, what: Shown) -> None:
    """Show a colour at the reader itself. A reader of another make, or one that refuses, shows nothing: no tap depends
    on it, and a reader that would pass the command on to the card is not asked.
    """
    if _ACR122 in reader_name and connection.interface is Interface.CONTACTLESS:
        with suppress(CardError):
            connection.transmit(_FRAMES[what.colour])
