"""Rides and rights over HTTP: riders read their own, staff read a resident's; clerks give rights and end them."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import wallets, web
from cardsvc.access import guard
from cardsvc.transit import riders
from cardsvc.transit.riders import Right
from cardsvc.transit.riding import actions, queries
from cardsvc.transit.riding.schemas import (
    EndedRightSchema,
    GivenRightSchema,
    ResidentRidesQuery,
    RidesQuery,
    RidesSchema,
    RightSchema,
    RightsQuery,
    RightsSchema,
)

own_blueprint = web.ApiBlueprint("own_rides", __name__, url_prefix="/v1/me/rides", description="A rider's rides")
blueprint = web.ApiBlueprint("riders", __name__, url_prefix="/v1/transit", description="Riders' rides and rights")
READERS = ("finance", "treasurer", "auditor")
GIVERS = ("clerk",)
_A_PAGE = 50


def _page(resident_id: UUID, given: dict[str, Any]) -> dict[str, Any]:
    session = web.session()
    wallet_id = wallets.of_resident(session, resident_id).id
    found = queries.rides(session, wallet_id, before=given["before"], limit=_A_PAGE)
    return {"rides": found, "next": found[-1].began_at if len(found) == _A_PAGE else None}


@own_blueprint.route("")
class OwnRides(MethodView):
    @guard.resident_only
    @own_blueprint.arguments(RidesQuery, location="query")
    @own_blueprint.response(200, RidesSchema)
    @own_blueprint.fails(404)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """One's own rides, the newest first: what each costs, and each rule that made it so."""
        return _page(guard.principal().subject_id, given)


@blueprint.route("/rides")
class Rides(MethodView):
    @guard.requires(*READERS)
    @blueprint.arguments(ResidentRidesQuery, location="query")
    @blueprint.response(200, RidesSchema)
    @blueprint.fails(404)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """A resident's rides, for those who answer claims about them."""
        return _page(given["resident_id"], given)


@blueprint.route("/rights")
class Rights(MethodView):
    @guard.requires(*GIVERS, "auditor")
    @blueprint.arguments(RightsQuery, location="query")
    @blueprint.response(200, RightsSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """A resident's rights as they stand."""
        return {"rights": riders.current_rights(web.session(), [given["resident_id"]])}

    @guard.requires(*GIVERS)
    @blueprint.arguments(GivenRightSchema)
    @blueprint.response(201, RightSchema)
    @blueprint.fails(404)
    def post(self, given: dict[str, Any]) -> Right:
        """Give a resident a category of riders, after seeing the proof that `reason` names."""
        by, now, random_bytes = guard.principal().subject_id, web.now(), web.city().random_bytes
        return actions.give_right(web.session(), **given, by=by, now=now, random_bytes=random_bytes)


@blueprint.route("/rights/<uuid:right_id>/end")
class RightEnd(MethodView):
    @guard.requires(*GIVERS)
    @blueprint.arguments(EndedRightSchema)
    @blueprint.response(200, RightSchema)
    @blueprint.fails(404)
    def post(self, given: dict[str, Any], right_id: UUID) -> Right:
        """Say which fare day is the right's last one."""
        return actions.end_right(
            web.session(), right_id=right_id, **given, by=guard.principal().subject_id, now=web.now()
        )
