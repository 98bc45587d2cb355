"""How a right message becomes a wrong one: exactly one thing of it is changed."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import cbor2

from tests.vectors.wire_bodies import TERMINAL_ID

Change = Callable[[list[Any]], object]


def put(position: int, value: Any) -> Change:
    return lambda parts: parts.__setitem__(position, value)


def put_in(position: int, key: Any, value: Any) -> Change:
    return lambda parts: parts[position].__setitem__(key, value)


def changed(data: bytes, change: Change) -> bytes:
    parts = cbor2.loads(data)
    change(parts)
    return cbor2.dumps(parts)


HEADERS: dict[str, tuple[Change, str]] = {
    "of another domain": (put(0, "city.other"), "malformed"),
    "of version 2": (put(1, 2), "unknown_version"),
    "of version true": (put(1, True), "unknown_version"),
    "with a part too many": (lambda parts: parts.append(0), "malformed"),
    "with a part missing": (lambda parts: parts.pop(), "malformed"),
}

RECORDS: dict[str, tuple[Change, str]] = {
    **HEADERS,
    "of kind 0": (put(2, 0), "malformed"),
    "of kind true": (put(2, True), "malformed"),
    "of kind 65536": (put(2, 65536), "malformed"),
    "with an id of 15 bytes": (put(3, bytes(15)), "malformed"),
    "with a UUIDv4 as id": (put(3, UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff").bytes), "malformed"),
    "with a text as terminal id": (put(4, str(TERMINAL_ID)), "malformed"),
    "with a negative sequence": (put(5, -1), "malformed"),
    "with a sequence beyond 63 bits": (put(5, 2**63), "malformed"),
    "with a hash of 31 bytes": (put(6, bytes(31)), "malformed"),
    "with a float as time": (put(7, 1.5), "malformed"),
    "with a time before 1970": (put(7, -1), "malformed"),
    "with a time after the year 9999": (put(7, 253_402_300_800_000), "malformed"),
    "with an array as body": (put(8, []), "malformed"),
    "with a field that is not known": (put_in(8, 8, 0), "malformed"),
    "with a field missing": (lambda parts: parts[8].pop(7), "malformed"),
    "with a negative fare": (put_in(8, 4, -1), "malformed"),
    "with a fare as text": (put_in(8, 4, "1500"), "malformed"),
    "with a fare of true": (put_in(8, 4, True), "malformed"),
    "with a fare beyond the limit": (put_in(8, 4, 10**15 + 1), "malformed"),
    "with a currency in small letters": (put_in(8, 5, "php"), "malformed"),
    "with a currency of four letters": (put_in(8, 5, "PHPP"), "malformed"),
    "with an unknown direction": (put_in(8, 3, "up"), "malformed"),
    "with an empty stop": (put_in(8, 2, ""), "malformed"),
    "with a stop of 65 characters": (put_in(8, 2, "x" * 65), "malformed"),
    "with a control character": (put_in(8, 2, "ayala\n"), "malformed"),
}
