"""What a look at a resident must say of itself."""

import re
from collections.abc import Sequence

from cardsvc.errors import CityError, ErrorKind

PURPOSE_LENGTH_MAX = 200
FIELDS_LENGTH_MAX = 200
_FIELD = re.compile(r"[a-z][a-z0-9_]*")


class InvalidLook(CityError):
    code = "invalid_look"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"Nobody is shown without a reason. {problem}", fields={field: [problem]})


def checked_purpose(purpose: str) -> str:
    """The purpose as it is stored. Raises: InvalidLook."""
    said = " ".join(purpose.split())
    if not 1 <= len(said) <= PURPOSE_LENGTH_MAX:
        raise InvalidLook("purpose", f"Say why, in at most {PURPOSE_LENGTH_MAX} characters.")
    return said


def checked_fields(fields: Sequence[str]) -> str:
    """The names of what is shown, as they are stored: words with a space between them. Raises: InvalidLook."""
    words = " ".join(dict.fromkeys(fields))
    if not words or len(words) > FIELDS_LENGTH_MAX or not all(_FIELD.fullmatch(field) for field in fields):
        raise InvalidLook("fields", "Name what is shown in words such as name, photo, birth_date.")
    return words
