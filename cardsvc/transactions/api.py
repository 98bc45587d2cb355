"""The terminals' way in: signed batches and signed queries; receipts and the city's public keys for everybody."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from flask import Response, request
from flask.views import MethodView
from sqlalchemy.orm import Session

from cardsvc import audit, db, web
from cardsvc.access import guard
from cardsvc.transactions import queries
from cardsvc.transactions.actions import BatchAnswer, Desk, ItemResult, accept, act, answer
from cardsvc.transactions.schemas import BatchAnswerSchema, QueryAnswerSchema
from crypto.wire.body import Body

blueprint = web.ApiBlueprint("transactions", __name__, url_prefix="/v1", description="Signed records, receipts")

_CBOR: Final = "application/cbor"
_SIGNED_BODY: Final = {"requestBody": {"required": True, "content": {_CBOR: {"schema": {}}}}}  # bytes, no JSON


def desk() -> Desk:
    """What this request's city accepts with."""
    city = web.city()
    return Desk(city.handlers.registry, city.vault, city.random_bytes)


def perform(make: Callable[[Session], Body], *, record_id: UUID, staff_id: UUID, password: str) -> dict[str, Any]:
    """Let the staff member who asks sign and send what `make` returns; the answer is for `ActedSchema`.

    A unit of its own, because a rejection must stay stored although the caller is told no: do not use `web.session()`
    before it in the same request.
    """
    city, now = web.city(), web.now()

    def work(session: Session) -> ItemResult:
        body = make(session)
        return act(session, body, record_id=record_id, staff_id=staff_id, password=password, desk=desk(), now=now)

    result = db.run(city.engine, work)
    db.run(city.engine, lambda session: audit.publish(session, city.vault, now))
    return {
        "record_id": record_id,
        "outcome": result.outcome,
        "reason": None if result.reason is None else result.reason.value,
        "detail": result.detail,
        "replayed": result.replayed,
    }


@blueprint.route("/transactions")
class Transactions(MethodView):
    @guard.public
    @blueprint.doc(**_SIGNED_BODY)
    @blueprint.response(200, BatchAnswerSchema)
    @blueprint.fails(401, 403, 422)
    def post(self) -> dict[str, Any]:
        """Send a terminal's signed batch (crypto/FORMATS.md). Sending it again changes nothing and answers the same."""
        city, now, raw = web.city(), web.now(), request.get_data()
        accepted = db.run(city.engine, lambda session: accept(session, raw, desk=desk(), now=now))
        # If we stop here the work is done and no checkpoint covers it yet: the next publication, or the same batch sent
        # again, makes up for it.
        db.run(city.engine, lambda session: audit.publish(session, city.vault, now))
        return db.run(city.engine, lambda session: _answer(session, accepted), read_only=True)


def _answer(session: Session, accepted: BatchAnswer) -> dict[str, Any]:
    logged = [r.record_id for r in accepted.results if r.record_id is not None and r.leaf_index is not None]
    receipts = queries.receipts(session, web.city().vault, list(dict.fromkeys(logged)))
    results = [
        {
            "record_id": result.record_id,
            "outcome": result.outcome,
            "reason": None if result.reason is None else result.reason.value,
            "detail": result.detail,
            "replayed": result.replayed,
            # an item that is not in the log has none, even where the log has another record of its id
            "receipt": None
            if result.leaf_index is None or result.record_id is None
            else receipts.get(result.record_id),
        }
        for result in accepted.results
    ]
    return {"batch_id": accepted.batch_id, "results": results}


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
        return Response(web.city().vault.city_keys().format(), mimetype="text/plain")
