"""Claims over HTTP: riders open them and read the answer, finance decides."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import transactions, wallets, web
from cardsvc.access import guard
from cardsvc.transit.claims import actions, queries
from cardsvc.transit.claims.queries import ClaimView
from cardsvc.transit.claims.schemas import (
    ClaimRefundSchema,
    ClaimRefusalSchema,
    ClaimSchema,
    ClaimSearchSchema,
    ClaimsSchema,
    OpenedClaimSchema,
    OwnClaimSearchSchema,
    StaffClaimSchema,
    StaffClaimsSchema,
)
from cardsvc.transit.rules import claiming

own_blueprint = web.ApiBlueprint("own_claims", __name__, url_prefix="/v1/me/claims", description="A rider's claims")
blueprint = web.ApiBlueprint("claims", __name__, url_prefix="/v1/transit/claims", description="Riders' claims")
READERS = ("finance", "treasurer", "auditor")
DECIDERS = ("finance", "treasurer")
_A_PAGE = 100


def own_wallet() -> UUID:
    """The wallet of the resident who asks. Raises: wallets.WalletNotFound."""
    return wallets.of_resident(web.session(), guard.principal().subject_id).id


@own_blueprint.route("")
class OwnClaims(MethodView):
    @guard.resident_only
    @own_blueprint.arguments(OwnClaimSearchSchema, location="query")
    @own_blueprint.response(200, ClaimsSchema)
    @own_blueprint.fails(404)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """One's own claims, the oldest first."""
        found = queries.claims(
            web.session(), state=claiming.ALL, wallet_id=own_wallet(), after=given["after"], limit=_A_PAGE
        )
        return {"claims": found, "next": found[-1].id if len(found) == _A_PAGE else None}

    @guard.resident_only
    @own_blueprint.arguments(OpenedClaimSchema)
    @own_blueprint.response(201, ClaimSchema)
    @own_blueprint.fails(404, 422)
    def post(self, given: dict[str, Any]) -> ClaimView:
        """Say that a ride was charged wrongly: not mine, another stop, or no gate noticed that I left."""
        return actions.open_claim(
            web.session(),
            given["ride_id"],
            given["reason"],
            stop_id=given["stop_id"],
            said=given["said"],
            wallet_id=own_wallet(),
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )


@blueprint.route("")
class Claims(MethodView):
    @guard.requires(*READERS)
    @blueprint.arguments(ClaimSearchSchema, location="query")
    @blueprint.response(200, StaffClaimsSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """Claims in a state, the oldest first."""
        found = queries.claims(web.session(), **given)
        return {"claims": found, "next": found[-1].id if len(found) == given["limit"] else None}


@blueprint.route("/<uuid:claim_id>")
class OneClaim(MethodView):
    @guard.requires(*READERS)
    @blueprint.response(200, StaffClaimSchema)
    def get(self, claim_id: UUID) -> ClaimView:
        """One claim, and what its ride comes to now."""
        return queries.claim(web.session(), claim_id)


@blueprint.route("/<uuid:claim_id>/refund")
class ClaimRefund(MethodView):
    @guard.requires(*DECIDERS)
    @blueprint.arguments(ClaimRefundSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(404, 422, 429)
    def post(self, given: dict[str, Any], claim_id: UUID) -> dict[str, Any]:
        """Sign that so much of the ride goes back, under the id of this Idempotency-Key. Above PHP 50 two people sign
        the action transit.refund first.
        """
        by = guard.principal().subject_id
        return transactions.perform(
            lambda session: actions.refund(session, claim_id, given["fare_cents"], reason=given["reason"], by=by),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=given["password"],
        )


@blueprint.route("/<uuid:claim_id>/refusal")
class ClaimRefusal(MethodView):
    @guard.requires(*DECIDERS)
    @blueprint.arguments(ClaimRefusalSchema)
    @blueprint.response(200, StaffClaimSchema)
    @blueprint.fails(404, 422)
    def post(self, given: dict[str, Any], claim_id: UUID) -> ClaimView:
        """Say that the charge stays, and why: the rider reads it."""
        by = guard.principal().subject_id
        return actions.refuse(web.session(), claim_id, reason=given["reason"], by=by, now=web.now())
