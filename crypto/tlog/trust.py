"""Which witnesses count, and how many of them (C2SP tlog-policy): a text of logs, witnesses, groups and a quorum."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Self

from crypto.errors import MalformedMessage
from crypto.tlog.cosignature import CosignatureVerifier
from crypto.tlog.note import NoteVerifier

TEXT_MAX = 64 * 1024
NONE = "none"
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_URL = re.compile(r"https?://[^/\s?#]+(/[^\s?#]*)?")


@dataclass(frozen=True, slots=True)
class TrustedWitness:
    """A witness: its name in the file, its key, and where it is asked (None: by others only)."""

    name: str
    verifier: CosignatureVerifier
    url: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """It has witnessed what at least `threshold` of its members have."""

    threshold: int
    members: tuple[str, ...]


@dataclass(slots=True)
class TrustPolicy:
    """A policy file that was read. `quorum` is the name of a witness or group, or "none"."""

    logs: list[NoteVerifier] = field(default_factory=list)
    witnesses: dict[str, TrustedWitness] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    quorum: str = NONE

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises: MalformedMessage, naming the line."""
        if len(text) > TEXT_MAX:
            raise MalformedMessage("The file of witnesses is too long.")
        policy, quorums = cls(), 0
        for number, words in _lines(text):
            try:
                policy._read(words)
            except MalformedMessage as error:
                raise MalformedMessage(f"Line {number} of the file of witnesses cannot be used: {error}") from error
            quorums += words[0] == "quorum"
        if quorums != 1:
            raise MalformedMessage("The file of witnesses has exactly one line that begins with quorum.")
        return policy

    def _read(self, words: list[str]) -> None:
        match words:
            case ["log", vkey] | ["log", vkey, _]:
                self._add_log(NoteVerifier.parse(vkey))
            case ["witness", name, vkey]:
                self._add_witness(TrustedWitness(name, CosignatureVerifier.parse(vkey), None))
            case ["witness", name, vkey, url]:
                self._add_witness(TrustedWitness(name, CosignatureVerifier.parse(vkey), _address(url)))
            case ["group", name, count, _, *_]:
                self._add_group(name, count, tuple(words[3:]))
            case ["quorum", name]:
                self._set_quorum(name)
            case _:
                raise MalformedMessage("it is none of log, witness, group, quorum with their parts.")

    def is_met(self, verifiers: Collection[CosignatureVerifier]) -> bool:
        """Whether the cosignatures of these are enough."""
        return self.quorum == NONE or self._witnessed(self.quorum, verifiers)

    def _witnessed(self, name: str, verifiers: Collection[CosignatureVerifier]) -> bool:
        if name in self.witnesses:
            return self.witnesses[name].verifier in verifiers
        group = self.groups[name]
        return sum(self._witnessed(member, verifiers) for member in group.members) >= group.threshold

    def _add_log(self, verifier: NoteVerifier) -> None:
        if any(verifier.public_key == other.public_key for other in self.logs):
            raise MalformedMessage("the same log key stands there twice.")
        self.logs.append(verifier)

    def _add_witness(self, witness: TrustedWitness) -> None:
        self._check_new(witness.name)
        if any(witness.verifier.public_key == other.verifier.public_key for other in self.witnesses.values()):
            raise MalformedMessage("the same witness key stands there twice.")
        self.witnesses[witness.name] = witness

    def _add_group(self, name: str, count: str, members: tuple[str, ...]) -> None:
        self._check_new(name)
        taken = [member for group in self.groups.values() for member in group.members]
        for place, member in enumerate(members):
            if not self._knows(member) or member in taken or member in members[:place]:
                raise MalformedMessage(f"{member} is not defined above, or is a member already.")
        threshold = {"any": 1, "all": len(members)}.get(count) or (int(count) if _COUNT.fullmatch(count) else 0)
        if not 1 <= threshold <= len(members):
            raise MalformedMessage("a group names how many of its members are enough: any, all or a number.")
        self.groups[name] = Group(threshold, members)

    def _set_quorum(self, name: str) -> None:
        if name != NONE and not self._knows(name):
            raise MalformedMessage(f"{name} is not defined above.")
        self.quorum = name

    def _check_new(self, name: str) -> None:
        if name == NONE or self._knows(name):
            raise MalformedMessage(f"the name {name} is taken.")

    def _knows(self, name: str) -> bool:
        return name in self.witnesses or name in self.groups


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The words of each line that says something. Blanks and tabulators alone part words."""
    for number, line in enumerate(text.split("\n"), start=1):
        if any(letter != "\t" and (letter < " " or letter == "\x7f") for letter in line):
            raise MalformedMessage(f"Line {number} of the file of witnesses has a control character.")
        words = [word for word in re.split(r"[ \t]+", line) if word]
        if words and not words[0].startswith("#"):
            yield number, words


def _address(url: str) -> str:
    if not _URL.fullmatch(url):
        raise MalformedMessage("the witness's address is not like https://witness.example/.")
    return url.rstrip("/")
