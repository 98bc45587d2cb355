"""What cards cost. Prices are set, and waived, by actions of two: kinds `cards.price` and `cards.waiver`."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import queries
from cardsvc.cards.api.common import COUNTER, blueprint
from cardsvc.cards.rules import city_day
from cardsvc.cards.schemas.prices import FeeSchema, PricesSchema, shown_fee, shown_prices

READERS = (*COUNTER, "cashier", "finance", "treasurer", "auditor")


@blueprint.route("/prices")
class Prices(MethodView):
    @guard.requires(*READERS)
    @blueprint.response(200, PricesSchema)
    def get(self) -> dict[str, Any]:
        """What each kind of issue costs today, and every price that was set, with the day from which it holds."""
        session = web.session()
        return shown_prices(queries.prices(session), queries.prices_on(session, city_day(web.now())))


@blueprint.route("/<uuid:card_id>/fee")
class CardFee(MethodView):
    @guard.requires(*READERS)
    @blueprint.response(200, FeeSchema)
    def get(self, card_id: UUID) -> dict[str, Any]:
        """What the order of a card asks for: `due` until it is paid or waived. What is due is not handed over."""
        session = web.session()
        return shown_fee(queries.fee(session, queries.find(session, card_id), city_day(web.now())))
