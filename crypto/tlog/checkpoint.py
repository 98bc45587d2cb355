"""Checkpoints (C2SP tlog-checkpoint): the signed head of the log."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from crypto.errors import MalformedMessage
from crypto.tlog.note import NoteSigner, NoteVerifier, open_note, sign_note
from crypto.tlog.tree import HASH_BYTES

_LINES_MIN = 3
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's size and root. `origin` names the log for ever; `extensions` are further lines, which we never write."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def encode(self) -> str:
        """The text that is signed."""
        lines = [self.origin, str(self.size), base64.b64encode(self.root).decode("ascii"), *self.extensions]
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a checkpoint's text. Raises: MalformedMessage for any text that `encode` would not have made."""
        lines = text.split("\n")
        if len(lines) <= _LINES_MIN or lines.pop() or not all(lines):
            raise MalformedMessage("A checkpoint has an origin, a size and a root, one on a line.")
        origin, size, root, *extensions = lines
        if not _DECIMAL.fullmatch(size):
            raise MalformedMessage("The checkpoint's size is not a decimal number.")
        try:
            checkpoint = cls(origin, int(size), base64.b64decode(root, validate=True), tuple(extensions))
        except (binascii.Error, ValueError) as error:
            raise MalformedMessage("The checkpoint's root cannot be read.") from error
        if len(checkpoint.root) != HASH_BYTES or checkpoint.encode() != text:
            raise MalformedMessage("The checkpoint's root is not a SHA-256 in its one encoding.")
        return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> str:
    """The signed note. Whoever calls this must know that the log only grew since the last one it signed."""
    return sign_note(checkpoint.encode(), signers)


def open_checkpoint(note: str, verifiers: Sequence[NoteVerifier]) -> Checkpoint:
    """Return the checkpoint signed by a verifier whose name is the log's origin.

    Raises: MalformedMessage, InvalidSignature.
    """
    text, verifier = open_note(note, verifiers)
    checkpoint = Checkpoint.decode(text)
    if checkpoint.origin != verifier.name:
        raise MalformedMessage("The checkpoint is of another log than the key that signed it.")
    return checkpoint
