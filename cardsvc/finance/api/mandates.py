"""Automatic top-ups over HTTP: mandates of one's own, and those that staff take down for the holder."""

from typing import Any, Final
from uuid import UUID

from flask.views import MethodView

from cardsvc import wallets, web
from cardsvc.access import guard
from cardsvc.finance import queries
from cardsvc.finance.actions import mandates
from cardsvc.finance.rules.mandates import Mandate, NoMandate
from cardsvc.finance.schemas.mandates import ConsentedMandateSchema, MandateSchema, MandateTermsSchema

own_blueprint = web.ApiBlueprint("own_mandates", __name__, url_prefix="/v1/me", description="One's automatic top-up")
blueprint = web.ApiBlueprint("mandates", __name__, url_prefix="/v1/wallets", description="Automatic top-ups")
_WRITERS: Final = ("finance", "cashier")


def own_wallet() -> UUID:
    """The wallet of the resident who asks. Raises: wallets.WalletNotFound."""
    return wallets.of_resident(web.session(), guard.principal().subject_id).id


@own_blueprint.route("/top-up-mandate")
class OwnMandate(MethodView):
    @guard.resident_only
    @own_blueprint.response(200, MandateSchema)
    @own_blueprint.fails(404)
    def get(self) -> Mandate:
        """How one's own wallet is topped up by itself."""
        return _found(own_wallet())

    @guard.resident_only
    @own_blueprint.arguments(MandateTermsSchema)
    @own_blueprint.response(201, MandateSchema)
    @own_blueprint.fails(404, 422)
    def post(self, given: dict[str, Any]) -> Mandate:
        """Let one's own wallet be topped up from one of its purses, instead of as before."""
        return give(own_wallet(), given, consent="")

    @guard.resident_only
    @own_blueprint.response(204)
    @own_blueprint.fails(404)
    def delete(self) -> None:
        """Take the mandate back: from now on nothing is done by it."""
        mandates.end_mandate(web.session(), own_wallet(), by=guard.principal().subject_id, now=web.now())


@blueprint.route("/<uuid:wallet_id>/top-up-mandate")
class OneMandate(MethodView):
    @guard.requires("finance", "treasurer", "auditor", "cashier")
    @blueprint.response(200, MandateSchema)
    def get(self, wallet_id: UUID) -> Mandate:
        """How a wallet is topped up by itself."""
        return _found(wallet_id)

    @guard.requires(*_WRITERS)
    @blueprint.arguments(ConsentedMandateSchema)
    @blueprint.response(201, MandateSchema)
    @blueprint.fails(422)
    def post(self, given: dict[str, Any], wallet_id: UUID) -> Mandate:
        """Take down what the holder agreed to, and how that is known."""
        if not wallets.by_ids(web.session(), [wallet_id]):
            raise wallets.UnknownWallet
        return give(wallet_id, given, consent=given.pop("consent"))

    @guard.requires(*_WRITERS)
    @blueprint.response(204)
    def delete(self, wallet_id: UUID) -> None:
        """Take the mandate back for the holder."""
        mandates.end_mandate(web.session(), wallet_id, by=guard.principal().subject_id, now=web.now())


def give(wallet_id: UUID, given: dict[str, Any], *, consent: str) -> Mandate:
    """Write the mandate down as whoever asks. Raises: UnfitMandate."""
    return mandates.give_mandate(
        web.session(),
        wallet_id,
        **given,
        by=guard.principal().subject_id,
        consent=consent,
        now=web.now(),
        random_bytes=web.city().random_bytes,
    )


def _found(wallet_id: UUID) -> Mandate:
    mandate = queries.mandate_of(web.session(), wallet_id)
    if mandate is None:
        raise NoMandate
    return mandate
