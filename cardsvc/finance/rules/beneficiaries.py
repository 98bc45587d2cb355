"""For whom money may be held: whose account, out of which purses, and which staff act for them."""

import re
from dataclasses import dataclass
from typing import Final

from crypto.wire.wallets import ANY, TAX, TRANSIT

FEES: Final = "revenue:fees"
"""What the city asks for its services: deposits on halls and equipment, permits, copies."""
CARD_FEES: Final = f"{FEES}:card"
"""What people paid for their cards. No hold is captured to it: a card is paid in cash, apart from any wallet."""


@dataclass(frozen=True, slots=True)
class Beneficiary:
    """`accounts` are the ledger accounts that captures credit; `purpose` that of the purses that may pay, besides those
    for anything; `roles` are the staff who capture and release.
    """

    accounts: re.Pattern[str]
    purpose: str
    roles: frozenset[str]

    def takes(self, purpose: str) -> bool:
        return purpose in (self.purpose, ANY)


BENEFICIARIES: Final = (
    Beneficiary(re.compile(re.escape(FEES)), ANY, frozenset({"cashier", "finance", "treasurer"})),
    Beneficiary(re.compile(r"revenue:transit:[^:\s]+"), TRANSIT, frozenset({"finance"})),
    Beneficiary(re.compile(r"revenue:rpt:(basic|sef)"), TAX, frozenset({"treasurer"})),
)
ROLES: Final = frozenset[str]().union(*(beneficiary.roles for beneficiary in BENEFICIARIES))


def beneficiary(account: str) -> Beneficiary | None:
    """Whose account it is, if money may be held for them."""
    return next((one for one in BENEFICIARIES if one.accounts.fullmatch(account)), None)
