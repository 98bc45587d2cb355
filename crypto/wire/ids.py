"""Record ids: UUIDv7 (RFC 9562 5.7), made by the sender from a time and randomness that are handed in."""

import uuid

RANDOM_BYTES = 10
_UNIX_MS_BITS = 48
VERSION = 7


def uuid7(unix_ms: int, random_bytes10: bytes) -> uuid.UUID:
    """The id of a record made at `unix_ms` (ms since 1970, UTC); ids of later milliseconds sort later.

    Raises: ValueError when the time does not fit in 48 bits or the randomness is not 10 bytes.
    """
    if not 0 <= unix_ms < 1 << _UNIX_MS_BITS:
        raise ValueError("The time does not fit in 48 bits of milliseconds.")
    if len(random_bytes10) != RANDOM_BYTES:
        raise ValueError(f"A record id takes {RANDOM_BYTES} random bytes.")
    value = unix_ms << 80 | int.from_bytes(random_bytes10, "big")
    value = value & ~(0xF << 76) | VERSION << 76  # RFC 9562 4.2: version
    value = value & ~(0x3 << 62) | 0x2 << 62  # RFC 9562 4.1: variant
    return uuid.UUID(int=value)


def unix_ms(record_id: uuid.UUID) -> int:
    """The millisecond a UUIDv7 was made in."""
    return record_id.int >> 80
