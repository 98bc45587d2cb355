"""Reading JSON strictly: each field is fetched by name and type, or the answer is refused as a whole."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from terminals.client.errors import AnswerNotUnderstood

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def encode_bytes(data: bytes) -> str:
    """base64url without padding, as the service's JSON carries bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_bytes(text: str) -> bytes:
    """Raises: AnswerNotUnderstood."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise AnswerNotUnderstood("bytes that are not base64url") from error


class Fields:
    """One JSON object, met for as long as it takes to make a value of it.

    Raises, from every method: AnswerNotUnderstood: the field is absent or of another type.
    """

    def __init__(self, content: object) -> None:
        if not isinstance(content, dict):
            raise AnswerNotUnderstood("an object was expected")
        self._content: dict[str, Any] = content

    @classmethod
    def read(cls, body: bytes) -> "Fields":
        try:
            return cls(json.loads(body))
        except ValueError as error:
            raise AnswerNotUnderstood("it is not JSON") from error

    def text(self, name: str) -> str:
        value = self._content.get(name)
        if not isinstance(value, str):
            raise AnswerNotUnderstood(f"no text {name!r}")
        return value

    def optional_text(self, name: str) -> str | None:
        return None if self._content.get(name) is None else self.text(name)

    def integer(self, name: str) -> int:
        value = self._content.get(name)
        if type(value) is not int:
            raise AnswerNotUnderstood(f"no whole number {name!r}")
        return value

    def optional_integer(self, name: str) -> int | None:
        return None if self._content.get(name) is None else self.integer(name)

    def optional_moment_ms(self, name: str) -> int | None:
        """A moment of ISO 8601 with its zone, in milliseconds since 1970."""
        text = self.optional_text(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise AnswerNotUnderstood(f"no moment {name!r}") from error
        if moment.tzinfo is None:
            raise AnswerNotUnderstood(f"no zone in the moment {name!r}")
        return (moment - _EPOCH) // timedelta(milliseconds=1)

    def flag(self, name: str) -> bool:
        return self._content.get(name) is True

    def binary(self, name: str) -> bytes:
        return decode_bytes(self.text(name))

    def optional_binary(self, name: str) -> bytes | None:
        text = self.optional_text(name)
        return None if text is None else decode_bytes(text)

    def uuid(self, name: str) -> UUID:
        try:
            return UUID(self.text(name))
        except ValueError as error:
            raise AnswerNotUnderstood(f"no identifier {name!r}") from error

    def optional_uuid(self, name: str) -> UUID | None:
        return None if self._content.get(name) is None else self.uuid(name)

    def inner(self, name: str) -> "Fields":
        return Fields(self._content.get(name))

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise AnswerNotUnderstood(f"no list of texts {name!r}")
        return tuple(values)

    def each(self, name: str, *, optional: bool = False) -> "tuple[Fields, ...]":
        if optional and name not in self._content:
            return ()
        return tuple(Fields(item) for item in self._list(name))

    def _list(self, name: str) -> list[Any]:
        value = self._content.get(name)
        if not isinstance(value, list):
            raise AnswerNotUnderstood(f"no list {name!r}")
        return value
