"""The price of a card over the counter: cash into the drawer, revenue of its own, never a wallet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import cards, ledger
from cardsvc.clock import business_date
from cardsvc.finance import queries, rules
from cardsvc.finance.handler.common import NOT_THE_SIGNER, OTHER_CURRENCY, draft, signer
from cardsvc.finance.queries import ShiftView
from cardsvc.money import CURRENCY, show
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.finance import CardPaid
from crypto.wire.transaction import Purpose

_NO_SHIFT = Rejected(Reason.UNKNOWN_REFERENCE, "No shift is open at this counter. Open one, then take the cash.")
_NOT_YOUR_SHIFT = Rejected(
    Reason.NOT_PERMITTED, "This drawer is in another cashier's shift. Close it, and open one of your own."
)
_NO_ORDER = Rejected(Reason.UNKNOWN_REFERENCE, "No such card is on order. Look at the resident's cards again.")


class TakingCardFee:
    """A cashier takes the price of a card that is on order, in cash, within the own open shift: what holds when the
    city takes the record, and once. It stands until it is taken back.
    """

    body: ClassVar[type[CardPaid]] = CardPaid
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"counter"})
    roles: ClassVar[frozenset[str]] = frozenset({"cashier"})

    def subject(self, item: Item, /) -> UUID:
        """Who pays twice for one card pays one after the other."""
        return item.says(CardPaid).card_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        open_shifts = queries.open_shifts(session, [item.device.id for item in items])
        return [self._plan_one(session, item, open_shifts.get(item.device.id), now) for item in items]

    def _plan_one(self, session: Session, item: Item, shift: ShiftView | None, now: datetime) -> Plan | Rejected:
        """In the order of the reasons. The card is held still: it is not handed over, waived or ended meanwhile."""
        body = item.says(CardPaid)
        if body.staff_id != signer(item):
            return NOT_THE_SIGNER
        if shift is not None and shift.staff_id != body.staff_id:
            return _NOT_YOUR_SHIFT
        if shift is None or shift.id != body.shift_id:
            return _NO_SHIFT
        try:
            card = cards.locked(session, body.card_id)
        except cards.CardNotFound:
            return _NO_ORDER
        if card.state not in cards.ORDERED:
            return _NO_ORDER
        return _refusal(body, cards.fee(session, card, business_date(now))) or _entry(item, body)

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """Each order that was paid is known as paid."""
        paid = [(item.record.record_id, item.says(CardPaid)) for item, _ in done]
        payments = [
            cards.Payment(record_id, body.card_id, body.shift_id, body.amount_cents) for record_id, body in paid
        ]
        cards.note_payment(session, payments, now)


def _refusal(body: CardPaid, fee: cards.Fee) -> Rejected | None:
    if body.currency != CURRENCY:
        return OTHER_CURRENCY
    if fee.state is cards.FeeState.FREE:
        return Rejected(Reason.WRONG_AMOUNT, "This card is free. Give the cash back.")
    if body.amount_cents != fee.amount_cents:
        return Rejected(
            Reason.WRONG_AMOUNT,
            f"This card costs {show(fee.amount_cents)}. Look at its price again.",
        )
    if fee.state is not cards.FeeState.DUE:
        said = "paid before" if fee.state is cards.FeeState.PAID else "waived"
        return Rejected(Reason.ALREADY_DONE, f"The price of this card was {said}. Give the cash back.")
    return None


def _entry(item: Item, body: CardPaid) -> Plan:
    lines = (
        ledger.Line(rules.drawer(item.device.id), body.amount_cents),
        ledger.Line(rules.CARD_FEES, -body.amount_cents),
    )
    made = draft(item, ledger.EntryKind.CARD_PAID, "finance/card-paid/1", body.currency, *lines)
    return Plan(replace(made, metadata=(("card", str(body.card_id)),)), body.amount_cents)
