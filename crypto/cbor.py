"""Deterministic CBOR (RFC 8949 4.2.1): one encoding per value, and every other encoding is refused.

Allowed: integers of major types 0 and 1, byte and text strings, booleans, null, arrays, maps keyed by integers or text.
Not allowed: floats, tags, undefined and other simple values, indefinite lengths, duplicate or unsorted keys, leftovers.
"""

import functools
from collections.abc import Callable, Iterable
from typing import NoReturn, TypeAlias

import cbor2

from crypto.errors import MalformedMessage

Key: TypeAlias = int | str
Value: TypeAlias = "int | bytes | str | bool | list[Value] | dict[Key, Value] | None"

DEPTH_MAX = 16
SIZE_MAX = 4 * 1024 * 1024 + 4096  # a full batch and its envelope
ITEMS_MAX = 20_000  # in all arrays and maps together; a full batch has five thousand

_INTEGER_MIN = -(2**64)  # RFC 8949 3.1, major type 1
_INTEGER_MAX = 2**64 - 1  # RFC 8949 3.1, major type 0
_HEAD_1 = 24  # RFC 8949 3: from here on the argument follows the first byte
_PLAIN = frozenset({bytes, str, bool, type(None)})


class _NoTag(dict[int, Callable[..., NoReturn]]):
    """Refuses every tag where it stands. Left to itself the library makes big numbers, decimals and patterns of what is
    tagged: a decimal of a few hundred kilobytes keeps a processor busy for a minute, whoever sent it.
    """

    def __missing__(self, tag: int) -> Callable[..., NoReturn]:
        return _refuse_tag


def _refuse_tag(*_content: object) -> NoReturn:
    raise ValueError("a tag")


_NO_TAG = _NoTag()


def encode(value: Value) -> bytes:
    """Return the one encoding of `value`.

    Raises: MalformedMessage where the value, or something inside it, is of a kind that is not allowed.
    """
    return _dumps(_canonical(value, DEPTH_MAX, [SIZE_MAX]))


def decode(data: bytes, *, depth_max: int = DEPTH_MAX, size_max: int = SIZE_MAX, items_max: int = ITEMS_MAX) -> Value:
    """Return the value that `data` is the one encoding of. `depth_max` counts nested arrays and maps, `items_max` what
    is in them: anybody may send four million empty lists, and looking at each would take a quarter of a minute.

    Raises: MalformedMessage for anything else.
    """
    if len(data) > size_max:
        raise MalformedMessage(f"The message has {len(data)} bytes; at most {size_max} are allowed.")
    try:
        value = cbor2.loads(
            data,
            max_depth=DEPTH_MAX + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            semantic_decoders=_NO_TAG,
        )
    except (cbor2.CBORDecodeError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedMessage("The message is not readable as CBOR without tags.") from error
    canonical = _canonical(value, depth_max, [items_max])
    # cbor2 accepts longer integers and trailing bytes: equality refuses them.
    if _dumps(canonical) != data:
        raise MalformedMessage("The message is not in deterministic CBOR (RFC 8949 4.2).")
    return canonical


def encode_decoded(value: Value) -> bytes:
    """`encode` for a value, or a part of one, exactly as `decode` returned it: nothing is checked again."""
    return _dumps(value)


def byte_string(data: bytes) -> bytes:
    """`encode` for bytes alone, on the way of every signature."""
    size = len(data)
    if size < _HEAD_1:
        return bytes((0x40 | size,)) + data
    if size < 1 << 8:
        return bytes((0x58, size)) + data
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2, "big") + data
    return _dumps(data)


@functools.lru_cache(maxsize=256)
def text_string(value: str) -> bytes:
    """`encode` for a text alone that comes again and again: an outcome, a reason."""
    return encode(value)


def _dumps(value: Value) -> bytes:
    try:
        return cbor2.dumps(value)
    except (cbor2.CBOREncodeError, ValueError) as error:  # a lone surrogate in a text
        raise MalformedMessage("The value holds a text that is not Unicode.") from error


def _canonical(value: object, depth_left: int, items_left: list[int]) -> Value:
    """Check the value and everything in it, and sort every map. `items_left` is a counter shared by the whole walk."""
    kind = type(value)
    if kind in _PLAIN or (kind is int and _INTEGER_MIN <= value <= _INTEGER_MAX):  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if kind is int:
        raise MalformedMessage("The message holds an integer outside 64 bits.")
    if kind is not list and kind is not dict:
        raise MalformedMessage(f"The message holds a {kind.__name__}, which is not allowed.")
    items_left[0] -= len(value)  # type: ignore[arg-type]
    if depth_left == 0 or items_left[0] < 0:
        raise MalformedMessage("The message is nested too deeply or holds too many items.")
    if kind is list:
        items: list[object] = value  # type: ignore[assignment]
        # the test for plain items is repeated here because it halves the time of a batch
        return [item if type(item) in _PLAIN else _canonical(item, depth_left - 1, items_left) for item in items]  # type: ignore[misc]
    entries: dict[object, object] = value  # type: ignore[assignment]
    return {
        key: item if type(item) in _PLAIN else _canonical(item, depth_left - 1, items_left)  # type: ignore[misc]
        for key, item in _sorted_entries(entries)
    }


def _sorted_entries(entries: dict[object, object]) -> Iterable[tuple[object, object]]:
    """By the bytes of the encoded keys (RFC 8949 4.2.1), not by length first as in RFC 7049."""
    last = -1
    for key in entries:
        if type(key) is not int or not last < key <= _INTEGER_MAX:
            return sorted(entries.items(), key=lambda entry: _encoded_key(entry[0]))
        last = key
    return entries.items()  # ascending integers from 0 are in the order of their bytes


def _encoded_key(key: object) -> bytes:
    if type(key) is str or (type(key) is int and _INTEGER_MIN <= key <= _INTEGER_MAX):
        return _dumps(key)
    raise MalformedMessage("A map in the message has a key that is neither an integer nor a text.")
