"""Prices of cards, and what an order still asks for."""

from typing import Any

from marshmallow import fields

from cardsvc import web
from cardsvc.cards.rules import Fee, FeeState, Issue, Price
from cardsvc.money import CURRENCY

_ISSUES = {"enum": [issue.value for issue in Issue], "description": "why a card is issued"}


class PriceSchema(web.ApiSchema):
    action_id = fields.UUID(required=True, metadata={"description": "what two people signed for it"})
    issue = fields.String(required=True, metadata=_ISSUES)
    valid_from = fields.Date(required=True)
    amount_cents = fields.Integer(required=True, metadata={"description": "0: it is free"})


class PriceTodaySchema(web.ApiSchema):
    issue = fields.String(required=True, metadata=_ISSUES)
    amount_cents = fields.Integer(required=True, metadata={"description": "0: it is free"})


class PricesSchema(web.ApiSchema):
    currency = fields.String(required=True)
    today = fields.List(fields.Nested(PriceTodaySchema), required=True)
    prices = fields.List(fields.Nested(PriceSchema), required=True)


class FeeSchema(web.ApiSchema):
    card_id = fields.UUID(required=True)
    issue = fields.String(required=True, metadata=_ISSUES)
    amount_cents = fields.Integer(required=True)
    currency = fields.String(required=True)
    state = fields.String(required=True, metadata={"enum": [state.value for state in FeeState]})


def shown_prices(prices: tuple[Price, ...], today: dict[Issue, int]) -> dict[str, Any]:
    """As the API says them."""
    begun = [{"issue": issue, "amount_cents": cents} for issue, cents in today.items()]
    return {"currency": CURRENCY, "today": begun, "prices": prices}


def shown_fee(fee: Fee) -> dict[str, Any]:
    """As the API says it."""
    return {
        "card_id": fee.card_id,
        "issue": fee.issue,
        "amount_cents": fee.amount_cents,
        "currency": CURRENCY,
        "state": fee.state,
    }
