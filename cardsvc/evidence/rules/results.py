"""What is known of a stretch of the log when it was judged: small, so that it can be handed from process to process."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cardsvc.evidence.rules.findings import Finding


@dataclass(slots=True)
class Movement:
    """What a stretch does to one account, debit positive. `lowest` and `highest` are the balances reached on the way,
    after an entry, each with the leaf it was reached at; `first` and `last` are the first and last entry's.
    """

    currency: str
    sum: int
    lowest: int
    lowest_at: int
    highest: int
    highest_at: int
    first: int
    last: int
    first_recorded: int
    last_recorded: int


@dataclass(slots=True)
class Series:
    """Official receipt numbers that follow each other without a gap."""

    first: int
    last: int
    first_leaf: int


@dataclass(frozen=True, slots=True)
class Undoing:
    """An entry that takes another back; `lines` are its postings as written. The other stands at `target_leaf`."""

    leaf: int
    entry_id: str
    target_id: str
    target_leaf: int | None
    lines: str


@dataclass(slots=True)
class Counts:
    """How much was looked at."""

    leaves: int = 0
    erased: int = 0
    transactions: int = 0
    accepted: int = 0
    entries: int = 0
    postings: int = 0
    batches: int = 0
    signatures: int = 0
    cards: int = 0
    certificates: int = 0
    accounts: int = 0
    checkpoints: int = 0
    cosignatures: int = 0
    refused: int = 0
    keys: int = 0

    def add(self, other: "Counts") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Judged:
    """The verdict over one file, or over a journal file and its batches. `unread` lines could not be judged: what needs
    all of them (tree, balances) is not judged either. `hashes` are the leaves', 32 bytes each.
    """

    name: str
    first: int
    findings: list[Finding] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    unread: int = 0
    hashes: bytes = b""
    movements: Mapping[str, Movement] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    undoings: tuple[Undoing, ...] = ()
