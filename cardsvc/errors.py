"""What the service refuses, and why. One class per failure; its message is made in the class.

`code` is stable: programs may branch on it and logs may store it. `kind` says what sort of failure it is; only the web
edge turns a kind into an HTTP status.
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import ClassVar


class ErrorKind(Enum):
    """Sorts of failure, by what the caller can do about them."""

    INVALID = "invalid"  # what was sent cannot be read: send something else
    UNAUTHENTICATED = "unauthenticated"  # nobody is signed in: sign in
    FORBIDDEN = "forbidden"  # somebody is, and may not
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"  # the present state does not allow it
    PRECONDITION = "precondition"  # it changed since the caller looked
    UNPROCESSABLE = "unprocessable"  # it can be read, and breaks a rule
    UNAVAILABLE = "unavailable"  # try again later, unchanged
    TOO_MANY = "too_many"  # try again later, less often


class CityError(Exception):
    """One clear sentence that says what to do next. `fields` names the wrong fields or rows, where there are any."""

    code: ClassVar[str] = "city_error"
    kind: ClassVar[ErrorKind] = ErrorKind.INVALID

    def __init__(self, message: str, *, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(message)
        self.fields: dict[str, list[str]] = {name: list(texts) for name, texts in (fields or {}).items()}
