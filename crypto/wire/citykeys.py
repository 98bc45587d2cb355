"""The city's public keys: all that anybody needs to verify receipts, checkpoints and policies offline.

A text file. Each line is `receipt <base64 SPKI>`, `policy <base64 SPKI>` or `log <verifier key>`; several of each are
allowed, so that keys can change; empty lines and lines that begin with `#` are comments. Evolution: a new word is a new
line kind; an unknown word is refused.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from crypto import keys
from crypto.errors import InvalidSignature, MalformedMessage
from crypto.keys import PublicKey
from crypto.tlog import NoteVerifier

TEXT_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class CityKeys:
    """Keys that are trusted because somebody put them in this file: how it got here is what trust stands on."""

    receipt: tuple[PublicKey, ...]
    logs: tuple[NoteVerifier, ...]
    policy: tuple[PublicKey, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the file. Raises: MalformedMessage, naming the line."""
        if len(text) > TEXT_MAX:
            raise MalformedMessage("The key file is too long.")
        receipt: list[PublicKey] = []
        logs: list[NoteVerifier] = []
        policy: list[PublicKey] = []
        readers: dict[str, Callable[[str], None]] = {
            "receipt": lambda value: receipt.append(_read_key(value)),
            "log": lambda value: logs.append(NoteVerifier.parse(value)),
            "policy": lambda value: policy.append(_read_key(value)),
        }
        for number, line in enumerate(text.splitlines(), start=1):
            word, _, value = line.strip().partition(" ")
            if not word or word.startswith("#"):
                continue
            if word not in readers:
                raise MalformedMessage(f"Line {number} of the key file begins with none of receipt, log, policy.")
            try:
                readers[word](value.strip())
            except MalformedMessage as error:
                raise MalformedMessage(f"Line {number} of the key file cannot be used: {error}") from error
        return cls(tuple(receipt), tuple(logs), tuple(policy))

    def format(self) -> str:
        """The file's text."""
        lines = ["# The city's public keys. Compare this file with a second source before you rely on it."]
        lines += [f"receipt {_write_key(key)}" for key in self.receipt]
        lines += [f"log {verifier.format()}" for verifier in self.logs]
        lines += [f"policy {_write_key(key)}" for key in self.policy]
        return "".join(f"{line}\n" for line in lines)

    def receipt_key(self, kid: bytes) -> PublicKey:
        """The receipt key of this id. Raises: InvalidSignature."""
        return _find(self.receipt, kid, "receipt")

    def policy_key(self, kid: bytes) -> PublicKey:
        """The policy key of this id. Raises: InvalidSignature."""
        return _find(self.policy, kid, "policy")


def _find(candidates: Sequence[PublicKey], kid: bytes, use: str) -> PublicKey:
    for key in candidates:
        if keys.key_id(key) == kid:
            return key
    raise InvalidSignature(f"The {use} is signed by a key that is not among the city's {use} keys.")


def _read_key(text: str) -> PublicKey:
    try:
        return keys.load_spki(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError) as error:
        raise MalformedMessage("The key is not in base64.") from error


def _write_key(key: PublicKey) -> str:
    return base64.b64encode(keys.spki(key)).decode("ascii")
