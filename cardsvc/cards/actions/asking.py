"""Who may be told a card's secret: an enrolled counter, once for each request that its terminal key signed."""

from collections.abc import Callable
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from sqlalchemy.orm import Session

from cardsvc.cards import queries
from cardsvc.cards.rules import InvalidSecretRequest, NotACounter, StaleSecretRequest
from crypto.errors import CryptoError
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret, SecretRequest

CounterKey = Callable[[Session, UUID], EllipticCurvePublicKey | None]
"""The key of the terminal of this id; None unless it is a counter, enrolled, and not revoked."""


def read_request(
    session: Session, message: bytes, secret: CardSecret, card_id: UUID, counter_key: CounterKey
) -> SecretRequest:
    """The counter's request for this secret of this card. Seal the answer for it with `personalisation.seal`.

    Whoever answers adds a line to the card's history: that is what makes the request worth one answer.
    Raises: InvalidSecretRequest, NotACounter, CardNotFound, StaleSecretRequest.
    """
    try:
        said = personalisation.peek_request(message)
        public_key = counter_key(session, said.terminal_id)
        if public_key is None:
            raise NotACounter
        request = personalisation.open_request(message, public_key)
    except CryptoError as error:
        raise InvalidSecretRequest from error
    if (request.secret, request.card_id) != (secret, card_id):
        raise InvalidSecretRequest
    queries.find(session, card_id)
    if request.step != len(queries.history(session, card_id)):
        raise StaleSecretRequest
    return request
