"""What the ledger can be asked, and the proof that its answers hold."""

from cardsvc.ledger.queries.balances import balances, in_debit
from cardsvc.ledger.queries.checking import BooksChecked, check_books
from cardsvc.ledger.queries.chunking import chunks
from cardsvc.ledger.queries.days import Moved, moved_on, recorded_between, recorded_on
from cardsvc.ledger.queries.exporting import csv_journal, journal, trial_balance_csv
from cardsvc.ledger.queries.holds import (
    HoldView,
    expired_holds,
    hold_parts,
    known_holds,
    names_account,
    standing_holds,
)
from cardsvc.ledger.queries.knowing import known, known_accounts
from cardsvc.ledger.queries.moving import ImportsChecked, check_imports, whole_books
from cardsvc.ledger.queries.purses import JointLine, JointPage, expired_purses, joint_statement, purses_of
from cardsvc.ledger.queries.reading import (
    Brought,
    DayTotal,
    brought_since,
    count_entries,
    day_totals,
    entries,
    entry,
    is_reversed,
    last_place,
    moved_by,
    reversal_of,
)
from cardsvc.ledger.queries.searching import Wanted, find_entries
from cardsvc.ledger.queries.statements import StatementLine, StatementPage, statement
from cardsvc.ledger.queries.trial import TrialBalance, TrialBalanceLine, trial_balance

__all__ = [
    "BooksChecked",
    "Brought",
    "DayTotal",
    "HoldView",
    "ImportsChecked",
    "JointLine",
    "JointPage",
    "Moved",
    "StatementLine",
    "StatementPage",
    "TrialBalance",
    "TrialBalanceLine",
    "Wanted",
    "balances",
    "brought_since",
    "check_books",
    "check_imports",
    "chunks",
    "count_entries",
    "csv_journal",
    "day_totals",
    "entries",
    "entry",
    "expired_holds",
    "expired_purses",
    "find_entries",
    "hold_parts",
    "in_debit",
    "is_reversed",
    "joint_statement",
    "journal",
    "known",
    "known_accounts",
    "known_holds",
    "last_place",
    "moved_by",
    "moved_on",
    "names_account",
    "purses_of",
    "recorded_between",
    "recorded_on",
    "reversal_of",
    "standing_holds",
    "statement",
    "trial_balance",
    "trial_balance_csv",
    "whole_books",
]
