"""Signed notes (C2SP signed-note): a text and lines of signatures. Ours are Ed25519, type 0x01; witnesses' are 0x04."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import EdwardsSigner

_KEY_HASH_BYTES = 4
_PREFIX = "\N{EM DASH} "
_PUBLIC_KEY_BYTES = 32
NOTE_CHARACTERS_MAX = 128 * 1024  # sixteen signatures of a post-quantum kind fit, as the format asks
SIGNATURES_MAX = 100


@dataclass(frozen=True, slots=True)
class NoteVerifier:
    """The public half of a note key: `name` is who signs, usually the log's origin."""

    TYPE: ClassVar[bytes] = b"\x01"  # C2SP signed-note, "Signature types"

    name: str
    public_key: Ed25519PublicKey

    def __post_init__(self) -> None:
        if not is_key_name(self.name):
            raise MalformedMessage("The name of a note key has no spaces, no plus sign and no control characters.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key, `name+hash+key`. Raises: MalformedMessage."""
        name, _, rest = text.partition("+")
        key_hash, _, encoded = rest.partition("+")
        data = read_base64(encoded)
        if data[:1] != cls.TYPE or len(data) != 1 + _PUBLIC_KEY_BYTES:
            raise MalformedMessage(f"The verifier key is not an Ed25519 key of type {cls.TYPE[0]}.")
        verifier = cls(name, Ed25519PublicKey.from_public_bytes(data[1:]))
        if verifier.format() != text or verifier.key_hash().hex() != key_hash:
            raise MalformedMessage("The verifier key's hash does not belong to its name and key.")
        return verifier

    def format(self) -> str:
        """The verifier key as text, `name+hash+key`."""
        encoded = base64.b64encode(self.TYPE + self.public_key.public_bytes_raw()).decode("ascii")
        return f"{self.name}+{self.key_hash().hex()}+{encoded}"

    def key_hash(self) -> bytes:
        """The four bytes that lead a signature to its key."""
        content = self.name.encode() + b"\n" + self.TYPE + self.public_key.public_bytes_raw()
        return hashlib.sha256(content).digest()[:_KEY_HASH_BYTES]

    def verify(self, text: str, signature: bytes) -> None:
        """Raises: InvalidSignature when it is not this key's over the note's text."""
        keys.verify(self.public_key, text.encode(), signature)


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
    lines = [signature_line(item.verifier, item.signer.sign(text.encode())) for item in signers]
    return text + "\n" + "".join(lines)


def signature_line(verifier: NoteVerifier, signature: bytes) -> str:
    """A signature as it stands in a note."""
    encoded = base64.b64encode(verifier.key_hash() + signature).decode("ascii")
    return f"{_PREFIX}{verifier.name} {encoded}\n"


def open_note(note: str, verifiers: Sequence[NoteVerifier]) -> tuple[str, NoteVerifier]:
    """Return the text and the first of the verifiers whose signature is on it.

    Signatures of keys that are not in `verifiers` are passed over, as the format asks (witnesses sign too); a wrong
    one of a key that is there spoils the note. Raises: MalformedMessage, InvalidSignature.
    """
    text, signatures = split_note(note)
    for verifier in verifiers:
        for signature in signatures_of(signatures, verifier):
            verifier.verify(text, signature)
    found = [verifier for verifier in verifiers if signatures_of(signatures, verifier)]
    if not found:
        raise InvalidSignature("The note is not signed by any key that is trusted here.")
    return text, found[0]


def signatures_of(signatures: Sequence[tuple[str, bytes]], verifier: NoteVerifier) -> list[bytes]:
    """Those that say that they are of this key; nothing is verified."""
    own = verifier.key_hash()
    return [
        data[_KEY_HASH_BYTES:]
        for name, data in signatures
        if name == verifier.name and hmac.compare_digest(data[:_KEY_HASH_BYTES], own)
    ]


def split_note(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """The text, which ends in a newline, and the signatures behind the last empty line: name, and key hash with bytes.

    Nothing is verified. Raises: MalformedMessage.
    """
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
    if not line.startswith(_PREFIX) or not is_key_name(name):
        raise MalformedMessage("The note has a line that is no signature where only signatures may be.")
    data = read_base64(encoded)
    if len(data) <= _KEY_HASH_BYTES:
        raise MalformedMessage("A signature of the note is too short.")
    return name, data


def is_key_name(name: str) -> bool:
    """No spaces of Unicode, no plus sign; nor control characters, which no note may have."""
    return bool(name) and not any(letter == "+" or letter.isspace() or _is_foreign(letter) for letter in name)


def _check_text(text: str) -> None:
    if not text.endswith("\n") or any(letter != "\n" and _is_foreign(letter) for letter in text):
        raise MalformedMessage("A note's text is UTF-8, ends in a newline and has no other control characters.")


def _is_foreign(letter: str) -> bool:
    """ASCII control characters, and halves of surrogate pairs, which UTF-8 cannot say."""
    return letter < " " or "\ud800" <= letter <= "\udfff"


def read_base64(text: str) -> bytes:
    """The bytes of a text in its one base64 encoding. Raises: MalformedMessage."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage("A base64 text in the note cannot be read.") from error
    if base64.b64encode(data).decode("ascii") != text:
        raise MalformedMessage("A base64 text in the note is not in its one encoding.")
    return data
