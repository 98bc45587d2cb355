"""What the log can be asked, and the proof that its answers hold."""

from cardsvc.audit.queries.checking import LogChecked, Source, check_log
from cardsvc.audit.queries.reading import (
    SHARD,
    Checkpoint,
    StoredLeaf,
    consistency,
    covering,
    inclusion,
    inclusions,
    leaf,
    newest,
    next_index,
    reader,
    salts,
    tile,
)

__all__ = [
    "SHARD",
    "Checkpoint",
    "LogChecked",
    "Source",
    "StoredLeaf",
    "check_log",
    "consistency",
    "covering",
    "inclusion",
    "inclusions",
    "leaf",
    "newest",
    "next_index",
    "reader",
    "salts",
    "tile",
]
