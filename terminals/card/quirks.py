"""What is known of readers by their names (readers.toml): the interface, which to pass over, which quirks they have."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from terminals.card.connection import Interface

ALWAYS: Final = "always"
NO_ESCAPE: Final = "no_escape"
MODULE: Final = "module:"
_FILE: Final = Path(__file__).with_name("readers.toml")
_INDEX: Final = re.compile(r" [0-9A-F]{2}( [0-9A-F]{2})$")  # pcsc-lite ends a name with its index and the slot's


@dataclass(frozen=True, slots=True)
class Quirk:
    """`when` it shows: always, or for which fact of this machine. `says`, `do` and `source` are sentences."""

    when: str
    says: str
    do: str
    source: str


@dataclass(frozen=True, slots=True)
class KnownReader:
    """A kind of reader. `title` is empty and `interface` None where the entry does not say."""

    match: str
    title: str
    interface: Interface | None
    skip: bool
    quirks: tuple[Quirk, ...]


@cache
def known_readers() -> tuple[KnownReader, ...]:
    return tuple(
        KnownReader(
            entry["match"],
            entry.get("title", ""),
            Interface(entry["interface"]) if "interface" in entry else None,
            entry.get("skip", False),
            tuple(
                Quirk(quirk["when"], quirk["says"], quirk["do"], quirk["source"]) for quirk in entry.get("quirk", ())
            ),
        )
        for entry in tomllib.loads(_FILE.read_text("utf-8"))["reader"]
    )


def entry_of(name: str) -> KnownReader | None:
    """The first entry whose `match` is a part of the reader's name, in any case; None for a reader nobody described."""
    # A blank at both ends, so that a word at the end of a name is a word too.
    text = f" {name} ".lower()
    return next((entry for entry in known_readers() if entry.match.lower() in text), None)


def interface_of(name: str) -> Interface:
    """How this reader reaches the card: what is known of it, else what its name says; contact when nothing says."""
    text = f" {name} ".lower()
    found = [entry.interface for entry in known_readers() if entry.interface and entry.match.lower() in text]
    return found[0] if found else Interface.CONTACT


def choose(names: Sequence[str], pattern: str, last: str | None = None) -> str | None:
    """The reader to use: the one of last time, the same one under another index, or the first that has the pattern.

    A slot that holds no residents' cards (SAM) is passed over unless the pattern names it. None when there is none.
    """
    if last in names:
        return last
    if last is not None:
        same = [name for name in names if _INDEX.sub(r"\1", name) == _INDEX.sub(r"\1", last)]
        if same:
            return same[0]
    fitting = [name for name in names if pattern.lower() in name.lower()]
    return next((name for name in fitting if not _passed_over(name, pattern)), None)


def _passed_over(name: str, pattern: str) -> bool:
    entry = entry_of(name)
    return entry is not None and entry.skip and entry.match.strip().lower() not in pattern.lower()
