"""Showing a resident to a clerk, on the record; and the record to the resident."""

import base64
from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.residents import actions, queries
from cardsvc.residents.api.noting import READERS
from cardsvc.residents.schemas import (
    DeviceNames,
    LookPageSchema,
    LooksQuerySchema,
    ViewSchema,
    WantedViewSchema,
    shown_looks,
)

_VIEW = ("name", "number", "birth_date", "status")


def add_looks(blueprint: web.ApiBlueprint, device_names: DeviceNames) -> None:
    @blueprint.route("/residents/<uuid:resident_id>/views")
    class Views(MethodView):
        @guard.requires(*READERS)
        @blueprint.arguments(WantedViewSchema)
        @blueprint.response(201, ViewSchema)
        def post(self, given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
            """Be shown a resident's name, number, birth date and photo, for a stated purpose. It is on the record, and
            the resident can read it.
            """
            return _view(given, resident_id)

    @blueprint.route("/me/looks")
    class MyLooks(MethodView):
        @guard.resident_only
        @blueprint.arguments(LooksQuerySchema, location="query")
        @blueprint.response(200, LookPageSchema)
        def get(self, given: dict[str, Any]) -> dict[str, Any]:
            """Who was shown my data: role and office, when, why and what. Newest first."""
            session = web.session()
            mine = guard.principal().subject_id
            return shown_looks(session, queries.looks(session, mine, **given), device_names)


def _view(given: dict[str, Any], resident_id: UUID) -> dict[str, Any]:
    session, now = web.session(), web.now()
    asked = queries.find(session, resident_id)
    person = queries.find(session, queries.survivors(session, [asked.id])[asked.id])
    card = f" (card {given['card_id']})" if given["card_id"] else ""
    photo = queries.photo(session, person.id)
    actions.note_look(
        session,
        person.id,
        actor=guard.principal().subject_id,
        purpose=given["purpose"] + card,
        fields=_VIEW if photo is None else (*_VIEW, "photo"),
        device_id=given["device_id"],
        now=now,
    )
    data = None if photo is None else base64.b64encode(photo.content).decode()
    return {
        "resident_id": person.id,
        "name": person.full_name,
        "number": person.number,
        "birth_date": person.birth_date,
        "status": person.status.value,
        "photo": None if photo is None else f"data:{photo.media_type};base64,{data}",
        "shown_at": now,
    }
