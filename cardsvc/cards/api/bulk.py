"""Many cards at once. The two signatures are given at /v1/actions, under the decision's id."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.api.common import OFFICER, asker, blueprint
from cardsvc.cards.schemas.bulk import (
    BulkCardsSchema,
    BulkOrderSchema,
    BulkSchema,
    BulksSchema,
    PlanSchema,
    RenewedManySchema,
    RenewManySchema,
    bulk_order,
    shown_plan,
)
from cardsvc.cards.schemas.life import CardPageSchema, shown_page

_DECIDERS = (OFFICER, "admin")


@blueprint.route("/bulk/plans")
class Plans(MethodView):
    @guard.requires(*_DECIDERS)
    @blueprint.arguments(BulkOrderSchema)
    @blueprint.response(200, PlanSchema)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """What a decision about many cards would do now. Nothing is written."""
        return shown_plan(queries.plan(web.session(), bulk_order(given)))


@blueprint.route("/bulk")
class Bulks(MethodView):
    @guard.requires(*_DECIDERS)
    @blueprint.arguments(BulkOrderSchema)
    @blueprint.response(201, BulkSchema)
    def post(self, given: dict[str, Any]) -> queries.Bulk:
        """Propose it: the list is frozen, and an action waits for the proposer's signature and another person's."""
        proposed, _action = actions.propose_bulk(
            web.session(), bulk_order(given), by=asker(), now=web.now(), random_bytes=web.city().random_bytes
        )
        return proposed

    @guard.requires(*_DECIDERS, "auditor")
    @blueprint.response(200, BulksSchema)
    def get(self) -> dict[str, Any]:
        """The decisions about many cards, newest first."""
        return {"decisions": queries.bulks(web.session())}


@blueprint.route("/bulk/<uuid:bulk_id>")
class OneBulk(MethodView):
    @guard.requires(*_DECIDERS, "auditor")
    @blueprint.response(200, BulkSchema)
    def get(self, bulk_id: UUID) -> queries.Bulk:
        """A decision about many cards: proposed, or done."""
        return queries.bulk(web.session(), bulk_id)


@blueprint.route("/bulk/<uuid:bulk_id>/cards")
class BulkCards(MethodView):
    @guard.requires(*_DECIDERS, "auditor")
    @blueprint.arguments(BulkCardsSchema, location="query")
    @blueprint.response(200, CardPageSchema)
    def get(self, given: dict[str, Any], bulk_id: UUID) -> dict[str, Any]:
        """The cards that the decision names, in the order of their ids, in pages: the list that both people sign."""
        return shown_page(queries.bulk_cards(web.session(), bulk_id, **given))


@blueprint.route("/bulk/<uuid:bulk_id>/renewals")
class Renewals(MethodView):
    @guard.requires(OFFICER)
    @blueprint.arguments(RenewManySchema, required=False)
    @blueprint.response(200, RenewedManySchema)
    def post(self, given: dict[str, Any], bulk_id: UUID) -> actions.RenewedMany:
        """Order new cards for the holders of these, some at a time: ask again with `after` until `next` is null."""
        return actions.renew_many(
            web.session(), bulk_id, by=asker(), now=web.now(), random_bytes=web.city().random_bytes, **given
        )
