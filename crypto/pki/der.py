"""Just enough DER (X.690) to write and read a CMS signature; the rest is the library's."""

from dataclasses import dataclass

from crypto.errors import MalformedMessage

INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
CONTEXT_0 = 0xA0

_LONG_FORM = 0x80
_LENGTH_BYTES_MAX = 3
_MULTI_BYTE_TAG = 0x1F
_OID_BYTES_MAX = 63  # what the library reads too


@dataclass(frozen=True, slots=True)
class Element:
    """One tag-length-value; `raw` are all its bytes."""

    tag: int
    content: bytes
    raw: bytes


def encode(tag: int, *contents: bytes) -> bytes:
    """An element around its contents."""
    content = b"".join(contents)
    return bytes((tag,)) + _length(len(content)) + content


def integer(value: int) -> bytes:
    """A non-negative INTEGER (X.690 8.3)."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER (X.690 8.19)."""
    first, second, *rest = (int(arc) for arc in dotted.split("."))
    return encode(OBJECT_IDENTIFIER, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def dotted(element: "Element") -> str:
    """The arcs of an OBJECT IDENTIFIER that was read. Raises: MalformedMessage."""
    content = element.content
    if element.tag != OBJECT_IDENTIFIER or not content or content[-1] & 0x80 or len(content) > _OID_BYTES_MAX:
        raise MalformedMessage("The DER structure has no object identifier where one must be.")
    arcs, value = [], 0
    for byte in content:
        if value == 0 and byte == 0x80:  # noqa: PLR2004 - X.690 8.19.2: the shortest form
            raise MalformedMessage("The DER structure has an object identifier that is not in its shortest form.")
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)  # X.690 8.19.4
    return ".".join(str(arc) for arc in (first, arcs[0] - first * 40, *arcs[1:]))


def _base128(value: int) -> bytes:
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _length(count: int) -> bytes:
    if count < _LONG_FORM:
        return bytes((count,))
    encoded = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes((_LONG_FORM | len(encoded),)) + encoded


def read(data: bytes, expected_tag: int | None = None) -> tuple[Element, bytes]:
    """The first element and what follows it. Raises: MalformedMessage, also for a length that is not the shortest."""
    if len(data) < 2 or data[0] & _MULTI_BYTE_TAG == _MULTI_BYTE_TAG:  # noqa: PLR2004 - a tag and a length
        raise MalformedMessage("The DER structure ends early or uses a tag that is not used here.")
    start = 2
    count = data[1]
    if count >= _LONG_FORM:
        start += count - _LONG_FORM
        count = int.from_bytes(data[2:start], "big")
        if not 1 <= start - 2 <= _LENGTH_BYTES_MAX or _length(count) != data[1:start]:
            raise MalformedMessage("The DER structure has a length that is not in its shortest form.")
    end = start + count
    if end > len(data):
        raise MalformedMessage("The DER structure ends early.")
    if expected_tag is not None and data[0] != expected_tag:
        raise MalformedMessage("The DER structure has another element where a certain one must be.")
    return Element(data[0], data[start:end], data[:end]), data[end:]


def read_all(data: bytes) -> list[Element]:
    """The elements of a content, one after another, without leftovers. Raises: MalformedMessage."""
    elements = []
    while data:
        element, data = read(data)
        elements.append(element)
    return elements


def read_only(data: bytes, expected_tag: int) -> Element:
    """The one element that the bytes are. Raises: MalformedMessage."""
    element, rest = read(data, expected_tag)
    if rest:
        raise MalformedMessage("The DER structure has leftovers.")
    return element
