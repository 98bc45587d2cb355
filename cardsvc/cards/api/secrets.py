"""Where a counter is told a secret of a card: only sealed, for the counter that signed for it."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions
from cardsvc.cards.actions import CounterKey
from cardsvc.cards.api.common import COUNTER, asker
from cardsvc.cards.api.pin_reset import add_pin_reset
from cardsvc.cards.schemas.secrets import BeginSchema, InstructionsSchema, shown_instructions
from crypto.wire import personalisation
from crypto.wire.personalisation import CardSecret


def make_secrets(counter_key: CounterKey) -> web.ApiBlueprint:
    """The routes; `counter_key` knows the terminals."""
    blueprint = web.ApiBlueprint(
        "card_secrets", __name__, url_prefix="/v1/cards", description="Secrets of cards, sealed for a counter"
    )
    _add_personalisation(blueprint, counter_key)
    add_pin_reset(blueprint, counter_key)
    return blueprint


def _add_personalisation(blueprint: web.ApiBlueprint, counter_key: CounterKey) -> None:
    @blueprint.route("/<uuid:card_id>/personalisation")
    class Personalisation(MethodView):
        @guard.requires(*COUNTER)
        @blueprint.arguments(BeginSchema)
        @blueprint.response(200, InstructionsSchema)
        def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
            """Begin to make the card, or begin again after a tear: a new challenge makes earlier proofs worthless.

            The card's management key comes sealed for the enrolled counter whose terminal key signed the request.
            """
            city, session = web.city(), web.session()
            request = actions.read_request(session, given["request"], CardSecret.MANAGEMENT_KEY, card_id, counter_key)
            begun = actions.begin_personalisation(
                session,
                city.vault,
                card_id,
                by=asker(),
                now=web.now(),
                random_bytes=city.random_bytes,
                product_name=given["product"],
                algorithm=given["algorithm"],
                blank_serial=given["blank_serial"],
                terminal_id=request.terminal_id,
                settings=city.settings.cards,
                production=city.settings.is_production,
            )
            return shown_instructions(begun, personalisation.seal(begun.management_key, request))
