"""The transparency log: what the service did, in a Merkle tree that only grows and that anybody can check."""

from cardsvc.audit.actions import append, erase, publish
from cardsvc.audit.queries import (
    Checkpoint,
    LogChecked,
    Source,
    StoredLeaf,
    check_log,
    consistency,
    covering,
    inclusion,
    inclusions,
    leaf,
    newest,
    next_index,
    salts,
)
from cardsvc.audit.rules import Contents, Leaf, LogBehindCheckpoint, LogBroken, NotInLog

__all__ = [
    "Checkpoint",
    "Contents",
    "Leaf",
    "LogBehindCheckpoint",
    "LogBroken",
    "LogChecked",
    "NotInLog",
    "Source",
    "StoredLeaf",
    "append",
    "check_log",
    "consistency",
    "covering",
    "erase",
    "inclusion",
    "inclusions",
    "leaf",
    "newest",
    "next_index",
    "publish",
    "salts",
]
