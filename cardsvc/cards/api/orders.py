"""Across cards: how long orders wait, and who did what when."""

from typing import Any

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import queries
from cardsvc.cards.api.common import COUNTER, OFFICER, blueprint
from cardsvc.cards.schemas.orders import BacklogSchema, DeedListSchema, DeedsSchema


@blueprint.route("/backlog")
class Backlog(MethodView):
    @guard.requires(*COUNTER, "auditor")
    @blueprint.response(200, BacklogSchema)
    def get(self) -> queries.Backlog:
        """How many orders wait at each stage, and for how long."""
        return queries.backlog(web.session(), web.now())


@blueprint.route("/history")
class History(MethodView):
    @guard.requires(OFFICER, "auditor")
    @blueprint.arguments(DeedListSchema, location="query")
    @blueprint.response(200, DeedsSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """What was done to cards, newest first: by whom, to which state, when, why."""
        return {"steps": queries.deeds(web.session(), **given)}
