"""Where a counter gets the PUK of the card in its reader, for a holder who was identified."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions
from cardsvc.cards.actions import CounterKey
from cardsvc.cards.api.common import COUNTER, asker
from cardsvc.cards.schemas.pin_reset import PinResetSchema, SealedPukSchema
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret


def add_pin_reset(blueprint: web.ApiBlueprint, counter_key: CounterKey) -> None:
    @blueprint.route("/<uuid:card_id>/pin-reset")
    class PinReset(MethodView):
        @guard.requires(*COUNTER)
        @blueprint.arguments(PinResetSchema)
        @blueprint.response(200, SealedPukSchema)
        def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
            """Get the PUK of an active card, sealed for the enrolled counter that asks: the card's 9E signed for the
            request, and the card's history says who got it and how the holder was identified.
            """
            city, session = web.city(), web.session()
            request = actions.read_request(session, given["request"], CardSecret.PUK, card_id, counter_key)
            puk = actions.reset_pin(
                session, city.vault, request, given["signature"], reason=given["reason"], by=asker(), now=web.now()
            )
            sealed = personalisation.seal(bytes(puk), request)
            puk[:] = bytes(len(puk))
            return {"sealed_puk": sealed}
