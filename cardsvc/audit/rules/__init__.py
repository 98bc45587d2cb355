"""The log without a database: what a leaf says, the tree from nothing but its leaves, what can be wrong."""

from cardsvc.audit.rules.errors import (
    KeptHeadMissing,
    KeptHeadUnreadable,
    LogBehindCheckpoint,
    LogBroken,
    LostHeadKnown,
    NothingLost,
    NotInLog,
    NoWitnesses,
    WitnessesUnreadable,
)
from cardsvc.audit.rules.leaves import Contents, Frontier, Leaf, commitment, leaf_hash

__all__ = [
    "Contents",
    "Frontier",
    "KeptHeadMissing",
    "KeptHeadUnreadable",
    "Leaf",
    "LogBehindCheckpoint",
    "LogBroken",
    "LostHeadKnown",
    "NoWitnesses",
    "NotInLog",
    "NothingLost",
    "WitnessesUnreadable",
    "commitment",
    "leaf_hash",
]
