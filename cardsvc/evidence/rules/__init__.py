"""The evidence without a database, a vault or a clock: how it is written down, and how it is judged."""

from cardsvc.evidence.rules.errors import (
    FolderNotEmpty,
    FolderUnusable,
    KeysUnreadable,
    NoExport,
    NothingSealed,
    WitnessesUnreadable,
)
from cardsvc.evidence.rules.findings import Finding
from cardsvc.evidence.rules.journal import Permit
from cardsvc.evidence.rules.results import Counts

__all__ = [
    "Counts",
    "Finding",
    "FolderNotEmpty",
    "FolderUnusable",
    "KeysUnreadable",
    "NoExport",
    "NothingSealed",
    "Permit",
    "WitnessesUnreadable",
]
