"""The benefits office's API: programmes, cycles, and the approval that a second officer signs."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import transactions, web
from cardsvc.access import guard
from cardsvc.benefits import actions, queries, rules
from cardsvc.benefits.schemas import CycleDraftSchema, CycleSchema, ProgrammeSchema
from cardsvc.money import CURRENCY

blueprint = web.ApiBlueprint("benefits", __name__, url_prefix="/v1/benefits", description="Programmes and payouts")
_OFFICE = ("benefits_officer", "benefits_approver", "finance", "auditor")


@blueprint.route("/programmes")
class Programmes(MethodView):
    @guard.requires(*_OFFICE)
    @blueprint.response(200, ProgrammeSchema(many=True))
    def get(self) -> list[queries.Programme]:
        """Every programme, by code."""
        return queries.programmes(web.session())

    @guard.requires("benefits_officer")
    @blueprint.arguments(ProgrammeSchema)
    @blueprint.response(201, ProgrammeSchema)
    def post(self, given: dict[str, Any]) -> queries.Programme:
        """Create a programme with its fund account `benefits:<code>:fund`."""
        by = guard.principal().subject_id
        random_bytes = web.city().random_bytes
        return actions.create_programme(web.session(), **given, by=by, now=web.now(), random_bytes=random_bytes)


@blueprint.route("/cycles")
class Cycles(MethodView):
    @guard.requires(*_OFFICE)
    @blueprint.response(200, CycleSchema(many=True))
    def get(self) -> list[queries.Cycle]:
        """Every cycle, newest first, with what was claimed of it."""
        return queries.cycles(web.session())

    @guard.requires("benefits_officer")
    @blueprint.arguments(CycleDraftSchema)
    @blueprint.response(201, CycleSchema)
    @blueprint.fails(404)
    def post(self, given: dict[str, Any]) -> queries.Cycle:
        """Draft a cycle: everybody it pays and how much, with control totals. Nothing can be claimed yet."""
        return actions.draft_cycle(
            web.session(),
            programme_code=given["programme"],
            label=given["label"],
            lines=[rules.CycleLine(**line) for line in given["lines"]],
            count=given["count"],
            total_cents=given["total_cents"],
            claim_until=given["claim_until"],
            by=guard.principal().subject_id,
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )


@blueprint.route("/cycles/<uuid:cycle_id>/approval")
class Approvals(MethodView):
    @guard.requires("benefits_approver")
    @blueprint.arguments(transactions.PasswordSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(429)
    def post(self, given: dict[str, Any], cycle_id: UUID) -> dict[str, Any]:
        """Sign the cycle as it stands: its total moves from the fund to the reserve. Needs an Idempotency-Key."""
        by = guard.principal().subject_id
        return transactions.perform(
            lambda session: actions.approval_of(session, cycle_id, by=by, currency=CURRENCY),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=given["password"],
        )
