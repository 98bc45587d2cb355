"""What an export holds, file by file. docs/evidence-format.md is normative; a test keeps the two in step.

Evolution: a table's columns are fixed for its format version; a new fact is a new table or a new version.
"""

from typing import Final

from cardsvc.evidence.rules.lines import Table

FORMAT: Final = "city.evidence/2"
WITHOUT_COSIGNATURES: Final = "city.evidence/1"
"""The format before: the same, without the table of cosignatures. It is read as ever."""
MANIFEST_FILE: Final = "manifest.tsv"
SEAL_FILE: Final = "manifest.seal"
CITY_KEYS_FILE: Final = "city-keys.txt"

MANIFEST: Final = Table("manifest", ("name", "value", "sha256", "bytes", "lines"))
"""Facts (`name`, `value`), then the files (`file`, path and the rest)."""

KEYS: Final = Table("keys", ("key_id", "statement", "certificate"))
"""What the city states of authorities, service, terminals, staff and passkeys; a terminal's certificate beside it."""

CARDS: Final = Table(
    "cards",
    (
        "key_id",
        "card_id",
        "resident_id",
        "slot",
        "active",
        "not_after",
        "certificate",
        "state",
        "blocked_at",
        "history",
    ),
)
"""Every key that a card ever proved. `history`: `ms:state` with spaces between, oldest first."""

ACCOUNTS: Final = Table(
    "accounts",
    (
        "code",
        "kind",
        "policy",
        "fund",
        "currency",
        "floor_cents",
        "opened_at",
        "closed_at",
        "purpose",
        "expires_at",
        "priority",
        "returns_to",
        "balance_cents",
        "balance_floor_cents",
    ),
)
"""The chart; `balance_cents` is the live row as it was at the position, natural, empty on a derived account."""

CHECKPOINTS: Final = Table("checkpoints", ("tree_size", "root", "published_at", "note"))
COSIGNATURES: Final = Table("cosignatures", ("tree_size", "vkey", "signed_at", "line"))
"""What witnesses signed under the heads: `vkey` is the witness's name and key, `line` what stands in the note."""
TILES: Final = Table("tiles", ("level", "index", "hash"))
REFUSED: Final = Table("refused", ("item_hash", "terminal_id", "batch_id", "record_id", "reason", "received_at"))

PERIODS: Final = Table(
    "periods",
    ("month", "verb", "closed_to", "soft_closed_to", "done_at", "action_id", "log_size", "after_leaf"),
)
"""What was done to the months of the books; after each line they are closed up to its two days. It was done behind
`after_leaf` (-1: before all leaves), or where that is empty at `done_at`.
"""

BATCHES: Final = Table("batches", ("batch_id", "terminal_id", "received_at", "items", "signed"))
"""The batches whose first leaf is in the journal file of the same name."""

JOURNAL: Final = Table(
    "journal",
    (
        # the leaf
        "leaf_record",
        "leaf_hash",
        "commitment",
        "salt",
        # the transaction
        "record_id",
        "kind",
        "terminal_id",
        "sequence",
        "record_hash",
        "record",
        "authorisations",
        "batch_id",
        "outcome",
        "reason",
        "detail",
        "transaction_entry",
        "happened_at",
        "recorded_at",
        "amount_cents",
        "currency",
        "card_id",
        "resident_id",
        "staff_id",
        "official_number",
        # the entry
        "entry_id",
        "entry_kind",
        "entry_currency",
        "entry_happened_at",
        "entry_recorded_at",
        "rule",
        "reverses",
        "reverses_leaf",
        "booked_on",
        "metadata",
        "postings",
    ),
)
"""One line a leaf, its number the leaf's: the leaf, the transaction behind it, and its entry where money moved."""

# Where a table lies in the export: one file, or a folder of files named by the number of their first line.
ONE_FILE: Final = (KEYS, ACCOUNTS, CHECKPOINTS, COSIGNATURES, TILES, REFUSED, PERIODS)
FOLDERS: Final = (CARDS, BATCHES, JOURNAL)
LEAVES_A_FILE: Final = 1000
"""A journal file ends at the first end of a batch after so many leaves."""
CARDS_A_FILE: Final = 5000


def path_of(table: Table, first: int | None = None) -> str:
    """The path of a table's file in the export, or of the one that begins with line `first`."""
    return f"{table.name}.tsv" if first is None else f"{table.name}/{first:012d}.tsv"
