"""What a log and a witness say to each other (C2SP tlog-witness), and what a witness must see before it signs."""

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from crypto.errors import CryptoError, InvalidProof, MalformedMessage
from crypto.tlog.checkpoint import Checkpoint, open_checkpoint
from crypto.tlog.note import NOTE_CHARACTERS_MAX, NoteVerifier, read_base64, split_note
from crypto.tlog.proofs import verify_consistency
from crypto.tlog.tree import EMPTY_ROOT, HASH_BYTES

PROOF_MAX = 63
REQUEST_BYTES_MAX = NOTE_CHARACTERS_MAX
SIZE_TYPE = "text/x.tlog.size"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\n", re.ASCII)


class UnknownLog(CryptoError):
    code: ClassVar[str] = "unknown_log"

    def __init__(self) -> None:
        super().__init__("The checkpoint is of a log that this witness does not watch.")


class OtherSize(CryptoError):
    """The witness holds another size than the log thought; the log tries again from there."""

    code: ClassVar[str] = "other_size"

    def __init__(self, held_size: int) -> None:
        super().__init__(f"The witness holds a checkpoint of {held_size} leaves of this log: begin the proof there.")
        self.held_size = held_size


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """The body of `add-checkpoint`: the newest head, and that it continues the one of `old_size`."""

    old_size: int
    proof: tuple[bytes, ...]
    note: str

    def encode(self) -> bytes:
        lines = [f"old {self.old_size}", *(base64.b64encode(value).decode("ascii") for value in self.proof), ""]
        return ("".join(f"{line}\n" for line in lines) + self.note).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """Raises: MalformedMessage. That the old size is above the new one is malformed, too."""
        if len(body) > REQUEST_BYTES_MAX:
            raise MalformedMessage(f"A request has at most {REQUEST_BYTES_MAX} bytes.")
        try:
            head, separator, note = body.decode("utf-8").partition("\n\n")
        except UnicodeDecodeError as error:
            raise MalformedMessage("The request is not UTF-8.") from error
        first, *lines = head.split("\n")
        old = _OLD.fullmatch(first)
        if not separator or old is None or len(lines) > PROOF_MAX:
            raise MalformedMessage(f"A request has an old size, at most {PROOF_MAX} hashes, an empty line and a note.")
        proof = tuple(read_base64(line) for line in lines)
        if any(len(value) != HASH_BYTES for value in proof):
            raise MalformedMessage(f"Every hash of a proof has {HASH_BYTES} bytes.")
        request = cls(int(old[1]), proof, note)
        if request.old_size > request.checkpoint().size:
            raise MalformedMessage("The old size is above the size of the checkpoint.")
        return request

    def checkpoint(self) -> Checkpoint:
        """What the note says, unverified: to know whose keys must have signed it. Raises: MalformedMessage."""
        return Checkpoint.decode(split_note(self.note)[0])


@dataclass(frozen=True, slots=True)
class Held:
    """What a witness has signed last for a log."""

    size: int
    root: bytes


def check(request: AddCheckpoint, logs: Mapping[str, Sequence[NoteVerifier]], held: Held | None) -> Checkpoint:
    """The checkpoint that a witness may now sign. `logs` are the keys by origin; `held` is None before the first.

    Raises, in the order of the specification: UnknownLog (404), InvalidSignature (403), OtherSize (409), InvalidProof
    (422).
    """
    verifiers = logs.get(request.checkpoint().origin)
    if verifiers is None:
        raise UnknownLog
    signed = open_checkpoint(request.note, verifiers)
    before = held or Held(0, EMPTY_ROOT)
    if request.old_size != before.size:
        raise OtherSize(before.size)
    if signed.size == 0 and signed.root != EMPTY_ROOT:
        raise InvalidProof("A log without leaves has the root of the empty tree.")
    if before.size > 0:
        verify_consistency(before.size, signed.size, request.proof, before.root, signed.root)
    elif request.proof:
        raise InvalidProof("From nothing no proof is needed, and none may be given.")
    return signed


def encode_size(size: int) -> str:
    """The body of the answer 409."""
    return f"{size}\n"


def decode_size(body: str) -> int:
    """Raises: MalformedMessage."""
    found = _SIZE.fullmatch(body)
    if found is None:
        raise MalformedMessage("The witness did not answer with a size.")
    return int(found[1])
