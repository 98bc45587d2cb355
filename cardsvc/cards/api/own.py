"""A resident's own card: how it stands, and stopping it at once when it is lost."""

from typing import Any

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.api.common import asker
from cardsvc.cards.schemas.own import OwnCardSchema, OwnSuspensionSchema

own_blueprint = web.ApiBlueprint("own_card", __name__, url_prefix="/v1/me/card", description="A resident's own card")


@own_blueprint.route("")
class OwnCard(MethodView):
    @guard.resident_only
    @own_blueprint.response(200, OwnCardSchema)
    @own_blueprint.fails(404)
    def get(self) -> queries.Card:
        """The card that one holds."""
        return queries.held(web.session(), asker())


@own_blueprint.route("/suspension")
class OwnSuspension(MethodView):
    @guard.resident_only
    @own_blueprint.arguments(OwnSuspensionSchema, required=False)
    @own_blueprint.response(200, OwnCardSchema)
    @own_blueprint.fails(404)
    def post(self, given: dict[str, Any]) -> queries.Card:
        """Report one's own card lost: it is suspended at once, everywhere. Only an officer lets it be used again."""
        return actions.suspend_own(web.session(), asker(), note=given["note"], now=web.now())
