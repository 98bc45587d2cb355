"""The key that makes a money POST safe to repeat: the record's id, made by the sender and kept."""

from typing import ClassVar
from uuid import UUID

from flask import request

from cardsvc.errors import CityError, ErrorKind

HEADER = "Idempotency-Key"
BARE_LENGTH, QUOTED_LENGTH = 36, 38


class IdempotencyKeyMissing(CityError):
    """A money POST came without its key."""

    code: ClassVar[str] = "idempotency_key_missing"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("Send the header Idempotency-Key with a UUID of your own making, the same one when you retry.")


class IdempotencyKeyMalformed(CityError):
    """The key is no UUID."""

    code: ClassVar[str] = "idempotency_key_malformed"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID

    def __init__(self) -> None:
        super().__init__("The header Idempotency-Key must be one UUID, such as 0190f5d2-7a3b-7c1d-8e4f-0123456789ab.")


def idempotency_key() -> UUID:
    """The request's Idempotency-Key: it becomes the record id, so keys never expire.

    draft-ietf-httpapi-idempotency-key-header-07 (a draft) writes the value in double quotes; both forms are read.
    """
    text = request.headers.get(HEADER, "").strip()
    if not text:
        raise IdempotencyKeyMissing
    if len(text) == QUOTED_LENGTH and text[0] == text[-1] == '"':
        text = text[1:-1]
    try:
        if len(text) != BARE_LENGTH:
            raise IdempotencyKeyMalformed
        return UUID(text)
    except ValueError as error:
        raise IdempotencyKeyMalformed from error
