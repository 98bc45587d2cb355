"""What a contactless reader knows of a card before any command to it: a hint at which card it is, never a proof."""

from typing import Final

from terminals.card.apdu import ResponseApdu
from terminals.card.connection import CardConnection, Interface
from terminals.card.errors import MalformedResponse

_GET_UID: Final = bytes.fromhex("FFCA000000")  # to the reader, not the card (PC/SC part 3, 3.2.2.1.3)
_LENGTHS: Final = range(4, 11)
_RANDOM_LENGTH, _RANDOM_FIRST = 4, 0x08  # ISO 14443-3 6.5.4: another one each time it is powered


def uid_of(connection: CardConnection) -> bytes | None:
    """The card's UID, if the reader tells one that stays the same; None otherwise, and over contact.

    Best effort: a reader that does not know the command costs one question. Raises: TransportError: the card has left.
    """
    if connection.interface is not Interface.CONTACTLESS:
        return None  # a contact reader would pass the question to the card
    try:
        response = ResponseApdu.decode(connection.transmit(_GET_UID))
    except MalformedResponse:
        return None
    uid = response.data
    random = len(uid) == _RANDOM_LENGTH and uid[0] == _RANDOM_FIRST
    return uid if response.ok and len(uid) in _LENGTHS and not random else None
