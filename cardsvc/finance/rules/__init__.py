"""Finance's decisions: reading bank statements, matching their lines."""

from cardsvc.finance.rules.camt import InvalidStatement, Line, Money, Statement, read
from cardsvc.finance.rules.chart import BANK, BASE_CHART, OVER_SHORT, VAULT, drawer, drawer_spec
from cardsvc.finance.rules.matching import Match, OpenLine, OpenMovement, match, why_open

__all__ = [
    "BANK",
    "BASE_CHART",
    "OVER_SHORT",
    "VAULT",
    "InvalidStatement",
    "Line",
    "Match",
    "Money",
    "OpenLine",
    "OpenMovement",
    "Statement",
    "drawer",
    "drawer_spec",
    "match",
    "read",
    "why_open",
]
