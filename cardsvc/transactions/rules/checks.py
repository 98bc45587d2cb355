"""What an authenticated item must still satisfy: a believable time, a permitted sender, a card in force."""

from datetime import datetime, timedelta
from typing import ClassVar

from cardsvc import cards, ledger
from cardsvc.errors import CityError, ErrorKind
from cardsvc.transactions.rules.values import Item, Rejected
from crypto.wire.reasons import Reason
from crypto.wire.transaction import UNCHAINED

AGE_MAX = timedelta(days=30)
"""An offline record is taken for this long after it was signed."""
FUTURE_MAX = timedelta(minutes=5)
"""How far a terminal's clock may run ahead of ours."""


PASSKEY_AGE_MAX = timedelta(minutes=10)
"""How long after it was made a record may be signed with a passkey."""
LATE_MAX = timedelta(days=1)
"""How far back a terminal's clock may date what depends on a day: a last day to claim, a year's receipt numbers."""


class DraftUnusable(CityError):
    code: ClassVar[str] = "draft_unusable"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("This page is too old to sign. Open it again; nothing was done.")


def dated(item: Item, now: datetime) -> datetime:
    """When the item counts as made: by the terminal's clock, but not longer before it arrived than `LATE_MAX`; of a
    dispute that was settled, by what finance decided.
    """
    return item.happened_at if item.settled else max(item.happened_at, now - LATE_MAX)


def check_time(happened_at: datetime, now: datetime) -> Rejected | None:
    if happened_at > now + FUTURE_MAX:
        return Rejected(
            Reason.FROM_THE_FUTURE,
            "The terminal's clock runs ahead of the city's. Set it. Finance settles this record: do not make it again.",
        )
    if happened_at < now - AGE_MAX:
        return Rejected(
            Reason.TOO_OLD, f"The record is older than {AGE_MAX.days} days. Bring the terminal to the finance office."
        )
    return None


_PORTAL = "portal"


def check_permission(item: Item, *, device_kinds: frozenset[str], roles: frozenset[str]) -> Rejected | None:
    """May this kind of terminal send it, and does the staff member who signed hold a role for it?

    A record outside the chain and a passkey's count only through the service's own portal.
    """
    if item.device.kind != _PORTAL and (item.passkey is not None or item.record.sequence == UNCHAINED):
        return Rejected(Reason.NOT_PERMITTED, "Only the city's own pages send this. Open your wallet in a browser.")
    if item.device.kind not in device_kinds:
        allowed = ", ".join(sorted(device_kinds - {_PORTAL}) or [_PORTAL])
        return Rejected(
            Reason.NOT_PERMITTED, f"A terminal of kind {item.device.kind} may not send this. Use one of kind {allowed}."
        )
    if roles and (item.staff is None or not roles & item.staff.roles):
        wanted = " or ".join(sorted(roles))
        return Rejected(Reason.NOT_PERMITTED, f"This needs the signature of a staff member with the role {wanted}.")
    return None


_LEDGER_REASONS = {
    "insufficient_funds": Reason.INSUFFICIENT_FUNDS,
    "account_closed": Reason.ACCOUNT_CLOSED,
    "period_closed": Reason.PERIOD_CLOSED,
    "unknown_account": Reason.UNKNOWN_REFERENCE,
    "wrong_currency": Reason.WRONG_AMOUNT,
    "amount_out_of_range": Reason.WRONG_AMOUNT,
    "unknown_entry": Reason.UNKNOWN_REFERENCE,
    "already_reversed": Reason.ALREADY_DONE,
    "balance_asserted": Reason.BALANCE_ASSERTED,
    "unknown_hold": Reason.UNKNOWN_REFERENCE,
    "hold_ended": Reason.HOLD_ENDED,
    "hold_exceeded": Reason.HOLD_EXCEEDED,
    "purse_expired": Reason.PURSE_EXPIRED,
}


def from_ledger(refused: ledger.Refused) -> Rejected:
    """The ledger's refusal in the words of a terminal. What a sender cannot cause is our fault and stops the batch."""
    reason = _LEDGER_REASONS.get(refused.reason.value)
    if reason is None:
        raise AssertionError(f"a handler planned an entry that the ledger cannot take: {refused}")
    return Rejected(reason, refused.detail)


def check_card(card: cards.CardKey | None, item: Item) -> Rejected | None:
    """Was the card in force when it signed?

    A validator without a network cannot know of a block: its taps from before the block count, whenever they arrive.
    """
    if card is None:
        return None
    if item.happened_at >= card.not_after:
        return Rejected(Reason.CARD_NOT_ACTIVE, "The card has expired. Its holder can renew it at any counter.")
    if card.state == "active":
        return None
    if card.blocked_at is not None and item.device.kind == "validator" and item.happened_at < card.blocked_at:
        return None
    return Rejected(Reason.CARD_NOT_ACTIVE, f"The card is {card.state}. Its holder can ask for help at any counter.")
