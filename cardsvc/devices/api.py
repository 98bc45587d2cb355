"""Terminals over HTTP: they enrol and download their policy; administrators invite and revoke them."""

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.access import guard
from cardsvc.devices import actions, queries
from cardsvc.devices.actions import PolicySources
from cardsvc.devices.schemas import (
    CodeSchema,
    DeviceListSchema,
    DeviceRevocationSchema,
    DeviceSchema,
    EnrolmentSchema,
    EnrolSchema,
    InviteSchema,
    shown,
)

POLICY_TYPE = "application/cose"


def make(sources: PolicySources) -> web.ApiBlueprint:
    """The room's routes; `sources` is what other rooms put into the policy."""
    blueprint = web.ApiBlueprint("devices", __name__, url_prefix="/v1", description="Terminals and their policy")

    @blueprint.route("/policy")
    class Policy(MethodView):
        @guard.public
        @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=POLICY_TYPE)
        def get(self) -> Response:
            """The policy in force, signed: a COSE_Sign1 that any of the city's terminals can verify."""
            city, now = web.city(), web.now()

            def numbered(session: Session) -> bytes | None:
                return actions.numbered_policy(session, city.vault, sources, now)

            # Anybody may ask, so asking holds up nobody who writes. Only whoever asks first after a change writes: they
            # give the policy its new number.
            signed = db.run(city.engine, numbered, read_only=True)
            if signed is None:
                signed = db.run(city.engine, lambda session: actions.policy(session, city.vault, sources, now))
            return Response(signed, content_type=POLICY_TYPE)

    _add_enrolment(blueprint)
    _add_administration(blueprint)
    return blueprint


def _add_enrolment(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/devices/enrol")
    class Enrol(MethodView):
        @guard.public
        @blueprint.arguments(EnrolSchema)
        @blueprint.response(201, EnrolmentSchema)
        @blueprint.fails(403)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """Enrol a terminal with its invite code and a proof of its key; the same again gives the same answer."""
            city = web.city()
            made = actions.enrol(
                web.session(),
                city.vault,
                given["code"],
                given["public_key"],
                given["proof"],
                now=web.now(),
                random_bytes=city.random_bytes,
            )
            return {"device_id": made.device_id, "certificate": made.certificate}


def _add_administration(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/devices")
    class Devices(MethodView):
        @guard.requires("admin", "auditor")
        @blueprint.response(200, DeviceListSchema)
        def get(self) -> dict[str, Any]:
            """Every terminal, by kind and name."""
            return {"devices": [shown(device) for device in queries.listed(web.session())]}

    @blueprint.route("/devices/invites")
    class Invites(MethodView):
        @guard.requires("admin")
        @blueprint.arguments(InviteSchema)
        @blueprint.response(201, CodeSchema)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """A code for one terminal, good for a week."""
            by, city = guard.principal().subject_id, web.city()
            code = actions.invite(
                web.session(), given["kind"], given["name"], by=by, now=web.now(), random_bytes=city.random_bytes
            )
            return {"code": code}

    @blueprint.route("/devices/<uuid:device_id>/revocation")
    class Revocation(MethodView):
        @guard.requires("admin")
        @blueprint.arguments(DeviceRevocationSchema)
        @blueprint.response(200, DeviceSchema)
        def post(self, given: dict[str, Any], device_id: UUID) -> dict[str, Any]:
            """Take a terminal out of service for good."""
            by = guard.principal().subject_id
            return shown(actions.revoke(web.session(), device_id, by=by, reason=given["reason"], now=web.now()))
