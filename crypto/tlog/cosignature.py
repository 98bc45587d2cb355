"""Cosignatures (C2SP tlog-cosignature, Ed25519): a witness says when it saw that a log had only grown so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import EdwardsSigner
from crypto.tlog.checkpoint import Checkpoint
from crypto.tlog.note import NoteVerifier, signature_line, signatures_of, split_note

_HEADER = "cosignature/v1"
_TIME_BYTES = 8
_TIME_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CosignatureVerifier(NoteVerifier):
    """The public half of a witness's key. Its signatures begin with the time, in seconds since 1970."""

    TYPE: ClassVar[bytes] = b"\x04"  # C2SP signed-note, "Signature types"

    def verify(self, text: str, signature: bytes) -> None:
        """Raises: InvalidSignature."""
        at_seconds, own = read_timestamped(signature)
        keys.verify(self.public_key, _message(text, at_seconds), own)


@dataclass(frozen=True, slots=True)
class CosignatureSigner:
    """Signs checkpoints as a witness under a name."""

    name: str
    signer: EdwardsSigner

    @property
    def verifier(self) -> CosignatureVerifier:
        return CosignatureVerifier(self.name, self.signer.public_key)


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A cosignature that verified: whose, from when (seconds since 1970), and its line in the note."""

    verifier: CosignatureVerifier
    at_seconds: int
    line: str


def cosign(text: str, signer: CosignatureSigner, at_seconds: int) -> str:
    """The witness's line for a checkpoint's text.

    Whoever calls this must know that it never signed for a larger or another tree of the log. Raises: MalformedMessage.
    """
    Checkpoint.decode(text)
    if not 0 < at_seconds <= _TIME_MAX:
        raise MalformedMessage("A cosignature's time is a number of seconds since 1970, and not nothing.")
    signature = signer.signer.sign(_message(text, at_seconds))
    return signature_line(signer.verifier, at_seconds.to_bytes(_TIME_BYTES, "big") + signature)


def cosignatures(note: str, verifiers: Sequence[CosignatureVerifier]) -> list[Cosignature]:
    """The witnesses among these that are on the note, each once.

    What others signed is passed over. Raises: MalformedMessage; InvalidSignature for a wrong one of these.
    """
    text, signatures = split_note(note)
    found: list[Cosignature] = []
    for verifier in verifiers:
        own = signatures_of(signatures, verifier)
        for signature in own:
            verifier.verify(text, signature)
        if own:
            found.append(Cosignature(verifier, read_timestamped(own[0])[0], signature_line(verifier, own[0])))
    return found


def read_timestamped(signature: bytes) -> tuple[int, bytes]:
    """The time and the signature proper. Raises: InvalidSignature."""
    at_seconds = int.from_bytes(signature[:_TIME_BYTES], "big")
    if len(signature) != _TIME_BYTES + keys.SIGNATURE_BYTES or not 0 < at_seconds <= _TIME_MAX:
        raise InvalidSignature("A cosignature is a time that can be and 64 bytes.")
    return at_seconds, signature[_TIME_BYTES:]


def _message(text: str, at_seconds: int) -> bytes:
    return f"{_HEADER}\ntime {at_seconds}\n{text}".encode()
