"""Passes over HTTP: anybody reads what is on sale, riders what they hold. Buying one takes a signed record."""

from typing import Any

from flask.views import MethodView

from cardsvc import wallets, web
from cardsvc.access import guard
from cardsvc.transit.passes import queries
from cardsvc.transit.passes.queries import Listed
from cardsvc.transit.passes.schemas import HoldingsSchema, OnSaleSchema

own_blueprint = web.ApiBlueprint("own_passes", __name__, url_prefix="/v1/me/passes", description="A rider's passes")
blueprint = web.ApiBlueprint("passes", __name__, url_prefix="/v1/transit/passes", description="Passes on sale")


@blueprint.route("")
class Passes(MethodView):
    @guard.public
    @blueprint.response(200, OnSaleSchema)
    def get(self) -> Listed:
        """What is on sale now, with prices; the answer of `./city transit passes`."""
        return queries.listed(web.session(), web.now())


@own_blueprint.route("")
class OwnPasses(MethodView):
    @guard.resident_only
    @own_blueprint.response(200, HoldingsSchema)
    @own_blueprint.fails(404)
    def get(self) -> dict[str, Any]:
        """One's own passes that are not over, with the rides left; first what ends first."""
        session = web.session()
        wallet_id = wallets.of_resident(session, guard.principal().subject_id).id
        return {"passes": queries.held(session, wallet_id, web.now())}
