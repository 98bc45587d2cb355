"""The city's evidence: all that proves its books, in files that need no database and no secret to be verified."""

from cardsvc.evidence.actions import Exported, export
from cardsvc.evidence.queries import Verdict, cores, verify
from cardsvc.evidence.rules import Counts, Finding, FolderNotEmpty, KeysUnreadable, NoExport, Permit

__all__ = [
    "Counts",
    "Exported",
    "Finding",
    "FolderNotEmpty",
    "KeysUnreadable",
    "NoExport",
    "Permit",
    "Verdict",
    "cores",
    "export",
    "verify",
]
