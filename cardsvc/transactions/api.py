"""The terminals' way in: signed batches and signed queries; receipts and the city's public keys for everybody."""

from typing import Any, Final
from uuid import UUID

from flask import Response, request
from flask.views import MethodView

from cardsvc import audit, web
from cardsvc.access import guard
from cardsvc.transactions import queries
from cardsvc.transactions.actions import (
    answer,
    refuse,
    settlement,
)
from cardsvc.transactions.performing import perform, taking
from cardsvc.transactions.schemas import (
    ActedSchema,
    BatchAnswerSchema,
    DisputeSchema,
    DisputeSearchSchema,
    DisputesSchema,
    QueryAnswerSchema,
    RecordStatusSchema,
    RefusalSchema,
    SettlementSchema,
)
from crypto.wire.reasons import TRANSIENT

blueprint = web.ApiBlueprint("transactions", __name__, url_prefix="/v1", description="Signed records, receipts")

_CBOR: Final = "application/cbor"
_SIGNED_BODY: Final = {"requestBody": {"required": True, "content": {_CBOR: {"schema": {}}}}}  # bytes, no JSON
_CODING: Final = {
    "name": "Content-Encoding",
    "in": "header",
    "schema": {"type": "string", "enum": ["identity", "gzip"]},
    "description": "gzip, where the body is sent compressed; at most 5 MB either way.",
}


@blueprint.route("/transactions")
class Transactions(MethodView):
    @guard.public
    @blueprint.doc(**_SIGNED_BODY, parameters=[_CODING])
    @blueprint.response(200, BatchAnswerSchema)
    @blueprint.fails(400, 401, 403, 413, 415, 422)
    def post(self) -> dict[str, Any]:
        """Send a terminal's signed batch (crypto/FORMATS.md). Sending it again changes nothing and answers the
        same, without balances.
        """
        taken = taking().take(web.body(), web.now())
        results = [
            {
                "record_id": result.record_id,
                "outcome": result.outcome,
                "reason": None if result.reason is None else result.reason.value,
                "detail": result.detail,
                "final": result.reason not in TRANSIENT,
                "replayed": result.replayed,
                # an item that is not in the log has none, even where the log has another record of its id
                "receipt": None
                if result.leaf_index is None or result.record_id is None
                else taken.receipts.get(result.record_id),
                "balance_cents": None if result.record_id is None else taken.left_cents.get(result.record_id),
            }
            for result in taken.answer.results
        ]
        return {"batch_id": taken.answer.batch_id, "answered_at": taken.at, "results": results}


@blueprint.route("/queries")
class Queries(MethodView):
    @guard.public
    @blueprint.doc(**_SIGNED_BODY)
    @blueprint.response(200, QueryAnswerSchema)
    @blueprint.fails(401, 403, 422)
    def post(self) -> dict[str, Any]:
        """Ask about the card that signed the query, through an enrolled terminal; answered once, within minutes."""
        return {
            "sections": answer(web.session(), request.get_data(), sections=web.city().handlers.sections, now=web.now())
        }


@blueprint.route("/receipts/<uuid:record_id>")
class Receipts(MethodView):
    @guard.public
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type=_CBOR)
    def get(self, record_id: UUID) -> Response:
        """The signed receipt of a record, for whoever knows its id: it names nobody and verifies offline."""
        return Response(queries.receipt(web.session(), web.city().vault, record_id), mimetype=_CBOR)


@blueprint.route("/keys")
class Keys(MethodView):
    @guard.public
    @blueprint.response(200, {"type": "string"}, content_type="text/plain")
    def get(self) -> Response:
        """The city's public keys: all that is needed to verify a receipt."""
        return Response(audit.city_keys(web.session(), web.city().vault).format(), mimetype="text/plain")


# ------------------------------------------------------------------------------------------------------------ disputes

_READERS = ("finance", "treasurer", "auditor")


@blueprint.route("/transactions/<uuid:record_id>")
class Status(MethodView):
    @guard.public
    @blueprint.response(200, RecordStatusSchema)
    def get(self, record_id: UUID) -> queries.Status:
        """What became of a record, for whoever knows its id, and whether finance settled it later."""
        return queries.status(web.session(), record_id)


@blueprint.route("/disputes")
class Disputes(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(DisputeSearchSchema, location="query")
    @blueprint.response(200, DisputesSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """Records that came too late or from the future, the oldest first."""
        found = queries.disputes(web.session(), **given)
        return {"disputes": found, "next": found[-1].record_id if len(found) == given["limit"] else None}


@blueprint.route("/disputes/<uuid:record_id>")
class OneDispute(MethodView):
    @guard.requires(*_READERS)
    @blueprint.response(200, DisputeSchema)
    def get(self, record_id: UUID) -> queries.DisputeView:
        """One disputed record."""
        return queries.dispute(web.session(), record_id)


@blueprint.route("/disputes/<uuid:record_id>/settlement")
class Settlement(MethodView):
    @guard.requires("finance", "treasurer")
    @blueprint.arguments(SettlementSchema)
    @blueprint.response(200, ActedSchema)
    @blueprint.keyed
    @blueprint.fails(404, 429)
    def post(self, given: dict[str, Any], record_id: UUID) -> dict[str, Any]:
        """Sign that the record counts: it is posted today under the id of this Idempotency-Key. Above PHP 1,000, and
        of what seems to be the twin of a record that counts, two people sign the action dispute.decide first.
        """
        by = guard.principal().subject_id
        return perform(
            lambda session: settlement(session, record_id, reason=given["reason"], by=by),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=given["password"],
        )


@blueprint.route("/disputes/<uuid:record_id>/refusal")
class Refusal(MethodView):
    @guard.requires("finance", "treasurer")
    @blueprint.arguments(RefusalSchema)
    @blueprint.response(200, DisputeSchema)
    @blueprint.fails(404)
    def post(self, given: dict[str, Any], record_id: UUID) -> queries.DisputeView:
        """Say that the record does not count, and why. Above PHP 1,000 two people sign dispute.decide instead."""
        by = guard.principal().subject_id
        return refuse(web.session(), record_id, reason=given["reason"], by=by, now=web.now())
