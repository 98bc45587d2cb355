"""What the ledger can be asked, and the proof that its answers hold."""

from cardsvc.ledger.queries.checking import BooksChecked, check_books
from cardsvc.ledger.queries.exporting import hledger_journal
from cardsvc.ledger.queries.knowing import chunks, known, known_accounts
from cardsvc.ledger.queries.reading import (
    DayTotal,
    StatementLine,
    StatementPage,
    TrialBalance,
    TrialBalanceLine,
    balances,
    count_entries,
    day_totals,
    entries,
    entry,
    reversal_of,
    statement,
    trial_balance,
)

__all__ = [
    "BooksChecked",
    "DayTotal",
    "StatementLine",
    "StatementPage",
    "TrialBalance",
    "TrialBalanceLine",
    "balances",
    "check_books",
    "chunks",
    "count_entries",
    "day_totals",
    "entries",
    "entry",
    "hledger_journal",
    "known",
    "known_accounts",
    "reversal_of",
    "statement",
    "trial_balance",
]
