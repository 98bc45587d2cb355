"""The channel under a session: one command, one answer, and an end at the first transport error."""

from terminals.card.apdu import CLA_PLAIN, SW, CommandApdu, Octets, ResponseApdu, meaning
from terminals.card.connection import CardConnection, Interface, exchange
from terminals.card.errors import (
    Condition,
    MalformedResponse,
    NotAllowed,
    SessionEnded,
    TransportError,
    UnexpectedStatus,
)


class Channel:
    """Sends commands until the first transport error; then nothing more, because another card may answer."""

    def __init__(self, connection: CardConnection) -> None:
        self.connection = connection
        self._ended = False

    def close(self) -> None:
        self._ended = True
        self.connection.close()

    def send(self, ins: int, p1: int, p2: int, data: Octets = b"", le: int | None = None) -> ResponseApdu:
        return self.exchange(CommandApdu(CLA_PLAIN, ins, p1, p2, data, le))

    def exchange(self, command: CommandApdu) -> ResponseApdu:
        """Raises: TransportError: and the channel is closed; so it is when the answer was none (`MalformedResponse`:
        cut off, or without end). SessionEnded: it was closed before.
        """
        if self._ended:
            raise SessionEnded
        try:
            return exchange(self.connection, command)
        except (TransportError, MalformedResponse):
            self.close()
            raise

    def refusal(self, doing: str, response: ResponseApdu, condition: Condition) -> NotAllowed | UnexpectedStatus:
        """The error for an answer that is not 9000. `condition` is what the contact interface asks for this command."""
        contactless = self.connection.interface is Interface.CONTACTLESS
        if contactless and response.sw in (SW.NOT_ALLOWED_NOW, SW.NOT_SUPPORTED):
            return NotAllowed(doing, Condition.CONTACT)
        if response.sw == SW.NOT_ALLOWED_NOW:
            return NotAllowed(doing, condition)
        return UnexpectedStatus(doing, response.sw, meaning(response.sw))
