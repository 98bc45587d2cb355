"""BER-TLV as cards use it (ISO 7816-4 5.2.2): tags of one or two bytes, lengths of one to three, nothing left over.

Written in the shortest form; read in any of the three, because real cards pad their lengths.
"""

from collections.abc import Iterable
from typing import Final

from terminals.card.errors import MalformedResponse

_MULTI_BYTE_TAG: Final = 0x1F
_MORE_TAG_BYTES: Final = 0x80
_SHORT_LENGTH_MAX: Final = 0x7F
_ONE_LENGTH_BYTE: Final = 0x81
_TWO_LENGTH_BYTES: Final = 0x82
_BYTE: Final = 0x100
_TWO_BYTES: Final = 0x10000

Item = tuple[int, bytes]


def encode(tag: int, value: bytes | bytearray = b"") -> bytes:
    """One element, its length in the shortest form (values up to 65,535 bytes)."""
    return tag.to_bytes(1 if tag < _BYTE else 2) + _length(len(value)) + bytes(value)


def encode_all(items: Iterable[Item]) -> bytes:
    return b"".join(encode(tag, value) for tag, value in items)


def decode_all(data: bytes) -> list[Item]:
    """The elements of `data`, in order.

    Raises:
        MalformedResponse: a length runs past the end, or a tag or a length is cut short or of another form.
    """
    items = []
    offset = 0
    while offset < len(data):
        tag, offset = _read_tag(data, offset)
        length, offset = _read_length(data, offset)
        if offset + length > len(data):
            raise MalformedResponse("an element longer than the data it stands in")
        items.append((tag, data[offset : offset + length]))
        offset += length
    return items


def decode_one(data: bytes, tag: int) -> bytes:
    """The value of the one element that `data` is, which must have this tag.

    Raises:
        MalformedResponse: another tag, or bytes after the element.
    """
    items = decode_all(data)
    if len(items) != 1 or items[0][0] != tag:
        raise MalformedResponse(f"something else than one element {tag:X}")
    return items[0][1]


def decode_unique(data: bytes) -> dict[int, bytes]:
    """The elements of `data` by tag.

    Raises:
        MalformedResponse: a tag stands twice.
    """
    items = decode_all(data)
    unique = dict(items)
    if len(unique) != len(items):
        raise MalformedResponse("the same element twice")
    return unique


def _length(length: int) -> bytes:
    if length <= _SHORT_LENGTH_MAX:
        return bytes((length,))
    if length < _BYTE:
        return bytes((_ONE_LENGTH_BYTE, length))
    if length < _TWO_BYTES:
        return bytes((_TWO_LENGTH_BYTES,)) + length.to_bytes(2)
    raise ValueError("no card object is this long")


def _read_tag(data: bytes, offset: int) -> tuple[int, int]:
    first = data[offset]
    if first & _MULTI_BYTE_TAG != _MULTI_BYTE_TAG:
        return first, offset + 1
    if offset + 1 >= len(data) or data[offset + 1] & _MORE_TAG_BYTES:
        raise MalformedResponse("a tag cut short or longer than two bytes")
    return first << 8 | data[offset + 1], offset + 2


def _read_length(data: bytes, offset: int) -> tuple[int, int]:
    if offset >= len(data):
        raise MalformedResponse("an element without a length")
    first = data[offset]
    if first <= _SHORT_LENGTH_MAX:
        return first, offset + 1
    size = first - _ONE_LENGTH_BYTE + 1
    if first not in (_ONE_LENGTH_BYTE, _TWO_LENGTH_BYTES) or offset + 1 + size > len(data):
        raise MalformedResponse("an element with a length that cannot be read")
    return int.from_bytes(data[offset + 1 : offset + 1 + size]), offset + 1 + size
