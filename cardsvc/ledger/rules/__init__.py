"""The ledger's decisions: pure, without a database or a clock."""

from cardsvc.ledger.rules.chart import AccountKind, AccountPolicy, AccountSpec, Fund, Purse, control_code
from cardsvc.ledger.rules.entries import (
    Draft,
    EntryKind,
    HoldStep,
    HoldVerb,
    Line,
    Posted,
    PostedLine,
    Reason,
    Refused,
    StoredEntry,
    entry_hash,
    reversing,
)
from cardsvc.ledger.rules.errors import (
    AccountDiffers,
    AccountHeld,
    AccountNotEmpty,
    BooksDoNotBalance,
    InvalidAccount,
    InvalidCursor,
    UnknownAccount,
    UnknownEntry,
)
from cardsvc.ledger.rules.holds import Act, KnownHold, Part, Terms
from cardsvc.ledger.rules.paging import Cursor, city_date, day_of_books
from cardsvc.ledger.rules.posting import Known, KnownAccount, decide
from cardsvc.ledger.rules.purses import PurseAccount

__all__ = [
    "AccountDiffers",
    "AccountHeld",
    "AccountKind",
    "AccountNotEmpty",
    "AccountPolicy",
    "AccountSpec",
    "Act",
    "BooksDoNotBalance",
    "Cursor",
    "Draft",
    "EntryKind",
    "Fund",
    "HoldStep",
    "HoldVerb",
    "InvalidAccount",
    "InvalidCursor",
    "Known",
    "KnownAccount",
    "KnownHold",
    "Line",
    "Part",
    "Posted",
    "PostedLine",
    "Purse",
    "PurseAccount",
    "Reason",
    "Refused",
    "StoredEntry",
    "Terms",
    "UnknownAccount",
    "UnknownEntry",
    "city_date",
    "control_code",
    "day_of_books",
    "decide",
    "entry_hash",
    "reversing",
]
