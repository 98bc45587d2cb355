"""What the log can be asked, and the proof that its answers hold."""

from cardsvc.audit.queries.checking import LogChecked, Source, check_log
from cardsvc.audit.queries.naming import Recovery, city_keys, note_signers, origin, origins, recoveries
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
from cardsvc.audit.queries.witnessing import Cosigned, cosigned, last_cosigned, newest_witnessed, with_cosignatures

__all__ = [
    "SHARD",
    "Checkpoint",
    "Cosigned",
    "LogChecked",
    "Recovery",
    "Source",
    "StoredLeaf",
    "check_log",
    "city_keys",
    "consistency",
    "cosigned",
    "covering",
    "inclusion",
    "inclusions",
    "last_cosigned",
    "leaf",
    "newest",
    "newest_witnessed",
    "next_index",
    "note_signers",
    "origin",
    "origins",
    "reader",
    "recoveries",
    "salts",
    "tile",
    "with_cosignatures",
]
