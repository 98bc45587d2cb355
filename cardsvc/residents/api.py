"""The register over HTTP, for clerks and card officers."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import OnRegistered
from cardsvc.residents.schemas import (
    RegistrationSchema,
    ResidentPageSchema,
    ResidentSchema,
    SearchSchema,
    StatusSchema,
    registration,
    shown,
    shown_page,
)

_READERS = ("clerk", "card_officer")


def make(on_registered: OnRegistered) -> web.ApiBlueprint:
    blueprint = web.ApiBlueprint("residents", __name__, url_prefix="/v1/residents", description="The residents")

    @blueprint.route("")
    class Residents(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(RegistrationSchema)
        @blueprint.response(201, ResidentSchema)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """Register a resident; the same person again is refused with the number they have."""
            session, now = web.session(), web.now()
            made = actions.register(
                session,
                registration(given),
                by=guard.principal().subject_id,
                now=now,
                random_bytes=web.city().random_bytes,
                confirmed_distinct=given["confirmed_distinct"],
            )
            on_registered(session, [made.id], now)
            return shown(made)

        @guard.requires(*_READERS)
        @blueprint.arguments(SearchSchema, location="query")
        @blueprint.response(200, ResidentPageSchema)
        @blueprint.fails(400)
        def get(self, given: dict[str, Any]) -> dict[str, Any]:
            """Find residents by number or by names."""
            return shown_page(queries.search(web.session(), given["q"], after=given["after"], limit=given["limit"]))

    _add_one_resident(blueprint)
    return blueprint


def _add_one_resident(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/<uuid:resident_id>")
    class OneResident(MethodView):
        @guard.requires(*_READERS)
        @blueprint.response(200, ResidentSchema)
        def get(self, resident_id: UUID) -> dict[str, Any]:
            """One resident."""
            return shown(queries.find(web.session(), resident_id))

    @blueprint.route("/<uuid:resident_id>/status")
    class Status(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(StatusSchema)
        @blueprint.response(200, ResidentSchema)
        def post(self, given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
            """Note that a resident moved away, died, or is back. Their cards are revoked apart."""
            by = guard.principal().subject_id
            return shown(
                actions.change_status(
                    web.session(), resident_id, given["status"], by=by, reason=given["reason"], now=web.now()
                )
            )
