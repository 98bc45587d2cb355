"""What a right to a category of riders may be, and why one is not given."""

from collections.abc import Collection
from datetime import date
from typing import ClassVar, Final

from cardsvc.errors import CityError, ErrorKind

REASON_MIN: Final = 3
REASON_MAX: Final = 200


class InvalidRight(CityError):
    """The right cannot be given so; the sentence says what to change."""

    code: ClassVar[str] = "invalid_right"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


class UnknownRight(CityError):
    code: ClassVar[str] = "unknown_right"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no right with this id. Look at the resident's list of rights.")


def check_right(category: str, known: Collection[str], valid_from: date, valid_to: date, reason: str) -> None:
    """`known` are the categories of the tariff in force that have to be given. Raises: InvalidRight."""
    if category not in known:
        listed = ", ".join(sorted(known)) or "none"
        raise InvalidRight(f"The tariff has no category of riders {category} that is given. Known: {listed}.")
    if valid_to < valid_from:
        raise InvalidRight("The right ends before it begins. Give a last day that is the first one or later.")
    check_reason(reason)


def check_reason(reason: str) -> None:
    """Raises: InvalidRight."""
    if not (REASON_MIN <= len(reason) <= REASON_MAX and reason.isprintable()):
        raise InvalidRight(f"Say why in {REASON_MIN} to {REASON_MAX} letters: what was shown, which card or paper.")
