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
    AccountAwaited,
    AccountDiffers,
    AccountHeld,
    AccountNotEmpty,
    BooksDoNotBalance,
    InvalidAccount,
    InvalidCursor,
    UnknownAccount,
    UnknownEntry,
)
from cardsvc.ledger.rules.foreign import Tool
from cardsvc.ledger.rules.funds import interfund_code, interfund_lines
from cardsvc.ledger.rules.holds import Act, KnownHold, Part, Terms
from cardsvc.ledger.rules.paging import Cursor, city_date, day_of_books
from cardsvc.ledger.rules.posting import Known, KnownAccount, Running, begin, decide, decide_next
from cardsvc.ledger.rules.purses import PurseAccount
from cardsvc.ledger.rules.spans import DateBasis, Span, Window, booking_day

__all__ = [
    "AccountAwaited",
    "AccountDiffers",
    "AccountHeld",
    "AccountKind",
    "AccountNotEmpty",
    "AccountPolicy",
    "AccountSpec",
    "Act",
    "BooksDoNotBalance",
    "Cursor",
    "DateBasis",
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
    "Running",
    "Span",
    "StoredEntry",
    "Terms",
    "Tool",
    "UnknownAccount",
    "UnknownEntry",
    "Window",
    "begin",
    "booking_day",
    "city_date",
    "control_code",
    "day_of_books",
    "decide",
    "decide_next",
    "entry_hash",
    "interfund_code",
    "interfund_lines",
    "reversing",
]
