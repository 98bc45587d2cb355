"""What a card costs: a price for each kind of issue, from a day on, and what is still to be paid for an order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from cardsvc import access
from cardsvc.cards.rules.states import RevocationReason
from cardsvc.errors import CityError, ErrorKind
from cardsvc.money import CURRENCY, show

PRICE_CENTS_MAX: Final = 10_000_00
"""The most that a card may cost: what is more was typed wrong."""
_NOTE_LETTERS: Final = range(3, 201)


class Issue(StrEnum):
    """Why a card is issued, by what became of the card that its holder had before. Prices are kept by this."""

    FIRST = "first"
    RENEWAL = "renewal"  # the card before ends, or ended, by its date
    LOST = "lost"
    STOLEN = "stolen"
    DAMAGED = "damaged"
    DECEASED = "deceased"  # said of somebody who lives
    MOVED = "moved"  # and came back
    FRAUD = "fraud"
    WITHDRAWN = "withdrawn"


class FeeState(StrEnum):
    """Whether a card may be handed over as far as its price goes: not while it is `due`."""

    FREE = "free"
    DUE = "due"
    PAID = "paid"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True)
class Price:
    """From `valid_from` on an issue of this kind costs so much, until a later price holds. 0: it is free."""

    action_id: UUID
    issue: Issue
    valid_from: date
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Fee:
    """What the order of a card asks for. `amount_cents` is the price: what was paid, or else what holds today; 0 for a
    card that is no order any more and was never paid for.
    """

    card_id: UUID
    issue: Issue
    amount_cents: int
    state: FeeState


class CardNotPaid(CityError):
    code = "card_not_paid"
    kind = ErrorKind.CONFLICT

    def __init__(self, amount_cents: int) -> None:
        super().__init__(
            f"This card costs {show(amount_cents)}, and that is not paid. Take it at a counter with an open shift, "
            "or let finance waive it; then hand the card over."
        )


class FeeNotDue(CityError):
    code = "card_fee_not_due"
    kind = ErrorKind.CONFLICT

    def __init__(self) -> None:
        super().__init__("Nothing is due for this card: it is not on order, free, paid or waived. Look at it again.")


def issue_after(reason: RevocationReason | None) -> Issue:
    """Why a card is issued to whom the card before was handed. `reason`: for what that was revoked, if it was."""
    if reason is None or reason is RevocationReason.SUPERSEDED:
        return Issue.RENEWAL
    return Issue(reason.value)


def fee_state(amount_cents: int, *, paid: bool, waived: bool) -> FeeState:
    """A payment counts before a waiver, and both before the price."""
    if paid:
        return FeeState.PAID
    if waived:
        return FeeState.WAIVED
    return FeeState.DUE if amount_cents else FeeState.FREE


# ------------------------------------------------------------------------------------------------ what two people sign


def price_payload(issue: Issue, valid_from: date, amount_cents: int) -> dict[str, Any]:
    """What goes into the action that sets a price."""
    said = {"issue": issue.value, "valid_from": valid_from.isoformat(), "amount_cents": amount_cents}
    return said | {"currency": CURRENCY}


def read_price(payload: Mapping[str, Any], action_id: UUID) -> Price:
    """The price that a payload says. Raises: access.UnsuitableAction."""
    names = {"issue", "valid_from", "amount_cents", "currency"}
    if set(payload) != names:
        raise access.UnsuitableAction(f"A card's price says {', '.join(sorted(names))}.")
    cents = payload["amount_cents"]
    if type(cents) is not int or not 0 <= cents <= PRICE_CENTS_MAX:
        raise access.UnsuitableAction(f"A card costs 0 (it is free) to {PRICE_CENTS_MAX} cents.")
    if payload["currency"] != CURRENCY:
        raise access.UnsuitableAction(f"The city's prices are in {CURRENCY}.")
    try:
        return Price(action_id, Issue(payload["issue"]), date.fromisoformat(payload["valid_from"]), cents)
    except (ValueError, TypeError) as error:
        raise access.UnsuitableAction(f"This is no price of a card: {error}") from error


def price_summary(price: Price) -> str:
    """The price in a sentence that both read before they sign."""
    what = {Issue.FIRST: "a first card", Issue.RENEWAL: "a renewed card"}.get(
        price.issue, f"a card in the place of one that ended as {price.issue.value}"
    )
    costs = f"costs {show(price.amount_cents)}" if price.amount_cents else "is free"
    return f"From {price.valid_from} on {what} {costs}"


def check_price_begins(price: Price, today: date) -> None:
    """A price holds from a day that is not over. Raises: access.UnsuitableAction."""
    if price.valid_from < today:
        raise access.UnsuitableAction(f"{price.valid_from} is over: let the price hold from today or a later day on.")


def read_waiver(payload: Mapping[str, Any]) -> tuple[UUID, str]:
    """Which card's price is waived, and why. Raises: access.UnsuitableAction."""
    if set(payload) != {"card_id", "reason"}:
        raise access.UnsuitableAction("A waiver says card_id and reason.")
    reason = payload["reason"]
    if not isinstance(reason, str) or len(reason) not in _NOTE_LETTERS or not reason.isprintable():
        raise access.UnsuitableAction("The reason is a text of 3 to 200 letters.")
    try:
        return UUID(str(payload["card_id"])), reason
    except ValueError as error:
        raise access.UnsuitableAction("card_id is not an id.") from error
