"""What a verifier of many signatures promises, and the one that is always there."""

from collections.abc import Sequence
from typing import Protocol

from crypto import keys
from crypto.errors import InvalidSignature
from crypto.keys import PublicKey


class Verifier(Protocol):
    """Says of many signatures which are good. Every verifier gives the verdict that `keys.verify` would give."""

    def verdicts(
        self, public_keys: Sequence[PublicKey], messages: Sequence[bytes], signatures: Sequence[bytes], /
    ) -> list[bool]:
        """One verdict for each place of the three sequences: whether this stored signature (raw r || s, low s; or an
        Ed25519 one) is that key's over the message itself. Nothing raises: what is no signature is a refused one.
        """


class Portable:
    """One after the other, by `cryptography`. The key objects are the caller's to keep: loading one costs a tenth of a
    verification, from a compressed point more than a third.
    """

    def verdicts(
        self, public_keys: Sequence[PublicKey], messages: Sequence[bytes], signatures: Sequence[bytes], /
    ) -> list[bool]:
        return [is_good(*case) for case in zip(public_keys, messages, signatures, strict=True)]


def is_good(public_key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        keys.verify(public_key, message, signature)
    except InvalidSignature:
        return False
    return True
