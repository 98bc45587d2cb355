"""A disk that loses its power: from a record of what a program wrote and when it waited for the disk (recorder.c), the
contents that its files may have after a cut at any moment.

What was written before the file's last wait is there. Of what came after, any sectors may be there and any not.
"""

import random
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests import judging

SECTOR = 512
_HEADER = struct.Struct("<IIQQ")
WRITE, CUT, WAIT, REMOVE = 1, 2, 3, 4


@dataclass(frozen=True, slots=True)
class Step:
    kind: int
    name: str
    place: int
    data: bytes


def compile_recorder(folder: Path) -> Path:
    """The recorder as a library to preload; where there is no C compiler the judge is missing."""
    library = folder / "recorder.so"
    source = Path(__file__).with_name("recorder.c")
    compiler = judging.require("gcc")
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-Wall", "-o", library, source, "-ldl"], check=True)
    return library


def read(record: Path) -> list[Step]:
    data = record.read_bytes()
    steps: list[Step] = []
    at = 0
    while at < len(data):
        kind, name_length, place, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        name = data[at : at + name_length].decode()
        at += name_length
        steps.append(Step(kind, name, place, data[at : at + length]))
        at += length
    return steps


@dataclass(slots=True)
class File:
    """What is surely on the disk, and the steps after it that may be."""

    safe: bytearray = field(default_factory=bytearray)
    pending: list[Step] = field(default_factory=list)

    def take(self, step: Step) -> None:
        if step.kind != WAIT:
            self.pending.append(step)
            return
        for earlier in self.pending:
            _apply(self.safe, earlier)
        self.pending.clear()

    def after_a_cut(self, chance: random.Random) -> bytes:
        """One of the contents that a cut now may leave."""
        content = bytearray(self.safe)
        keep = chance.choice((0.0, 0.5, 0.9, 1.0))
        for step in self.pending:
            for part in _sectors(step):
                if chance.random() < keep:
                    _apply(content, part)
        return bytes(content)


def _sectors(step: Step) -> Iterator[Step]:
    """A write falls apart at the disk's sectors; anything else happens whole or not."""
    if step.kind != WRITE:
        yield step
        return
    at = 0
    while at < len(step.data):
        end = min(len(step.data), at + SECTOR - (step.place + at) % SECTOR)
        yield Step(WRITE, step.name, step.place + at, step.data[at:end])
        at = end


def _apply(content: bytearray, step: Step) -> None:
    if step.kind == WRITE:
        content.extend(bytes(max(0, step.place + len(step.data) - len(content))))
        content[step.place : step.place + len(step.data)] = step.data
    elif step.kind == CUT:
        del content[step.place :]
        content.extend(bytes(step.place - len(content)))
    else:
        del content[:]
