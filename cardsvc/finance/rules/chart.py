"""The accounts every city begins with."""

from typing import Final
from uuid import UUID

from cardsvc.finance.rules.beneficiaries import CARD_FEES, FEES
from cardsvc.ledger import AccountKind, AccountPolicy, AccountSpec, Fund

VAULT: Final = "cash:vault"
BANK: Final = "bank:main"
OVER_SHORT: Final = "cash:over-short"
SUSPENSE: Final = "suspense:transfers"
"""What people sent to the bank and nobody knows yet for whom."""

BASE_CHART: Final = (
    AccountSpec(VAULT, AccountKind.ASSET, AccountPolicy.CHECKED, Fund.GENERAL, floor_cents=0),
    AccountSpec(BANK, AccountKind.ASSET, AccountPolicy.CHECKED, Fund.GENERAL, floor_cents=0),
    AccountSpec(OVER_SHORT, AccountKind.EXPENSE, AccountPolicy.DERIVED, Fund.GENERAL),
    AccountSpec("equity:general", AccountKind.EQUITY, AccountPolicy.DERIVED, Fund.GENERAL),
    AccountSpec(FEES, AccountKind.REVENUE, AccountPolicy.DERIVED, Fund.GENERAL),
    AccountSpec(CARD_FEES, AccountKind.REVENUE, AccountPolicy.DERIVED, Fund.GENERAL),
    AccountSpec("equity:opening", AccountKind.EQUITY, AccountPolicy.DERIVED, Fund.GENERAL),
)


SUSPENSE_SPEC: Final = AccountSpec(SUSPENSE, AccountKind.LIABILITY, AccountPolicy.CHECKED, Fund.TRUST, floor_cents=0)
"""Opened by the first transfer that waits."""


def drawer(device_id: UUID) -> str:
    """The cash in one counter's drawer."""
    return f"cash:drawer:{device_id}"


def drawer_spec(device_id: UUID) -> AccountSpec:
    return AccountSpec(drawer(device_id), AccountKind.ASSET, AccountPolicy.CHECKED, Fund.GENERAL, floor_cents=0)
