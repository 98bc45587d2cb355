"""The witness's key as a text, and what is wrong when it cannot go on."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cardsvc.errors import CityError, ErrorKind
from crypto import tlog
from crypto.errors import CryptoError
from crypto.keys import Ed25519Signer

_MARK = "PRIVATE+KEY+"  # how golang.org/x/mod/sumdb/note writes a signer's key, so that its tools read ours
_SEED_BYTES = 32


class WitnessKeyUnreadable(CityError):
    code = "witness_key_unreadable"

    def __init__(self) -> None:
        super().__init__("The file holds no witness key. Make one: ./city log witness-key --name NAME FILE")


class WitnessStateBroken(CityError):
    """What the witness signed last is not known any more; going on could sign a rolled-back log."""

    code = "witness_state_broken"
    kind = ErrorKind.UNAVAILABLE

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(
            f"{place} cannot be used: {problem}. Put back the newest copy of this file; without one, end this witness, "
            "and begin another with a new key in an empty folder."
        )


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness's name and its Ed25519 seed."""

    name: str
    seed: bytes

    def signer(self) -> tlog.CosignatureSigner:
        """Raises: MalformedMessage for a name that no key may have."""
        private = Ed25519PrivateKey.from_private_bytes(self.seed)
        return tlog.CosignatureSigner(self.name, Ed25519Signer(private))

    def format(self) -> str:
        """The key file's one line."""
        verifier = self.signer().verifier
        data = base64.b64encode(verifier.TYPE + self.seed).decode("ascii")
        return f"{_MARK}{self.name}+{verifier.key_hash().hex()}+{data}\n"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: WitnessKeyUnreadable."""
        try:
            name, _, data = text.removeprefix(_MARK).rstrip("\n").split("+", 2)
            key = cls(name, base64.b64decode(data, validate=True)[1:])
            fits = len(key.seed) == _SEED_BYTES and key.format() == text
        except (ValueError, binascii.Error, CryptoError) as error:
            raise WitnessKeyUnreadable from error
        if not fits:
            raise WitnessKeyUnreadable
        return key


def origin_hash(origin: str) -> str:
    """How a log is called in the witness's addresses and files (C2SP tlog-witness, monitor retrieval)."""
    return sha256(origin.encode()).hexdigest()


def read_held(
    place: str, note: str, logs: dict[str, list[tlog.NoteVerifier]], verifier: tlog.CosignatureVerifier
) -> tlog.Held:
    """What the witness signed last for the log of this file. Raises: WitnessStateBroken."""
    try:
        origin = tlog.Checkpoint.decode(tlog.split_note(note)[0]).origin
        head = tlog.open_checkpoint(note, logs.get(origin, []))
        own = tlog.cosignatures(note, [verifier])
    except CryptoError as error:
        raise WitnessStateBroken(place, str(error)) from error
    if not own or origin_hash(origin) != place:
        raise WitnessStateBroken(place, "it is not what this witness signed for this log")
    return tlog.Held(head.size, head.root)


def cosigned(note: str, verifiers: Sequence[tlog.NoteVerifier], line: str) -> str:
    """The note with the log's own signatures and the witness's, and nobody else's."""
    text, signatures = tlog.split_note(note)
    lines = [
        tlog.signature_line(verifier, signature)
        for verifier in verifiers
        for signature in tlog.signatures_of(signatures, verifier)[:1]
    ]
    return f"{text}\n{''.join(lines)}{line}"
