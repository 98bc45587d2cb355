"""Finance: shifts and cash, the bank, and the proof that both agree with the books."""

from cardsvc.finance.actions import StatementDiffers, UnknownStatement, import_statements, match_lines, open_chart
from cardsvc.finance.handler import Depositing, Funds, Reversing, ShiftClosing, ShiftOpening, ToppingUp, Withdrawing
from cardsvc.finance.queries import LineView, ShiftView, StatementView, last_statement, open_shifts, statement
from cardsvc.finance.rules import BANK, OVER_SHORT, VAULT, InvalidStatement, drawer

__all__ = [
    "BANK",
    "OVER_SHORT",
    "VAULT",
    "Depositing",
    "Funds",
    "InvalidStatement",
    "LineView",
    "Reversing",
    "ShiftClosing",
    "ShiftOpening",
    "ShiftView",
    "StatementDiffers",
    "StatementView",
    "ToppingUp",
    "UnknownStatement",
    "Withdrawing",
    "drawer",
    "import_statements",
    "last_statement",
    "match_lines",
    "open_chart",
    "open_shifts",
    "statement",
]
