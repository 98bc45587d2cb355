"""What a terminal holds: a reader, and the connection to the card in it. And `exchange`, the one place that chains."""

from enum import Enum
from typing import Final, Protocol

from terminals.card.apdu import (
    CLA_CHAINED,
    CLA_PLAIN,
    INS_GET_RESPONSE,
    P1_NONE,
    P2_NONE,
    SHORT_DATA_MAX,
    SHORT_LE_MAX,
    SW,
    CommandApdu,
    Octets,
    ResponseApdu,
)
from terminals.card.errors import MalformedResponse


class Interface(Enum):
    """How the card is reached; PIV's access rules differ (SP 800-73-5 Part 1, Table 4a)."""

    CONTACT = "contact"
    CONTACTLESS = "contactless"


class CardConnection(Protocol):
    """One card, powered, from connect to close. Used by one thread.

    - `transmit` sends exactly one command frame and returns exactly one answer frame with its status word. It neither
      chains nor follows 61xx: `exchange` does. It does not keep or log what it sent.
    - It raises a `TransportError` when no answer came. The card may or may not have done the command, and the next card
      may answer on the same handle: whoever gets one closes the connection and starts over.
    - `close` takes the power from the card, so that no verified PIN outlives the connection. It never raises and may be
      called twice.
    """

    @property
    def atr(self) -> bytes: ...

    @property
    def interface(self) -> Interface: ...

    def transmit(self, frame: Octets) -> bytes: ...

    def close(self) -> None: ...


class Reader(Protocol):
    """A slot a card can be in. One thread per reader.

    - `wait_for_card` and `wait_for_removal` return True when that is so, False when `timeout` seconds passed. They
      raise `ReaderUnavailable` only for what waiting cannot mend; a daemon that restarts is waited for.
    - Removed is the card that `wait_for_card` saw last, even if another one is in by now.
    - `connect` powers the card and returns its connection; it raises `NoCard` when the slot is empty. The caller closes
      the connection as soon as the step at hand is done: other programs are kept out of the card until then.
    """

    @property
    def name(self) -> str: ...

    def wait_for_card(self, timeout: float) -> bool: ...

    def wait_for_removal(self, timeout: float) -> bool: ...

    def connect(self) -> CardConnection: ...


RESPONSE_MAX: Final = 65536  # no PIV object is a quarter of this


def exchange(connection: CardConnection, command: CommandApdu) -> ResponseApdu:
    """Send a command of any length and return its whole answer: command chaining, 61xx and 6Cxx are followed here.

    Every frame is wiped after it was sent. A status word other than 9000 in the middle of a chain ends the chain.

    Raises:
        TransportError: from the connection.
        MalformedResponse: the card sends more and more without end.
    """
    response = _send_right(connection, command)
    data = response.data
    while response.sw & 0xFF00 == SW.MORE_DATA:
        waiting = response.sw & 0xFF or SHORT_LE_MAX
        response = _send_right(connection, CommandApdu(CLA_PLAIN, INS_GET_RESPONSE, P1_NONE, P2_NONE, le=waiting))
        data += response.data
        # a card that says "more" and sends nothing would hold the reader for ever
        if len(data) > RESPONSE_MAX or (response.sw & 0xFF00 == SW.MORE_DATA and not response.data):
            raise MalformedResponse("an answer without end")
    return ResponseApdu(data, response.sw)


def _send_right(connection: CardConnection, command: CommandApdu) -> ResponseApdu:
    """Send it, and if the card names another length, once more, whole, with that one (ISO 7816-4 5.1).

    Not when no length was asked for: a PIN is never sent twice.
    """
    response = _send_chain(connection, command)
    if command.le is None or response.sw & 0xFF00 != SW.WRONG_LE:
        return response
    right = response.sw & 0xFF or SHORT_LE_MAX
    return _send_chain(connection, CommandApdu(command.cla, command.ins, command.p1, command.p2, command.data, right))


def _send_chain(connection: CardConnection, command: CommandApdu) -> ResponseApdu:
    data = command.data
    while len(data) > SHORT_DATA_MAX:
        block, data = data[:SHORT_DATA_MAX], data[SHORT_DATA_MAX:]
        response = _send(connection, CommandApdu(command.cla | CLA_CHAINED, command.ins, command.p1, command.p2, block))
        if not response.ok:
            return response
    return _send(connection, CommandApdu(command.cla, command.ins, command.p1, command.p2, data, command.le))


def _send(connection: CardConnection, command: CommandApdu) -> ResponseApdu:
    frame = command.encode()
    try:
        return ResponseApdu.decode(connection.transmit(frame))
    finally:
        frame[:] = bytes(len(frame))  # it may have held a PIN or a key
