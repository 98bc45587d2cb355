"""Decisions about items, without a database: reading, authenticating, permitting."""

from cardsvc.transactions.rules.checks import (
    AGE_MAX,
    FUTURE_MAX,
    PASSKEY_AGE_MAX,
    DraftUnusable,
    check_card,
    check_permission,
    check_time,
    dated,
    from_ledger,
)
from cardsvc.transactions.rules.disputes import (
    SETTLES_ALONE_CENTS_MAX,
    DisputeDecided,
    TwoMustDecide,
    UnknownDispute,
    believable,
    needs_two,
    stated_amount,
)
from cardsvc.transactions.rules.intake import Claim, Keys, Received, claim, now_standing, read, verify
from cardsvc.transactions.rules.values import (
    CardRef,
    DeviceRef,
    Item,
    PasskeyRef,
    Plan,
    Rejected,
    StaffRef,
    first_fault,
)
from crypto.wire.reasons import Reason

__all__ = [
    "AGE_MAX",
    "FUTURE_MAX",
    "PASSKEY_AGE_MAX",
    "SETTLES_ALONE_CENTS_MAX",
    "CardRef",
    "Claim",
    "DeviceRef",
    "DisputeDecided",
    "DraftUnusable",
    "Item",
    "Keys",
    "PasskeyRef",
    "Plan",
    "Reason",
    "Received",
    "Rejected",
    "StaffRef",
    "TwoMustDecide",
    "UnknownDispute",
    "believable",
    "check_card",
    "check_permission",
    "check_time",
    "claim",
    "dated",
    "first_fault",
    "from_ledger",
    "needs_two",
    "now_standing",
    "read",
    "stated_amount",
    "verify",
]
