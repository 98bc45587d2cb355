"""Reads of prices: which holds on a day, and what an order still asks for."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.cards.models import CardPaymentRow, CardPriceRow, CardRow, CardWaiverRow
from cardsvc.cards.queries.cards import Card
from cardsvc.cards.rules import ORDERED, Fee, Issue, Price, RevocationReason, fee_state, issue_after

_NEWEST = (CardPriceRow.valid_from.desc(), CardPriceRow.set_at.desc(), CardPriceRow.action_id.desc())


def prices(session: Session) -> tuple[Price, ...]:
    """Every price that was ever set, by kind of issue, what begins last first."""
    rows = session.scalars(select(CardPriceRow).order_by(CardPriceRow.issue, *_NEWEST))
    return tuple(Price(row.action_id, Issue(row.issue), row.valid_from, row.amount_cents) for row in rows)


def prices_on(session: Session, today: date) -> dict[Issue, int]:
    """What each kind of issue costs on that day, in cents. Of prices that begin on one day the one set last holds; a
    kind without a price is free.
    """
    begun = [price for price in prices(session) if price.valid_from <= today]
    return dict.fromkeys(Issue, 0) | {price.issue: price.amount_cents for price in reversed(begun)}


def issue_of(session: Session, card: Card) -> Issue:
    """Why the card is issued. It goes by the card that its holder was handed last, however this one was ordered."""
    query = (
        select(CardRow.revoked_reason)
        .where(CardRow.resident_id == card.resident_id, CardRow.id != card.id, CardRow.handed_over_at.is_not(None))
        .order_by(CardRow.handed_over_at.desc(), CardRow.requested_at.desc())
        .limit(1)
    )
    before = session.execute(query).one_or_none()
    if before is None:
        return Issue.FIRST
    return issue_after(RevocationReason(before.revoked_reason) if before.revoked_reason else None)


def fee(session: Session, card: Card, today: date) -> Fee:
    """What the order of the card asks for on that day. A payment that was taken back is none."""
    issue = issue_of(session, card)
    standing = select(CardPaymentRow.amount_cents).where(
        CardPaymentRow.card_id == card.id, ~ledger.is_reversed(CardPaymentRow.__table__.c.record_id)
    )
    paid = session.scalars(standing).first()
    waived = session.get(CardWaiverRow, card.id) is not None
    asked = prices_on(session, today)[issue] if card.state in ORDERED else 0
    amount_cents = asked if paid is None else paid
    return Fee(card.id, issue, amount_cents, fee_state(amount_cents, paid=paid is not None, waived=waived))


def paid_in_shifts(session: Session, shift_ids: Sequence[UUID]) -> dict[UUID, int]:
    """What cashiers took for cards within each of these shifts, in cents, whatever was taken back since."""
    query = select(CardPaymentRow.shift_id, func.sum(CardPaymentRow.amount_cents)).where(
        CardPaymentRow.shift_id.in_(set(shift_ids))
    )
    return {shift_id: int(cents) for shift_id, cents in session.execute(query.group_by(CardPaymentRow.shift_id))}
