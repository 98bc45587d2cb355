"""Finance's decisions: reading bank statements, matching their lines."""

from cardsvc.finance.rules.beneficiaries import BENEFICIARIES, CARD_FEES, FEES, Beneficiary, beneficiary
from cardsvc.finance.rules.beneficiaries import ROLES as BENEFICIARIES_ROLES
from cardsvc.finance.rules.camt import InvalidStatement, Line, Money, Statement, read
from cardsvc.finance.rules.chart import (
    BANK,
    BASE_CHART,
    OVER_SHORT,
    SUSPENSE,
    SUSPENSE_SPEC,
    VAULT,
    drawer,
    drawer_spec,
)
from cardsvc.finance.rules.matching import Match, OpenLine, OpenMovement, match, why_open

__all__ = [
    "BANK",
    "BASE_CHART",
    "BENEFICIARIES",
    "BENEFICIARIES_ROLES",
    "CARD_FEES",
    "FEES",
    "OVER_SHORT",
    "SUSPENSE",
    "SUSPENSE_SPEC",
    "VAULT",
    "Beneficiary",
    "InvalidStatement",
    "Line",
    "Match",
    "Money",
    "OpenLine",
    "OpenMovement",
    "Statement",
    "beneficiary",
    "drawer",
    "drawer_spec",
    "match",
    "read",
    "why_open",
]
