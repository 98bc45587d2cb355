"""The stock of blank cards."""

from dataclasses import asdict
from typing import Any

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.api.common import COUNTER, OFFICER, asker, blueprint
from cardsvc.cards.rules import Delivery
from cardsvc.cards.schemas.stock import (
    BlankListSchema,
    BlankNoteSchema,
    BlankPageSchema,
    BlankSchema,
    BlankWithHistorySchema,
    ReconciliationSchema,
    ReconciliationsSchema,
    SpoilageListSchema,
    SpoilageRegisterSchema,
    SpoilageSchema,
    TakeInSchema,
    shown_blanks,
    shown_delivery,
)


@blueprint.route("/blanks")
class Blanks(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(BlankListSchema, location="query")
    @blueprint.response(200, BlankPageSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """Blanks by delivery and state, in pages."""
        return shown_blanks(queries.blanks(web.session(), **given))


@blueprint.route("/blanks/deliveries")
class Deliveries(MethodView):
    @guard.requires(OFFICER)
    @blueprint.arguments(TakeInSchema)
    @blueprint.response(201, ReconciliationSchema)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Take a delivery into stock: every serial or none. The same delivery again changes nothing."""
        serials, dry_run = given.pop("serials"), given.pop("dry_run")
        session, city = web.session(), web.city()
        attempt = session.begin_nested()
        taken = actions.take_in(
            session, Delivery(**given), serials, by=asker(), now=web.now(), random_bytes=city.random_bytes
        )
        if dry_run:
            attempt.rollback()
        return shown_delivery(taken)

    @guard.requires(*COUNTER, "auditor")
    @blueprint.response(200, ReconciliationsSchema)
    def get(self) -> dict[str, Any]:
        """Every delivery against its note: delivered = in stock + used + spoiled + returned."""
        return {"deliveries": [shown_delivery(found) for found in queries.reconciliation(web.session())]}


@blueprint.route("/blanks/spoilage")
class SpoilageRegister(MethodView):
    @guard.requires(*COUNTER, "auditor")
    @blueprint.arguments(SpoilageListSchema, location="query")
    @blueprint.response(200, SpoilageRegisterSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """The spoilage register, newest first: which blank, why, who, when."""
        return {"spoiled": queries.spoilage(web.session(), **given)}


@blueprint.route("/blanks/<serial>")
class OneBlank(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.response(200, BlankWithHistorySchema)
    def get(self, serial: str) -> dict[str, Any]:
        """A blank and its history."""
        session = web.session()
        return {**asdict(queries.blank(session, serial)), "history": queries.blank_history(session, serial)}


@blueprint.route("/blanks/<serial>/spoilage")
class Spoilage(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(SpoilageSchema)
    @blueprint.response(200, BlankSchema)
    def post(self, given: dict[str, Any], serial: str) -> dict[str, Any]:
        """Write a blank off, with its reason."""
        return asdict(actions.spoil(web.session(), serial, by=asker(), now=web.now(), **given))


@blueprint.route("/blanks/<serial>/return")
class SendingBack(MethodView):
    @guard.requires(OFFICER)
    @blueprint.arguments(BlankNoteSchema)
    @blueprint.response(200, BlankSchema)
    def post(self, given: dict[str, Any], serial: str) -> dict[str, Any]:
        """Note that an unused blank went back to whoever delivered it."""
        return asdict(actions.send_back(web.session(), serial, by=asker(), now=web.now(), **given))
