"""A request's body as it was before it was sent compressed (RFC 9110 section 8.4)."""

import zlib
from typing import Any, Final

from flask import request
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from cardsvc.web.headers import BODY_MAX

GZIP: Final = "gzip"
_GZIP_BITS: Final = 16 + zlib.MAX_WBITS  # zlib: the gzip format, whatever its window


class UnknownCoding(UnsupportedMediaType):
    """The body came in a coding that is not read here."""

    description = "Send the body as it is, or with Content-Encoding: gzip."

    def get_headers(self, *args: Any, **more: Any) -> list[tuple[str, str]]:
        return [*super().get_headers(*args, **more), ("Accept-Encoding", GZIP)]


def body() -> bytes:
    """The request's bytes, uncompressed: at most `BODY_MAX`, compressed or not, and never more of them in memory.

    Raises: BadRequest (400) for what is no whole gzip stream, RequestEntityTooLarge (413), UnknownCoding (415) for
    another coding than gzip, with the header that says so (RFC 9110 section 12.5.3).
    """
    raw = request.get_data()
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding in {"", "identity"}:
        return raw
    if coding not in {GZIP, "x-gzip"}:
        raise UnknownCoding
    return _unpacked(raw)


def _unpacked(raw: bytes) -> bytes:
    stream = zlib.decompressobj(_GZIP_BITS)
    try:
        found = stream.decompress(raw, BODY_MAX + 1)
    except zlib.error as error:
        raise BadRequest("The body is not what Content-Encoding says. Send a whole gzip stream.") from error
    if len(found) > BODY_MAX:
        raise RequestEntityTooLarge(f"Uncompressed, a request has at most {BODY_MAX:,} bytes. Send smaller batches.")
    if not stream.eof or stream.unused_data:
        raise BadRequest("The body is not one whole gzip stream. Send it again.")
    return found
