"""What each kind of record does, and what a card is told about itself: the handlers and sections of the features."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import benefits, finance, residents, taxes, transactions, transit, wallets
from cardsvc.clock import business_date
from cardsvc.money import CURRENCY
from crypto.wire.kinds import Kind

_HANDLERS: tuple[transactions.Handler, ...] = (
    finance.ShiftOpening(),
    finance.ShiftClosing(),
    finance.ToppingUp(),
    finance.TakingCardFee(),
    finance.Depositing(),
    finance.Withdrawing(),
    finance.Funds(),
    finance.Reversing(transit.refunded_before),
    finance.Journal(transit.refunded_before),
    finance.TakingTransfer(),
    finance.Assigning(),
    finance.AutoToppingUp(),
    finance.HoldPlacing(),
    finance.HoldCapturing(),
    finance.HoldReleasing(),
    finance.PurseFunding(),
    finance.PurseExpiring(),
    transit.Tapping(),
    transit.Refunding(),
    transit.Selling(),
    benefits.Approval(),
    benefits.Claiming(),
    taxes.Paying(),
)


_SETTLED = (Kind.TAP, Kind.CLAIM, Kind.TAX_PAYMENT, Kind.CASH_TOP_UP)
"""What finance may settle when its time was disputed: what residents did. Staff make their records anew."""


def handlers() -> transactions.Wiring:
    """What the features do with each kind of record, and what each room says when a card asks about itself."""
    sections: transactions.Sections = {
        Kind.BALANCE_QUERY: {
            "wallet": _wallet_section,
            "benefits": _benefits_section,
            "taxes": _taxes_section,
            "passes": _passes_section,
        },
        Kind.ENTITLEMENTS_QUERY: {"benefits": _benefits_section},
        Kind.BILLS_QUERY: {"taxes": _taxes_section},
    }
    registry: dict[int, transactions.Handler] = {handler.body.KIND: handler for handler in _HANDLERS}
    settling = transactions.Settling({kind: registry[kind] for kind in _SETTLED})
    return transactions.Wiring(registry | {settling.body.KIND: settling}, sections, _spendable)


def _spendable(session: Session, resident_ids: Sequence[UUID], now: datetime) -> dict[UUID, int]:
    return wallets.spendable(session, resident_ids, wallets.TRANSIT, now)


def _wallet_section(session: Session, card: transactions.CardRef, now: datetime) -> dict[str, Any]:
    holder = residents.find(session, card.resident_id)
    summary = wallets.summary(session, wallets.of_resident(session, card.resident_id).id)
    mandate = finance.mandate_of(session, summary.wallet_id)
    return {
        "initials": f"{holder.given_name[:1]}. {holder.family_name[:1]}.",
        "balance_cents": summary.balance_cents,
        "owed_cents": summary.owed_cents,
        "held_cents": summary.held_cents,
        "currency": summary.currency,
        "purses": [
            {
                "name": purse.name,
                "purpose": purse.purpose or "any",
                "balance_cents": purse.balance_cents,
                "use_by": None if purse.expires_at is None else purse.expires_at.isoformat(),
            }
            for purse in summary.purses
            if not purse.expired(now)
        ],
        "top_up_reference": wallets.spaced(wallets.reference_of(summary.wallet_id)),
        "top_up_mandates": [
            {
                "source": one.source,
                "threshold_cents": one.threshold_cents,
                "amount_cents": one.amount_cents,
                "day_max": one.day_max,
            }
            for one in (mandate,)
            if one is not None
        ],
    }


def _benefits_section(session: Session, card: transactions.CardRef, now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "entitlement_id": str(due.entitlement_id),
            "programme": due.programme_name,
            "cycle": due.cycle_label,
            "amount_cents": due.amount_cents,
            "currency": CURRENCY,
            "claim_until": due.claim_until.isoformat(),
        }
        for due in benefits.due(session, card.resident_id, business_date(now))
    ]


def _taxes_section(session: Session, card: transactions.CardRef, _now: datetime) -> list[dict[str, Any]]:
    return [
        {
            "bill_id": str(bill.id),
            "number": bill.number,
            "tdn": bill.tdn,
            "year": bill.year,
            "quarter": bill.quarter,
            "amount_cents": bill.total_cents,
            "currency": CURRENCY,
            "due_on": bill.due_on.isoformat(),
        }
        for bill in taxes.open_bills(session, card.resident_id)
    ]


def _passes_section(session: Session, _card: transactions.CardRef, now: datetime) -> list[dict[str, Any]]:
    on_sale = transit.on_sale(session, now)
    if on_sale is None:
        return []
    return [
        {
            "pass_id": offer.pass_id,
            "name": offer.name,
            "tariff_version": on_sale.version,
            "begins": on_sale.today(now).isoformat(),
            "days": offer.days,
            "rides": offer.rides,
            "amount_cents": offer.amount_cents,
            "currency": CURRENCY,
        }
        for offer in on_sale.offers.values()
    ]
