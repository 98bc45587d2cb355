"""Reading PINs from a posted form: bytes in buffers that are wiped, never a text that stays in memory."""

from typing import Final

from flask import request

_LENGTH_MAX: Final = 1024


def read_pins(*names: str) -> tuple[bytearray, ...]:
    """The named fields of the form just posted; empty where one is missing. Whoever uses them wipes them.

    Digits need no decoding; anything else in a field is refused by the card session as no PIN.
    """
    body = bytearray(min(request.content_length or 0, _LENGTH_MAX))
    view = memoryview(body)
    filled = 0
    while filled < len(body):
        part = request.stream.read(len(body) - filled)
        if not part:
            break
        view[filled : filled + len(part)] = part
        filled += len(part)
    view.release()
    fields = {}
    for pair in body.split(b"&"):
        name, _, value = pair.partition(b"=")
        fields[bytes(name).decode("ascii", "replace")] = value
    body[:] = bytes(len(body))
    return tuple(fields.get(name, bytearray()) for name in names)
