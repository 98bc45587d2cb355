"""Prices of cards, set by two people; what was paid for an order, and whose price two people waived.

Money is not moved here: a payment is a signed record, and whoever books it notes it with `note_payment`, in the same
transaction.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from cardsvc import access
from cardsvc.cards import queries
from cardsvc.cards.actions.moves import RandomBytes, locked
from cardsvc.cards.models import CardPaymentRow, CardPriceRow, CardWaiverRow
from cardsvc.cards.queries import Card
from cardsvc.cards.rules import (
    CardNotPaid,
    FeeNotDue,
    FeeState,
    Issue,
    check_price_begins,
    city_day,
    price_payload,
    price_summary,
    read_price,
    read_waiver,
)

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Payment:
    """What was paid for the order of a card, in a shift; `record_id` names the record that says so, and its entry."""

    record_id: UUID
    card_id: UUID
    shift_id: UUID
    amount_cents: int


def propose_price(
    session: Session,
    issue: Issue,
    valid_from: date,
    amount_cents: int,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> access.ActionView:
    """Write a price down for two people to sign. Raises: access.UnsuitableAction, access.NotYourAction."""
    payload = price_payload(issue, valid_from, amount_cents)
    price = read_price(payload, _NOBODY)
    check_price_begins(price, city_day(now))
    return access.propose(session, PRICE, payload, price_summary(price), by=by, now=now, random_bytes=random_bytes)


def propose_waiver(
    session: Session, card_id: UUID, reason: str, *, by: UUID, now: datetime, random_bytes: RandomBytes
) -> access.ActionView:
    """Write down for two people to sign that a card is handed over without its price.

    Raises: CardNotFound, FeeNotDue, access.UnsuitableAction, access.NotYourAction.
    """
    _check_due(session, queries.find(session, card_id), city_day(now))
    payload = {"card_id": str(card_id), "reason": reason}
    said = _waiver_said(session, payload)
    return access.propose(session, WAIVER, payload, said, by=by, now=now, random_bytes=random_bytes)


def note_payment(session: Session, payments: Sequence[Payment], now: datetime) -> None:
    """Remember what was paid; whoever books it has looked at the fee, with the card held still."""
    rows = [
        {
            "record_id": one.record_id,
            "card_id": one.card_id,
            "shift_id": one.shift_id,
            "amount_cents": one.amount_cents,
            "taken_at": now,
        }
        for one in payments
    ]
    session.execute(insert(CardPaymentRow), rows)


def check_paid(session: Session, card: Card, today: date) -> None:
    """Raises: CardNotPaid."""
    found = queries.fee(session, card, today)
    if found.state is FeeState.DUE:
        raise CardNotPaid(found.amount_cents)


def _check_due(session: Session, card: Card, today: date) -> None:
    if queries.fee(session, card, today).state is not FeeState.DUE:
        raise FeeNotDue


def _price_said(_session: Session, payload: dict[str, Any]) -> str:
    return price_summary(read_price(payload, _NOBODY))


def _set_price(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    price = read_price(payload, action.id)
    check_price_begins(price, city_day(now))
    row = {"action_id": price.action_id, "issue": price.issue.value, "valid_from": price.valid_from}
    session.execute(insert(CardPriceRow), row | {"amount_cents": price.amount_cents, "set_at": now})


def _waiver_said(session: Session, payload: dict[str, Any]) -> str:
    card_id, reason = read_waiver(payload)
    issue = queries.issue_of(session, queries.find(session, card_id))
    return f"Hand card {card_id} ({issue.value}) over without its price: {reason}"


def _waive(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
    """The card is held still: who pays at this moment has paid before it, or finds the waiver."""
    card_id, _ = read_waiver(payload)
    _check_due(session, locked(session, card_id), city_day(now))
    session.execute(insert(CardWaiverRow), {"card_id": card_id, "action_id": action.id, "waived_at": now})


_FINANCE = frozenset({access.Role.FINANCE, access.Role.TREASURER})
PRICE = access.ActionHandler("cards.price", _FINANCE, _FINANCE, _set_price, _price_said)
"""Two of finance or treasury say what a kind of issue costs from a day on."""
WAIVER = access.ActionHandler("cards.waiver", _FINANCE | {access.Role.CARD_OFFICER}, _FINANCE, _waive, _waiver_said)
"""A card officer or finance asks that a card be handed over without its price; finance or treasury agrees."""
