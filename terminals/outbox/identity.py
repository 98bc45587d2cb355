"""Who this terminal is: its own key, and the id and certificate that the city gave it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from crypto import keys
from crypto.errors import MalformedMessage
from terminals.outbox.errors import NotEnrolled, OutboxForeign
from terminals.settings import TerminalKind

_KEY = "terminal-key.pem"
_IDENTITY = "terminal.json"


@dataclass(frozen=True, slots=True)
class Identity:
    """An enrolled terminal. `certificate` is DER, by the city's terminal authority; `city_keys` the text of the city's
    public keys as pinned when the terminal was enrolled.
    """

    device_id: UUID
    kind: TerminalKind
    name: str
    signer: keys.Signer
    certificate: bytes
    city_keys: str


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the city says to a terminal that enrols."""

    device_id: UUID
    certificate: bytes
    city_keys: str


def enrolment_key(home: Path) -> keys.SoftwareSigner:
    """The terminal's key: made once, and on disk before the city hears of it. If the answer to an enrolment is lost,
    asking again with the same code and key is the same enrolment.
    """
    path = home / _KEY
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        write_durably(path, keys.SoftwareSigner.generate().to_pem(), mode=0o600)
    return keys.SoftwareSigner.from_pem(path.read_bytes())


def save_identity(home: Path, kind: TerminalKind, name: str, newcomer: Newcomer) -> Identity:
    """Keep what the enrolment brought. If we stop before this, the enrolment is asked for again."""
    text = json.dumps(
        {
            "device_id": str(newcomer.device_id),
            "kind": kind.value,
            "name": name,
            "certificate": newcomer.certificate.hex(),
            "city_keys": newcomer.city_keys,
        },
        indent=1,
    )
    write_durably(home / _IDENTITY, text.encode(), mode=0o600)
    return load_identity(home)


def load_identity(home: Path) -> Identity:
    """Raises: NotEnrolled; OutboxForeign when the files are damaged."""
    path = home / _IDENTITY
    if not path.exists():
        raise NotEnrolled(home)
    try:
        content = json.loads(path.read_text())
        return Identity(
            device_id=UUID(str(content["device_id"])),
            kind=TerminalKind(content["kind"]),
            name=content["name"],
            signer=keys.SoftwareSigner.from_pem((home / _KEY).read_bytes()),
            certificate=bytes.fromhex(content["certificate"]),
            city_keys=content["city_keys"],
        )
    except (OSError, ValueError, KeyError, TypeError, MalformedMessage) as error:
        raise OutboxForeign(path, "the terminal's identity cannot be read") from error


def write_durably(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Replace the file whole: after a crash it holds the old content or the new, never a part."""
    beside = path.with_name(path.name + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
