"""Marshmallow parts of the API: strict schemas, bytes as base64url, money as whole centavos."""

import base64
import binascii
import re
from typing import Any

from marshmallow import RAISE, Schema, fields, validate

from cardsvc import money

BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")


class ApiSchema(Schema):
    """Base of every schema: an unknown field is an error, never ignored; order is as written."""

    class Meta:
        """Marshmallow's options."""

        unknown = RAISE


class Bytes(fields.String):
    """Bytes as base64url without padding (RFC 4648 5), one spelling for one value."""

    default_error_messages = {"bytes": "Not base64url without padding."}  # noqa: RUF012  (marshmallow's own way)

    def __init__(self, *, size: int | None = None, size_max: int | None = None, **kwargs: Any) -> None:
        rules = [validate.Length(equal=size)] if size is not None else []
        rules += [validate.Length(max=size_max)] if size_max is not None else []
        # Sizes are in bytes, the document's lengths in characters; metadata is what the document takes last.
        spelled: dict[str, Any] = {"pattern": "^[A-Za-z0-9_-]*$"}
        for name, bytes_ in (("minLength", size), ("maxLength", size_max if size is None else size)):
            spelled |= {} if bytes_ is None else {name: _characters(bytes_)}
        super().__init__(validate=rules or None, metadata=spelled | kwargs.pop("metadata", {}), **kwargs)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        del attr, obj, kwargs
        return None if value is None else base64.urlsafe_b64encode(value).rstrip(b"=").decode()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:  # type: ignore[override]
        text = super()._deserialize(value, attr, data, **kwargs)
        try:
            if not BASE64URL.match(text):
                raise self.make_error("bytes")
            found = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error as error:
            raise self.make_error("bytes") from error
        # The last character may hide bits: only the spelling that we would write ourselves is accepted.
        if base64.urlsafe_b64encode(found).rstrip(b"=").decode() != text:
            raise self.make_error("bytes")
        return found


def _characters(size: int) -> int:
    """How long base64url without padding is for this many bytes."""
    return (size * 8 + 5) // 6


class Flag(fields.Boolean):
    """`true` or `false`; not the many other things that marshmallow takes for one of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        del attr, data, kwargs
        if value is True or value is False:
            return bool(value)
        raise self.make_error("invalid", input=value)


class Cents(fields.Integer):
    """An amount in whole centavos; never a float, never a string."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)


class Currency(fields.String):
    """The ISO 4217 code beside an amount; the city keeps its books in one currency."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(validate=validate.Equal(money.CURRENCY), **kwargs)


def bytes_field(*, size: int | None = None, size_max: int | None = None, **kwargs: Any) -> Bytes:
    """A field of bytes, with an exact or a largest size in bytes when told."""
    return Bytes(size=size, size_max=size_max, **kwargs)


def cents_field(*, least: int = -money.AMOUNT_MAX, most: int = money.AMOUNT_MAX, **kwargs: Any) -> Cents:
    """Whole centavos between `least` and `most`, both allowed; either sign unless told otherwise."""
    return Cents(validate=validate.Range(min=least, max=most), **kwargs)


def money_field(**kwargs: Any) -> Cents:
    """Whole centavos that somebody moves: at least one."""
    return cents_field(least=1, **kwargs)
