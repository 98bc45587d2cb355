"""What every message has in front: its domain and version, so that nothing is ever read as something else."""

from uuid import UUID

from crypto import cbor
from crypto.cbor import Value
from crypto.errors import MalformedMessage, UnknownVersion
from crypto.wire import ids

VERSION = 1


def read(
    data: bytes, domain: str, parts: int, *, depth_max: int = cbor.DEPTH_MAX, items_max: int = cbor.ITEMS_MAX
) -> list[Value]:
    """The parts of a message after domain and version. Raises: MalformedMessage, UnknownVersion."""
    message = cbor.decode(data, depth_max=depth_max, items_max=items_max)
    if not isinstance(message, list) or len(message) < 2 or message[0] != domain:  # noqa: PLR2004 - domain, version
        raise MalformedMessage(f"The message is not a {domain}.")
    if type(message[1]) is not int or message[1] != VERSION:
        raise UnknownVersion(f"This {domain} is of a version that this program does not know; update the program.")
    if len(message) != 2 + parts:
        raise MalformedMessage(f"A {domain} of version {VERSION} has {parts} parts after its version.")
    return message[2:]


def check_record_id(value: UUID) -> None:
    """A sender's id is a UUIDv7 (RFC 9562 5.7). Raises: MalformedMessage."""
    if type(value) is not UUID or value.version != ids.VERSION:
        raise MalformedMessage("The id is not a UUIDv7.")
