"""Signed notes (C2SP signed-note): a text and lines of signatures. Ours are Ed25519, type 0x01."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import EdwardsSigner

_TYPE_ED25519 = b"\x01"  # C2SP signed-note, "Signature types"
_KEY_HASH_BYTES = 4
_PREFIX = "\N{EM DASH} "
_PUBLIC_KEY_BYTES = 32
NOTE_CHARACTERS_MAX = 64 * 1024
SIGNATURES_MAX = 100


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """The public half of a note key: `name` is who signs, usually the log's origin."""

    name: str
    public_key: Ed25519PublicKey

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(letter.isspace() for letter in self.name):
            raise MalformedMessage("The name of a note key has no spaces and no plus sign.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key, `name+hash+key`. Raises: MalformedMessage."""
        name, _, rest = text.partition("+")
        key_hash, _, encoded = rest.partition("+")
        data = _base64(encoded)
        if data[:1] != _TYPE_ED25519 or len(data) != 1 + _PUBLIC_KEY_BYTES:
            raise MalformedMessage("The verifier key is not an Ed25519 key.")
        verifier = cls(name, Ed25519PublicKey.from_public_bytes(data[1:]))
        if verifier.format() != text or verifier.key_hash().hex() != key_hash:
            raise MalformedMessage("The verifier key's hash does not belong to its name and key.")
        return verifier

    def format(self) -> str:
        """The verifier key as text, `name+hash+key`."""
        encoded = base64.b64encode(_TYPE_ED25519 + self.public_key.public_bytes_raw()).decode("ascii")
        return f"{self.name}+{self.key_hash().hex()}+{encoded}"

    def key_hash(self) -> bytes:
        """The four bytes that lead a signature to its key."""
        content = self.name.encode() + b"\n" + _TYPE_ED25519 + self.public_key.public_bytes_raw()
        return hashlib.sha256(content).digest()[:_KEY_HASH_BYTES]


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """Signs notes under a name."""

    name: str
    signer: EdwardsSigner

    @property
    def verifier(self) -> NoteVerifier:
        return NoteVerifier(self.name, self.signer.public_key)


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """The text with a signature line for each signer. The text ends in a newline. Raises: MalformedMessage."""
    _check_text(text)
    lines = []
    for item in signers:
        signature = item.signer.sign(text.encode())
        encoded = base64.b64encode(item.verifier.key_hash() + signature).decode("ascii")
        lines.append(f"{_PREFIX}{item.name} {encoded}\n")
    return text + "\n" + "".join(lines)


def open_note(note: str, verifiers: Sequence[NoteVerifier]) -> tuple[str, NoteVerifier]:
    """Return the text and the first of the verifiers whose signature is on it.

    Signatures of keys that are not in `verifiers` are passed over, as the format asks (witnesses sign too); a wrong
    one of a key that is there spoils the note. Raises: MalformedMessage, InvalidSignature.
    """
    text, signatures = _split(note)
    found: list[NoteVerifier] = []
    for verifier in verifiers:
        for name, data in signatures:
            if name == verifier.name and hmac.compare_digest(data[:_KEY_HASH_BYTES], verifier.key_hash()):
                keys.verify(verifier.public_key, text.encode(), data[_KEY_HASH_BYTES:])
                found.append(verifier)
    if not found:
        raise InvalidSignature("The note is not signed by any key that is trusted here.")
    return text, found[0]


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, which ends in a newline, and the signatures behind the last empty line."""
    if len(note) > NOTE_CHARACTERS_MAX:
        raise MalformedMessage("The note is too long.")
    text, separator, block = note.rpartition("\n\n")
    text += "\n"
    if not separator or not block.endswith("\n"):
        raise MalformedMessage("The note has no signature lines.")
    _check_text(text)
    lines = block[:-1].split("\n")
    if len(lines) > SIGNATURES_MAX:
        raise MalformedMessage("The note has too many signatures.")
    return text, [_read_signature(line) for line in lines]


def _read_signature(line: str) -> tuple[str, bytes]:
    name, _, encoded = line.removeprefix(_PREFIX).partition(" ")
    if not line.startswith(_PREFIX) or not name:
        raise MalformedMessage("The note has a line that is no signature where only signatures may be.")
    data = _base64(encoded)
    if len(data) <= _KEY_HASH_BYTES:
        raise MalformedMessage("A signature of the note is too short.")
    return name, data


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(ord(letter) < 0x20 and letter != "\n" for letter in text):  # noqa: PLR2004 - ASCII
        raise MalformedMessage("A note's text ends in a newline and has no other control characters.")


def _base64(text: str) -> bytes:
    """The bytes of a text in its one base64 encoding. Raises: MalformedMessage."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage("A base64 text in the note cannot be read.") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise MalformedMessage("A base64 text in the note is not in its one encoding.")
    return data
