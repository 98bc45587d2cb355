"""Signatures gathered while lines are read, and verified many at once."""

from dataclasses import dataclass, field

from cardsvc.evidence.rules.findings import Finding, named
from crypto.keys import PublicKey
from crypto.verifying import Verifier

LOT = 1024

Place = tuple[str, int, str | bytes, str]
"""File, line, subject (of a record: the hex digits of its id), and whose signature it is."""


@dataclass(slots=True)
class Signatures:
    """What waits to be verified. Where each stands is kept beside it, so that a bad one is named."""

    verifier: Verifier
    found: list[Finding]
    count: int = 0
    _keys: list[PublicKey] = field(default_factory=list)
    _messages: list[bytes] = field(default_factory=list)
    _signatures: list[bytes] = field(default_factory=list)
    _places: list[Place] = field(default_factory=list)

    def add(self, key: PublicKey, message: bytes, signature: bytes, place: Place) -> None:
        self._keys.append(key)
        self._messages.append(message)
        self._signatures.append(signature)
        self._places.append(place)
        if len(self._keys) >= LOT:
            self.settle()

    def settle(self) -> None:
        """Verify what waits."""
        verdicts = self.verifier.verdicts(self._keys, self._messages, self._signatures)
        for good, (file, line, subject, whose) in zip(verdicts, self._places, strict=True):
            if not good:
                problem = f"its {whose} signature does not verify"
                called = named("record", subject) if isinstance(subject, bytes) else subject
                self.found.append(Finding(file, line, called, "signature", problem))
        self.count += len(verdicts)
        self._keys.clear()
        self._messages.clear()
        self._signatures.clear()
        self._places.clear()
