"""Why a record is rejected. The order is the precedence: of several faults the first is stated.

Evolution: a reason keeps its word for ever and none is taken away; the precedence of FORMATS.md is the order here, that
of the checks: a new one stands where it is checked.
"""

from enum import StrEnum


class Reason(StrEnum):
    """The words on the wire and in the database."""

    MALFORMED = "malformed"
    UNKNOWN_KIND = "unknown_kind"
    WRONG_TERMINAL = "wrong_terminal"
    RECORD_ID_CONFLICT = "record_id_conflict"
    UNKNOWN_KEY = "unknown_key"
    MISSING_AUTHORISATION = "missing_authorisation"
    INVALID_SIGNATURE = "invalid_signature"
    CARD_NOT_ACTIVE = "card_not_active"
    TOO_OLD = "too_old"
    FROM_THE_FUTURE = "from_the_future"
    NOT_PERMITTED = "not_permitted"
    UNKNOWN_WALLET = "unknown_wallet"
    UNKNOWN_REFERENCE = "unknown_reference"
    WRONG_AMOUNT = "wrong_amount"
    ALREADY_DONE = "already_done"
    ACCOUNT_CLOSED = "account_closed"
    PERIOD_CLOSED = "period_closed"
    BALANCE_ASSERTED = "balance_asserted"
    HOLD_ENDED = "hold_ended"
    HOLD_EXCEEDED = "hold_exceeded"
    PURSE_EXPIRED = "purse_expired"
    INSUFFICIENT_FUNDS = "insufficient_funds"


NOBODYS = frozenset(
    {
        Reason.MALFORMED,
        Reason.UNKNOWN_KIND,
        Reason.WRONG_TERMINAL,
        Reason.RECORD_ID_CONFLICT,
        Reason.UNKNOWN_KEY,
        Reason.MISSING_AUTHORISATION,
        Reason.INVALID_SIGNATURE,
    }
)
"""No authenticated key stands behind such an item: it has no leaf and no receipt, and its record id is not used up."""

TRANSIENT = frozenset({Reason.UNKNOWN_KIND, Reason.UNKNOWN_KEY})
"""The same bytes may be taken later: when the service knows the kind or the key. Every other reason is final."""

DISPUTED = frozenset({Reason.TOO_OLD, Reason.FROM_THE_FUTURE})
"""The rejection stands, and finance decides whether the record counts after all, by a record of its own."""
