"""Asking for a card's secret (its 9B key, its PUK) so that the answer opens in this program only, once."""

from typing import Protocol
from uuid import UUID

from crypto.errors import InvalidSeal
from crypto.keys import Signer
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret, OneTimeKey, SecretRequest
from terminals.client.errors import AnswerNotUnderstood
from terminals.client.fields import encode_bytes


class Terminal(Protocol):
    """Who asks: an enrolled counter, as its `Identity` says."""

    @property
    def device_id(self) -> UUID: ...

    @property
    def signer(self) -> Signer: ...


class SecretAsk:
    """One request, with the one-time key that opens the answer to it. `step`: how long the card's history is."""

    def __init__(self, secret: CardSecret, terminal: Terminal, card_id: UUID, step: int) -> None:
        self._key = OneTimeKey.generate()
        self.request = SecretRequest(secret, terminal.device_id, card_id, step, self._key.point)
        self._signer = terminal.signer

    def signed(self) -> str:
        """The request under the terminal's signature, as the service's JSON has it."""
        return encode_bytes(personalisation.sign_request(self.request, self._signer))

    def open(self, sealed: bytes) -> bytes:
        """The secret in the answer. Raises: AnswerNotUnderstood: it is no answer to this request; ask anew."""
        try:
            return self._key.unseal(sealed, self.request)
        except InvalidSeal as error:
            raise AnswerNotUnderstood("a secret that is not sealed for this counter's request") from error
