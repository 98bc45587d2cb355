"""Who witnessed the signed heads: every cosignature over the very head it is kept with, and whose of them count."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from cardsvc.evidence.rules import tables
from cardsvc.evidence.rules.files import File
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.lines import read_text
from cardsvc.evidence.rules.results import Judged
from cardsvc.evidence.rules.small import Head
from crypto import tlog
from crypto.errors import CryptoError, InvalidSignature


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness that the verifier was given: how many of the heads it signed, and the size of the newest (0: none)."""

    name: str
    vkey: str
    checkpoints: int
    newest: int


@dataclass(frozen=True, slots=True)
class Witnessing:
    """How far witnesses vouch for the log. Only those count whose keys came from outside the export.

    `checkpoints` are all signed heads; `witnessed` those that at least one witness signed, `enough` those that the
    quorum did, `newest_enough` the size of the newest such (None: there is none). `others` are cosignatures by keys
    that were not given: they verify, and nobody says whose they are. `given`: there were keys to go by.
    """

    given: bool
    checkpoints: int
    witnessed: int
    enough: int
    newest_enough: int | None
    by: tuple[Witness, ...]
    others: int


@dataclass(slots=True)
class _Cosigned:
    """What verified under one head."""

    size: int
    vkey: str


@dataclass(slots=True)
class Cosignatures:
    """Those that verified, by size, under so many `heads`."""

    heads: int = 0
    found: list[_Cosigned] = field(default_factory=list)

    def counted(self, policy: tlog.TrustPolicy | None) -> Witnessing:
        """Who of the policy's witnesses signed how many of the heads."""
        given = {one.verifier.format(): one for one in policy.witnesses.values()} if policy is not None else {}
        signed, newest = dict.fromkeys(given, 0), dict.fromkeys(given, 0)
        witnessed, enough, last = 0, 0, None
        for size, group in itertools.groupby(self.found, key=lambda one: one.size):
            own = [one.vkey for one in group if one.vkey in given]
            for vkey in own:
                signed[vkey] += 1
                newest[vkey] = size
            witnessed += bool(own)
            if policy is not None and own and policy.is_met([given[vkey].verifier for vkey in own]):
                enough, last = enough + 1, size
        by = tuple(Witness(one.name, vkey, signed[vkey], newest[vkey]) for vkey, one in given.items())
        others = len(self.found) - sum(signed.values())
        return Witnessing(policy is not None, self.heads, witnessed, enough, last, by, others)


def read_cosignatures(file: File, heads: Sequence[Head], *, all_heads: bool) -> tuple[Judged, Cosignatures]:
    """Every cosignature, verified under the key it names and over the head of its size.

    `all_heads`: every head could be read. Where one could not, that was said; what stands under it is not said again.
    """
    judged, cosignatures = Judged(file.name, 0), Cosignatures(len(heads))
    by_size = {head.size: head for head in heads}
    before = (-1, "")
    for place, fields in file.rows(tables.COSIGNATURES, 0, judged.findings):
        if fields is None:
            judged.unread += 1
            continue
        name = f"checkpoint {fields[1]}"
        try:
            size, vkey, line = int(fields[1]), read_text(fields[2]) or "", read_text(fields[4]) or ""
            int(fields[3])
            verifier = tlog.CosignatureVerifier.parse(vkey)
            name = f"checkpoint {size}, witness {verifier.name}"
            if (size, vkey) <= before:
                judged.findings.append(Finding(file.name, place, name, "cosignature", "it is not in its order"))
                continue
            before = size, vkey
            head = by_size.get(size)
            if head is not None:
                _verify(head, verifier, line)
                cosignatures.found.append(_Cosigned(size, verifier.format()))
                judged.counts.cosignatures += 1
            elif all_heads:
                problem = "there is no signed head of this size"
                judged.findings.append(Finding(file.name, place, name, "cosignature", problem))
        except (CryptoError, ValueError) as error:
            judged.findings.append(Finding(file.name, place, name, "cosignature", f"it does not verify: {error}"))
    return judged, cosignatures


def _verify(head: Head, verifier: tlog.CosignatureVerifier, line: str) -> None:
    """The line is this witness's alone, in its one form, over this head. Raises: CryptoError."""
    found = tlog.cosignatures(head.note + line, [verifier])
    if [one.line for one in found] != [line]:
        raise InvalidSignature("it is not one signature line of the witness that it names.")
