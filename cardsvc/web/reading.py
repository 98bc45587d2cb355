"""How a request's fields are read: what no parser or database can hold is refused here, as the caller's mistake."""

from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any

from marshmallow import Schema, ValidationError
from webargs.flaskparser import FlaskParser

_BAD_TEXT = "A text holds a zero character or half a surrogate pair."


class ArgumentsParser(FlaskParser):
    """webargs' parser for Flask, which lets some bodies through that end as our failure instead of the caller's."""

    def _raw_load_json(self, req: Any) -> Any:
        try:
            return super()._raw_load_json(req)
        except JSONDecodeError:
            raise
        except (RecursionError, ValueError) as error:  # thousands of brackets; a number of thousands of digits
            raise JSONDecodeError("too deep or too long", "a body", 0) from error

    def pre_load(self, location_data: Any, *, schema: Schema, req: Any, location: str) -> Any:
        """Refuse texts that neither hashing nor PostgreSQL takes, whatever field they stand in."""
        del schema, req, location
        left = [location_data]
        while left:
            value = left.pop()
            if isinstance(value, str):
                if not _is_text(value):
                    raise ValidationError(_BAD_TEXT)
            elif isinstance(value, list):
                left += value
            elif isinstance(value, Mapping):
                left += value.values()
        return location_data


def _is_text(value: str) -> bool:
    if "\0" in value:
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
