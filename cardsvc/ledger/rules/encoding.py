"""What an entry's hash is taken over: deterministic CBOR, put together from parts that many entries share.

The bytes are those of `crypto.cbor.encode`, which takes five times as long for them.
"""

import struct
from functools import lru_cache
from typing import Final

from crypto import cbor

NULL: Final = b"\xf6"
_KEPT = 1 << 15  # a few megabytes
_LONG_AGO = 1 << 32  # from here on a number has eight bytes: every moment since February 1970
_MOMENTS = struct.Struct(">BQBQ").pack
_EIGHT_BYTES = 0x1B  # major type 0 with its number in eight bytes (RFC 8949 3)


def text(value: str) -> bytes:
    encoded = value.encode()
    try:
        return _TEXTS[len(encoded)] + encoded
    except IndexError:
        return cbor.encode(value)


def _with_major(major: int, argument: int) -> bytes:
    """The head of another major type: that of the number, but for its first three bits (RFC 8949 3)."""
    head = cbor.encode(argument)
    return bytes((head[0] | major << 5,)) + head[1:]


_TEXTS: Final = tuple(_with_major(3, length) for length in range(256))  # by their length; hardly any is longer
_ARRAYS: Final = tuple(_with_major(4, length) for length in range(64))


@lru_cache(maxsize=_KEPT)
def integer(number: int) -> bytes:
    return cbor.encode(int(number))


def array(length: int) -> bytes:
    """The head of an array, whose items follow."""
    return _ARRAYS[length] if length < len(_ARRAYS) else _with_major(4, length)


def identifier(value: bytes) -> bytes:
    """The 16 bytes of a UUID."""
    return b"\x50" + value


def moments(first_ms: int, second_ms: int) -> bytes:
    """Two numbers, one after the other."""
    if first_ms < _LONG_AGO or second_ms < _LONG_AGO:
        return cbor.encode(first_ms) + cbor.encode(second_ms)
    return _MOMENTS(_EIGHT_BYTES, first_ms, _EIGHT_BYTES, second_ms)
