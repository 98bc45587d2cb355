"""The tagged-field codec: a frozen dataclass whose fields carry numeric tags becomes a CBOR map and back.

Evolution: append only. A tag keeps its meaning for ever. A new field takes a new tag and a default, which is left out
on the wire; a change that an old reader must not overlook is a new kind instead. An unknown tag is refused.
"""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar, cast, get_type_hints
from uuid import UUID

from crypto import cbor
from crypto.cbor import Key, Value
from crypto.errors import MalformedMessage

T = TypeVar("T")

INTEGER_MAX = 2**63 - 1  # what a database column holds
CENTS_MAX = 10**15  # ten trillion pesos: sums of many stay within 64 bits
TIME_MS_MAX = 253_402_300_799_999  # the last millisecond of the year 9999
TEXT_MAX = 200
HASH_BYTES = 32
UUID_BYTES = 16
CURRENCY_LETTERS = 3


class HasBody(Protocol):
    """A record or a query: a kind and the encoded map that belongs to it."""

    @property
    def kind(self) -> int: ...

    @property
    def body(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Type(Generic[T]):
    """How one field travels. `check` raises MalformedMessage for a value that is not allowed."""

    to_wire: Callable[[T], Value]
    from_wire: Callable[[Value], T]
    check: Callable[[T], None]


@dataclass(frozen=True, slots=True)
class Tag:
    """The number and type of a field, as its annotation carries them: `amount_cents: Annotated[int, Tag(1, CENTS)]`.

    A field with a default is optional: it is on the wire exactly where it differs from the default.
    """

    number: int
    kind: Type[Any]


class Tagged:
    """Base of everything made of tagged fields: checked when it is made, so that a value in hand is an allowed one."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for entry in _plan(type(self)):
            value = getattr(self, entry.name)
            if entry.required or value != entry.default:
                try:
                    entry.kind.check(value)
                except MalformedMessage as error:
                    raise MalformedMessage(f"{entry.name}: {error}") from error

    def encode(self) -> dict[Key, Value]:
        """The map that stands for this value."""
        return {
            entry.tag: entry.kind.to_wire(getattr(self, entry.name))
            for entry in _plan(type(self))
            if entry.required or getattr(self, entry.name) != entry.default
        }

    @classmethod
    def from_map(cls, values: Value) -> Self:
        """The value that the map stands for. Raises: MalformedMessage for unknown, missing or wrong fields."""
        if not isinstance(values, dict):
            raise MalformedMessage(f"A {cls.__name__} is a map.")
        plan = _plan(cls)
        arguments: dict[str, Any] = {}
        for entry in plan:
            if entry.tag in values:
                arguments[entry.name] = entry.kind.from_wire(values[entry.tag])
                if not entry.required and arguments[entry.name] == entry.default:
                    raise MalformedMessage(f"{entry.name}: a default is left out, never written.")
            elif entry.required:
                raise MalformedMessage(f"{cls.__name__} lacks its field {entry.tag} ({entry.name}).")
        if len(arguments) != len(values):
            raise MalformedMessage(f"{cls.__name__} has a field that this version does not know.")
        return cls(**arguments)


class Body(Tagged):
    """What a record or a query of one kind says."""

    __slots__ = ()
    KIND: ClassVar[int]

    def to_bytes(self) -> bytes:
        """The encoded map, as `Record.body` holds it."""
        return cbor.encode(self.encode())

    @classmethod
    def decode(cls, message: HasBody) -> Self:
        """Read the body of a record or query of this kind. Raises: MalformedMessage."""
        if message.kind != cls.KIND:
            raise MalformedMessage(f"A message of kind {message.kind} is no {cls.__name__} (kind {int(cls.KIND)}).")
        return cls.from_map(cbor.decode(message.body, depth_max=4))


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    tag: int
    kind: Type[Any]
    required: bool
    default: Any


def _make_plan(cls: type[Tagged]) -> tuple[_Entry, ...]:
    """The fields in the order of their tags."""
    hints = get_type_hints(cls, include_extras=True)
    plan = []
    for item in dataclasses.fields(cast("Any", cls)):
        (tag,) = (part for part in hints[item.name].__metadata__ if isinstance(part, Tag))
        required = item.default is dataclasses.MISSING
        plan.append(_Entry(item.name, tag.number, tag.kind, required, None if required else item.default))
    if len({entry.tag for entry in plan}) != len(plan):
        raise TypeError(f"{cls.__name__} uses a tag twice.")
    return tuple(sorted(plan, key=lambda entry: entry.tag))


# worked out once for each class; mypy does not see that a class is hashable
_plan: Callable[[type[Tagged]], tuple[_Entry, ...]] = functools.cache(_make_plan)  # type: ignore[assignment]


def _refuse(sentence: str) -> MalformedMessage:
    return MalformedMessage(sentence)


def _same(value: Any) -> Any:
    return value


def _plain(to_wire: Callable[[Any], Value], check: Callable[[Any], None]) -> Type[Any]:
    """A field whose wire value is its Python value; `to_wire` strips enums, the check runs when the value is made."""
    return Type(to_wire=to_wire, from_wire=_same, check=check)


def integer(minimum: int = 0, maximum: int = INTEGER_MAX) -> Type[int]:
    """A whole number within the bounds, both included."""

    def check(value: object) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise _refuse(f"must be a whole number from {minimum} to {maximum}.")

    return _plain(int, check)


def text(letters_max: int = TEXT_MAX, *, letters_min: int = 1) -> Type[str]:
    """Text of a bounded number of characters, without control characters."""

    def check(value: object) -> None:
        if not isinstance(value, str) or not letters_min <= len(value) <= letters_max:
            raise _refuse(f"must be a text of {letters_min} to {letters_max} characters.")
        if not value.isprintable():
            raise _refuse("must be a text without control characters.")

    return _plain(str, check)


def document(letters_max: int) -> Type[str]:
    """Text of several lines: a checkpoint, a key file."""

    def check(value: object) -> None:
        if not isinstance(value, str) or not 1 <= len(value) <= letters_max:
            raise _refuse(f"must be a text of at most {letters_max} characters.")

    return _plain(str, check)


def choice(*allowed: str) -> Type[str]:
    """One of a few words."""

    def check(value: object) -> None:
        if not isinstance(value, str) or value not in allowed:
            raise _refuse(f"must be one of {', '.join(allowed)}.")

    return _plain(str, check)


def octets(size_min: int, size_max: int | None = None) -> Type[bytes]:
    """Bytes of a fixed size, or of a size within the bounds."""
    size_max = size_min if size_max is None else size_max

    def check(value: object) -> None:
        if type(value) is not bytes or not size_min <= len(value) <= size_max:
            raise _refuse(f"must have {size_min} to {size_max} bytes.")

    return _plain(bytes, check)


def _check_currency(value: object) -> None:
    if not isinstance(value, str) or len(value) != CURRENCY_LETTERS or not (value.isascii() and value.isalpha()):
        raise _refuse("must be a currency of three capital letters (ISO 4217).")
    if not value.isupper():
        raise _refuse("must be a currency of three capital letters (ISO 4217).")


def _check_uuid(value: object) -> None:
    if type(value) is not UUID:
        raise _refuse("must be a UUID.")


def read_uuid(value: Value) -> UUID:
    """A UUID from its 16 bytes. Raises: MalformedMessage."""
    if not isinstance(value, bytes) or len(value) != UUID_BYTES:
        raise _refuse("must be the 16 bytes of a UUID.")
    return UUID(bytes=value)


CURRENCY: Type[str] = _plain(str, _check_currency)
CENTS: Type[int] = integer(0, CENTS_MAX)
POSITIVE_CENTS: Type[int] = integer(1, CENTS_MAX)
TIME_MS: Type[int] = integer(0, TIME_MS_MAX)
HASH: Type[bytes] = octets(HASH_BYTES)
IDENTIFIER: Type[UUID] = Type(to_wire=lambda value: value.bytes, from_wire=read_uuid, check=_check_uuid)


def _check_date(value: object) -> None:
    if type(value) is not date or not 0 <= (value - _EPOCH).days <= DAYS_MAX:
        raise _refuse("must be a day from 1970 to the year 9999.")


def _read_date(value: Value) -> date:
    if type(value) is not int or not 0 <= value <= DAYS_MAX:
        raise _refuse(f"must be a number of days from 0 to {DAYS_MAX}.")
    return _EPOCH + timedelta(days=value)


_EPOCH = date(1970, 1, 1)
DAYS_MAX = (date(9999, 12, 31) - _EPOCH).days
DATE: Type[date] = Type(to_wire=lambda day: (day - _EPOCH).days, from_wire=_read_date, check=_check_date)
"""A calendar day in the city, as days since 1970-01-01."""


def many(kind: Type[T], items_max: int) -> Type[tuple[T, ...]]:
    """A sequence, in order."""

    def check(values: tuple[T, ...]) -> None:
        if type(values) is not tuple or len(values) > items_max:
            raise _refuse(f"must be a sequence of at most {items_max} items.")
        for value in values:
            kind.check(value)

    def from_wire(value: Value) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise _refuse("must be a sequence.")
        return tuple(kind.from_wire(item) for item in value)

    return Type(to_wire=lambda values: [kind.to_wire(value) for value in values], from_wire=from_wire, check=check)


def nested(cls: type[Tagged]) -> Type[Any]:
    """Another value made of tagged fields."""

    def check(value: Any) -> None:
        if type(value) is not cls:
            raise _refuse(f"must be a {cls.__name__}.")

    return Type(to_wire=lambda value: value.encode(), from_wire=cls.from_map, check=check)
