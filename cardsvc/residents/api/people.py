"""Registering and finding people, for clerks and card officers."""

from typing import Any, Final
from uuid import UUID

from flask import request
from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.residents import actions, queries
from cardsvc.residents.actions import OnRegistered
from cardsvc.residents.api.noting import READERS, WHOLE_ENTRY, note
from cardsvc.residents.schemas import (
    PhotoSchema,
    PurposeSchema,
    RegistrationSchema,
    ResidentPageSchema,
    ResidentSchema,
    SearchSchema,
    StatusSchema,
    registration,
    shown,
    shown_page,
)

_PHOTO_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in ("image/jpeg", "image/png")},
    }
}


def add_people(blueprint: web.ApiBlueprint, on_registered: OnRegistered) -> None:
    @blueprint.route("/residents")
    class Residents(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(RegistrationSchema)
        @blueprint.response(201, ResidentSchema)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """Register a resident; the same person again is refused with the number they have. Who may be somebody
            already registered waits in the list of pairs.
            """
            session, now, city = web.session(), web.now(), web.city()
            made = actions.register(
                session,
                registration(given),
                by=guard.principal().subject_id,
                now=now,
                random_bytes=city.random_bytes,
                confirmed_distinct=given["confirmed_distinct"],
                thresholds=city.settings.dedupe,
            )
            on_registered(session, [made.id], now)
            return shown(made)

        @guard.requires(*READERS)
        @blueprint.arguments(SearchSchema, location="query")
        @blueprint.response(200, ResidentPageSchema)
        @blueprint.fails(400)
        def get(self, given: dict[str, Any]) -> dict[str, Any]:
            """Find residents by number or by names. Everybody found can read that they were, by whom and why."""
            page = queries.search(web.session(), given["q"], after=given["after"], limit=given["limit"])
            note([one.id for one in page.residents], given["purpose"], WHOLE_ENTRY)
            return shown_page(page)

    @blueprint.route("/residents/<uuid:resident_id>")
    class OneResident(MethodView):
        @guard.requires(*READERS)
        @blueprint.arguments(PurposeSchema, location="query")
        @blueprint.response(200, ResidentSchema)
        def get(self, given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
            """One resident. They can read that they were looked at, by whom and why."""
            found = queries.find(web.session(), resident_id)
            note([found.id], given["purpose"], WHOLE_ENTRY)
            return shown(found)

    _add_changes(blueprint)


def _add_changes(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/residents/<uuid:resident_id>/status")
    class Status(MethodView):
        @guard.requires("clerk")
        @blueprint.arguments(StatusSchema)
        @blueprint.response(200, ResidentSchema)
        def post(self, given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
            """Note that a resident moved away, died, or is back. Their cards are revoked apart."""
            by = guard.principal().subject_id
            changed = actions.change_status(
                web.session(), resident_id, given["status"], by=by, reason=given["reason"], now=web.now()
            )
            note([changed.id], "change of status", WHOLE_ENTRY)
            return shown(changed)

    @blueprint.route("/residents/<uuid:resident_id>/photo")
    class Photo(MethodView):
        @guard.requires(*READERS)
        @blueprint.doc(**_PHOTO_BODY)
        @blueprint.response(200, PhotoSchema)
        @blueprint.fails(422)
        def put(self, resident_id: UUID) -> Any:
            """Keep a photo, a JPEG or PNG of at most 500,000 bytes and 120 to 2,400 pixels a side, instead of any
            before. It is shown by a view alone.
            """
            by = guard.principal().subject_id
            return actions.store_photo(web.session(), resident_id, request.get_data(), by=by, now=web.now())
