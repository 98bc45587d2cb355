"""What finance is asked: shifts, statements, and the day with all of it."""

from cardsvc.finance.queries.day import BankRow, ClosingRow, DaySheet, DrawerRow, day_sheet
from cardsvc.finance.queries.reading import (
    LineView,
    ShiftView,
    StatementView,
    drawer_balances,
    known_lines,
    last_statement,
    left_open,
    lines_to_explain,
    open_lines,
    open_movements,
    open_shifts,
    previous_closing,
    shifts,
    statement,
    statement_named,
)

__all__ = [
    "BankRow",
    "ClosingRow",
    "DaySheet",
    "DrawerRow",
    "LineView",
    "ShiftView",
    "StatementView",
    "day_sheet",
    "drawer_balances",
    "known_lines",
    "last_statement",
    "left_open",
    "lines_to_explain",
    "open_lines",
    "open_movements",
    "open_shifts",
    "previous_closing",
    "shifts",
    "statement",
    "statement_named",
]
