"""Verbs of finance. Money moves by signed records only."""

from cardsvc.finance.actions.expiring import end_holds, return_purses
from cardsvc.finance.actions.statements import (
    StatementDiffers,
    UnknownStatement,
    import_statements,
    match_lines,
    open_chart,
)

__all__ = [
    "StatementDiffers",
    "UnknownStatement",
    "end_holds",
    "import_statements",
    "match_lines",
    "open_chart",
    "return_purses",
]
