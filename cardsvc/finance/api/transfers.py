"""Bank transfers over HTTP: the reference of a wallet, what came in, whose it is."""

from functools import partial
from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import db, transactions, wallets, web
from cardsvc.access import guard
from cardsvc.finance import performing, queries
from cardsvc.finance.actions import transfers
from cardsvc.finance.schemas.transfers import (
    OwnReferenceSchema,
    TransferAssignmentSchema,
    TransferLinesSchema,
    TransfersSchema,
    TransfersTakenSchema,
)

blueprint = web.ApiBlueprint("transfers", __name__, url_prefix="/v1/finance/transfers", description="Bank transfers")
own_blueprint = web.ApiBlueprint("own_top_up", __name__, url_prefix="/v1/me", description="One's own top-ups")


@own_blueprint.route("/top-up-reference")
class OwnReference(MethodView):
    @guard.resident_only
    @own_blueprint.response(200, OwnReferenceSchema)
    @own_blueprint.fails(404)
    def get(self) -> dict[str, str]:
        """What to write into a bank transfer so that it is credited to one's own wallet."""
        mine = wallets.of_resident(web.session(), guard.principal().subject_id)
        reference = wallets.reference_of(mine.id)
        return {"reference": reference, "printed": wallets.spaced(reference)}


@blueprint.route("")
class Transfers(MethodView):
    @guard.requires("finance", "treasurer", "auditor")
    @blueprint.response(200, TransfersSchema)
    def get(self) -> dict[str, Any]:
        """Lines with a top-up reference that are to be signed in, and transfers that wait for staff."""
        session = web.session()
        return {"incoming": queries.incoming(session), "waiting": queries.waiting(session)}

    @guard.requires("finance", "treasurer")
    @blueprint.arguments(TransferLinesSchema)
    @blueprint.response(200, TransfersTakenSchema)
    @blueprint.fails(404, 429)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Sign lines of a statement in, each a record with a receipt: into the wallet whose reference the line carries,
        or where nobody's is, to wait. A line is credited once, however often it is sent: it is its own key.
        """
        by = guard.principal().subject_id
        results = performing.take_in(given["line_ids"], staff_id=by, password=given["password"])
        left = db.run(web.city().engine, queries.incoming, read_only=True)
        return {"results": results, "left": len(left)}


@blueprint.route("/<uuid:transfer_id>/assignment")
class Assignment(MethodView):
    @guard.requires("finance", "treasurer")
    @blueprint.arguments(TransferAssignmentSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(422, 429)
    def post(self, given: dict[str, Any], transfer_id: UUID) -> dict[str, Any]:
        """Sign whose a transfer is that waits; above PHP 1,000 not by who took it in. Needs an Idempotency-Key."""
        by = guard.principal().subject_id
        make = partial(
            transfers.assignment,
            waiting_id=transfer_id,
            wallet_id=given["wallet_id"],
            reason=given["reason"],
            by=by,
        )
        return transactions.perform(make, record_id=web.idempotency_key(), staff_id=by, password=given["password"])
