"""Terminals over HTTP: they enrol and download their policy; administrators invite and revoke them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from cardsvc import db, web
from cardsvc.access import guard
from cardsvc.devices import actions, queries
from cardsvc.devices.actions import PolicySources
from cardsvc.devices.rules import Clock, UnknownAuthority
from cardsvc.devices.schemas import (
    ChainSchema,
    ChainsSchema,
    CodeSchema,
    DeviceListSchema,
    DeviceRevocationSchema,
    DeviceSchema,
    EnrolmentSchema,
    EnrolSchema,
    HeldSchema,
    InviteSchema,
    chain_shown,
    shown,
)
from cardsvc.vault import CertifiedName, KeyName
from crypto import pki

Name = TypeVar("Name", bound=str)
Clocks = Callable[[Session, Sequence[UUID]], Mapping[UUID, Clock]]
"""How far the terminals' clocks are off, as the room knows that takes their batches."""
READERS = ("admin", "card_officer", "finance", "treasurer", "auditor")
CERTIFIED: tuple[CertifiedName, ...] = ("root", "card-ca", "terminal-ca", "content")
POLICY_TYPE = "application/cose"


def make(sources: PolicySources, clocks: Clocks) -> web.ApiBlueprint:
    """The room's routes; `sources` is what other rooms put into the policy, `clocks` what one of them knows."""
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

    _add_deny_list(blueprint)
    _add_enrolment(blueprint)
    _add_administration(blueprint)
    _add_chains(blueprint, clocks)
    return blueprint


def _add_deny_list(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/deny-list")
    class WholeList(MethodView):
        @guard.public
        @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=POLICY_TYPE)
        @blueprint.alt_response(304, description="The list is still the one of If-None-Match", content_type=POLICY_TYPE)
        def get(self) -> Response:
            """The newest deny list, signed by the policy's key. The ETag is its number."""
            city, now = web.city(), web.now()
            if db.run(city.engine, queries.newest_deny_list, read_only=True) is None:
                db.run(city.engine, lambda session: actions.publish_deny_list(session, now))

            def signed(session: Session) -> tuple[queries.PublishedList, bytes]:
                return actions.signed_deny_list(session, city.vault)

            newest, content = db.run(city.engine, signed, read_only=True)
            answer = Response(content, content_type=POLICY_TYPE, headers={"Cache-Control": "no-cache"})
            answer.set_etag(str(newest.number), weak=True)  # two signatures over one list are two byte strings
            answer.make_conditional(request)
            return answer

    @blueprint.route("/deny-list/deltas/<int:base_number>")
    class Delta(MethodView):
        @guard.public
        @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=POLICY_TYPE)
        def get(self, base_number: int) -> Response:
            """What changed from that deny list to the newest one, signed; 404 where the whole list must be taken."""
            delta = actions.signed_deny_delta(web.session(), web.city().vault, base_number)
            return Response(delta, content_type=POLICY_TYPE, headers={"Cache-Control": "no-cache"})

    @blueprint.route("/deny-list/held")
    class Held(MethodView):
        @guard.requires("admin", "card_officer", "auditor")
        @blueprint.response(200, HeldSchema)
        def get(self) -> dict[str, Any]:
            """How many denied cards the breaker keeps off the list until two people sign `denials.release`."""
            newest = queries.newest_deny_list(web.session())
            held, list_hash = actions.held_list(web.session())
            return {"number": newest.number if newest else 0, "held": held, "list_hash": list_hash}


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


def _add_chains(blueprint: web.ApiBlueprint, clocks: Clocks) -> None:
    @blueprint.route("/devices/chains")
    class Chains(MethodView):
        @guard.requires(*READERS)
        @blueprint.response(200, ChainsSchema)
        def get(self) -> dict[str, Any]:
            """Every terminal's chain of records: what is missing, what came late, what exists twice; and its clock."""
            session = web.session()
            chains = queries.chain_reports(session, web.now())
            known = clocks(session, [chain.device.id for chain in chains])
            return {"chains": [chain_shown(chain, known.get(chain.device.id)) for chain in chains]}

    @blueprint.route("/devices/<uuid:device_id>/chain")
    class OneChain(MethodView):
        @guard.requires(*READERS)
        @blueprint.response(200, ChainSchema)
        def get(self, device_id: UUID) -> dict[str, Any]:
            """One terminal's chain of records, and its clock."""
            session = web.session()
            chain = queries.chain_report(session, device_id, web.now())
            return chain_shown(chain, clocks(session, [device_id]).get(device_id))


# ------------------------------------------------------------------------------------------------------- certificates


def make_pki() -> web.ApiBlueprint:
    """The city's certificates and its authorities' revocation lists, where other programs look for them (RFC 2585)."""
    blueprint = web.ApiBlueprint("pki", __name__, url_prefix="/pki", description="Certificates and revocation lists")

    @blueprint.route("/<string:name>.cer")
    class Certificate(MethodView):
        @guard.public
        @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/pkix-cert")
        def get(self, name: str) -> Response:
            """The certificate (DER) of `root`, `card-ca`, `terminal-ca` or `content`; `card-ca.2` is a generation's."""
            kind, generation = _named(name, CERTIFIED)
            certificate = pki.to_der(web.city().vault.certificate(kind, generation))
            return Response(certificate, content_type="application/pkix-cert")

    @blueprint.route("/<string:name>.crl")
    class Crl(MethodView):
        @guard.public
        @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="application/pkix-crl")
        def get(self, name: str) -> Response:
            """The revocation list (DER) of `card-ca` or `terminal-ca`; `card-ca.1` is that of an older generation."""
            kind, generation = _named(name, actions.AUTHORITIES)
            city, now = web.city(), web.now()
            found = db.run(
                city.engine,
                lambda session: actions.usable_revocation_list(session, city.vault, kind, generation, now),
                read_only=True,
            ) or db.run(
                city.engine,
                lambda session: actions.publish_revocation_list(session, city.vault, kind, generation, now),
            )
            return Response(found.der, content_type="application/pkix-crl")

    return blueprint


def _named(name: str, known: Sequence[Name]) -> tuple[Name, int | None]:
    """The key's name, and which generation of it, None for the one that signs now. Raises: UnknownAuthority."""
    kind, dot, digits = name.partition(".")
    vault = web.city().vault
    for one in known:
        if one != kind:
            continue
        if not dot:
            return one, None
        for generation in vault.register.of(KeyName(one)):
            if digits == str(generation.number):
                return one, generation.number
    raise UnknownAuthority
