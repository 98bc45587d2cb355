"""What a photo must be: a JPEG or PNG by its own bytes, not by what somebody calls it."""

import struct
import zlib
from dataclasses import dataclass
from typing import Final

from cardsvc.errors import CityError, ErrorKind

PHOTO_BYTES_MAX: Final = 500_000
SIDE_MIN: Final = 120
SIDE_MAX: Final = 2400

_JPEG: Final = b"\xff\xd8\xff"
_JPEG_END: Final = b"\xff\xd9"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_END: Final = b"\x00\x00\x00\x00IEND\xaeB`\x82"
# ITU-T T.81 table B.1: frame headers carry the size; C4, C8 and CC are no frames
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_START_OF_SCAN: Final = 0xDA
# Comments and application segments, but for JFIF's own and Adobe's, which says how the colours are coded.
_NOTES: Final = ({0xFE} | frozenset(range(0xE1, 0xF0))) - {0xEE}
_PNG_NEEDED: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP"})


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo as it is stored; sides in pixels."""

    media_type: str
    width: int
    height: int
    content: bytes


class InvalidPhoto(CityError):
    code = "invalid_photo"
    kind = ErrorKind.UNPROCESSABLE

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem} Take the photo again, or save it as a JPEG of at most {PHOTO_BYTES_MAX} bytes.")


def read_photo(content: bytes) -> Photo:
    """The photo in these bytes, without place, time and device that a camera notes. Raises: InvalidPhoto."""
    if len(content) > PHOTO_BYTES_MAX:
        raise InvalidPhoto("The photo is too large.")
    if content.startswith(_JPEG):
        media_type, (width, height) = "image/jpeg", _jpeg_size(content)
        content = _jpeg_without_notes(content)
    elif content.startswith(_PNG):
        media_type, (width, height) = "image/png", _png_size(content)
        content = _png_without_notes(content)
    else:
        raise InvalidPhoto("This is neither a JPEG nor a PNG.")
    if not (SIDE_MIN <= width <= SIDE_MAX and SIDE_MIN <= height <= SIDE_MAX):
        raise InvalidPhoto(f"The photo is {width} by {height}; each side must have {SIDE_MIN} to {SIDE_MAX} pixels.")
    return Photo(media_type, width, height, content)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Width and height of the first frame (T.81 B.2.2). What ends too early, or goes on after its end, is refused."""
    if not content.endswith(_JPEG_END):
        raise InvalidPhoto("The JPEG is not whole.")
    place = 2
    while place + 4 <= len(content) and content[place] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker = content[place + 1]
        if marker == 0xFF:  # noqa: PLR2004 - fill bytes (B.1.1.2)
            place += 1
            continue
        if marker in _BARE:
            place += 2
            continue
        (length,) = struct.unpack_from(">H", content, place + 2)
        if marker in _FRAMES and place + 9 <= len(content):
            height, width = struct.unpack_from(">HH", content, place + 5)
            return width, height
        if marker == _START_OF_SCAN or length < 2:  # noqa: PLR2004 - the length counts itself
            break
        place += 2 + length
    raise InvalidPhoto("The JPEG does not say how large it is.")


def _png_size(content: bytes) -> tuple[int, int]:
    """Width and height of the header (PNG 11.2.1), whose checksum must fit."""
    header = content[12:29]
    whole = len(content) > 33 and content[8:16] == b"\x00\x00\x00\rIHDR" and content.endswith(_PNG_END)  # noqa: PLR2004
    if not whole or zlib.crc32(header) != int.from_bytes(content[29:33], "big"):
        raise InvalidPhoto("The PNG is not whole.")
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def _jpeg_without_notes(content: bytes) -> bytes:
    """Everything up to the picture itself but comments and the like; from the start of the scan all as it is."""
    kept, place = [content[:2]], 2
    while place + 4 <= len(content) and content[place] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker = content[place + 1]
        if marker == _START_OF_SCAN:
            break
        if marker == 0xFF or marker in _BARE:  # noqa: PLR2004 - fill bytes
            size = 1 if marker == 0xFF else 2  # noqa: PLR2004
        else:
            size = 2 + struct.unpack_from(">H", content, place + 2)[0]
        if marker not in _NOTES:
            kept.append(content[place : place + size])
        place += size
    return b"".join((*kept, content[place:]))


def _png_without_notes(content: bytes) -> bytes:
    """The chunks that a picture needs (PNG 11). Raises: InvalidPhoto, where one does not end within the file."""
    kept, place = [content[:8]], 8
    while place + 12 <= len(content):
        size = 12 + struct.unpack_from(">I", content, place)[0]
        if place + size > len(content):
            raise InvalidPhoto("The PNG is not whole.")
        if content[place + 4 : place + 8] in _PNG_NEEDED:
            kept.append(content[place : place + size])
        place += size
    return b"".join(kept)
