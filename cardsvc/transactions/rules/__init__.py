"""Decisions about items, without a database: reading, authenticating, permitting."""

from cardsvc.transactions.rules.checks import (
    AGE_MAX,
    FUTURE_MAX,
    check_card,
    check_permission,
    check_time,
    dated,
    from_ledger,
)
from cardsvc.transactions.rules.intake import Keys, Received, authenticate, read
from cardsvc.transactions.rules.values import (
    CardRef,
    DeviceRef,
    Item,
    Plan,
    Rejected,
    StaffRef,
    first_fault,
)
from crypto.wire.reasons import Reason

__all__ = [
    "AGE_MAX",
    "FUTURE_MAX",
    "CardRef",
    "DeviceRef",
    "Item",
    "Keys",
    "Plan",
    "Reason",
    "Received",
    "Rejected",
    "StaffRef",
    "authenticate",
    "check_card",
    "check_permission",
    "check_time",
    "dated",
    "first_fault",
    "from_ledger",
    "read",
]
