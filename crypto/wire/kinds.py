"""Every kind of record and query, one number each.

Evolution: append only. A number is never used again, not even when its feature is deleted; another body is a new kind.
"""

from enum import IntEnum


class Kind(IntEnum):
    """What a record or a query asks for; the value is the number on the wire."""

    CASH_TOP_UP = 1
    SHIFT_OPENED = 2
    SHIFT_CLOSED = 3
    TAP = 10
    FARE_REFUNDED = 11
    PASS_BOUGHT = 12
    CARD_PAID = 13
    CYCLE_APPROVED = 20
    CLAIM = 21
    TAX_PAYMENT = 30
    BANK_DEPOSIT = 40
    FUNDING = 41
    LINE_MATCHED = 42  # reserved
    CASH_WITHDRAWAL = 43
    JOURNAL_ENTRY = 44
    BANK_TRANSFER = 45
    TRANSFER_ASSIGNED = 46
    AUTO_TOP_UP = 47
    HOLD_PLACED = 50
    HOLD_CAPTURED = 51
    HOLD_RELEASED = 52
    PURSE_FUNDED = 53
    PURSE_EXPIRED = 54
    REVERSAL = 90
    DISPUTE_SETTLED = 91
    # queries: never a record
    BALANCE_QUERY = 100
    ENTITLEMENTS_QUERY = 120
    BILLS_QUERY = 130


def title(kind: int) -> str:
    """The kind in plain words; an unknown number says so."""
    try:
        return Kind(kind).name.replace("_", " ").lower()
    except ValueError:
        return f"kind {kind}"
