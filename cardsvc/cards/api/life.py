"""What the counter does step by step, and what officers do to a card in use."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.cards import actions, queries
from cardsvc.cards.api.common import COUNTER, OFFICER, asker, blueprint
from cardsvc.cards.rules import CONSEQUENCES
from cardsvc.cards.schemas.life import (
    CardListSchema,
    CardPageSchema,
    CardReasonSchema,
    CardSchema,
    CardWithHistorySchema,
    ConsequencesSchema,
    IssuedSchema,
    OrderSchema,
    PresenceSchema,
    ProofsSchema,
    ReadbackSchema,
    ReplacementSchema,
    ResumptionSchema,
    RevocationSchema,
    SignatureSchema,
    proofs,
    shown,
    shown_issued,
    shown_page,
    shown_with_history,
)


@blueprint.route("")
class Cards(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(OrderSchema)
    @blueprint.response(201, CardSchema)
    @blueprint.fails(404)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Order a card. While an order for the resident is on its way, the answer is that order."""
        return shown(
            actions.request(web.session(), **given, by=asker(), now=web.now(), random_bytes=web.city().random_bytes)
        )

    @guard.requires(*COUNTER)
    @blueprint.arguments(CardListSchema, location="query")
    @blueprint.response(200, CardPageSchema)
    def get(self, given: dict[str, Any]) -> dict[str, Any]:
        """Every card of a resident, newest first; or cards by state, in pages."""
        if given["resident_id"] is not None:
            mine = queries.of_resident(web.session(), given["resident_id"])
            return shown_page(queries.CardPage(mine, None))
        del given["resident_id"]
        return shown_page(queries.listed(web.session(), **given))


@blueprint.route("/<uuid:card_id>")
class OneCard(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.response(200, CardWithHistorySchema)
    def get(self, card_id: UUID) -> dict[str, Any]:
        """A card and its history."""
        session = web.session()
        return shown_with_history(queries.find(session, card_id), queries.history(session, card_id))


@blueprint.route("/<uuid:card_id>/approval")
class Approval(MethodView):
    @guard.requires(OFFICER)
    @blueprint.response(200, CardSchema)
    def post(self, card_id: UUID) -> dict[str, Any]:
        """Approve an order; never one's own."""
        return shown(actions.approve(web.session(), card_id, by=asker(), now=web.now()))


@blueprint.route("/<uuid:card_id>/certificates")
class Certificates(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(ProofsSchema)
    @blueprint.response(200, IssuedSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """Certify the keys the card made, each with its proof. The same keys again: the same certificates."""
        city, shown_keys = web.city(), proofs(given["keys"])
        return shown_issued(
            actions.certify(
                web.session(), city.vault, card_id, shown_keys, now=web.now(), random_bytes=city.random_bytes
            )
        )


@blueprint.route("/<uuid:card_id>/readback")
class Readback(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(ReadbackSchema)
    @blueprint.response(200, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """Report that everything was read back; 9E signed for it. The card is ready."""
        return shown(
            actions.report_ready(
                web.session(),
                card_id,
                given["signature"],
                by=asker(),
                now=web.now(),
                management_key=given["management_key"],
                production=web.city().settings.is_production,
            )
        )


@blueprint.route("/<uuid:card_id>/handover")
class Handover(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(SignatureSchema)
    @blueprint.response(200, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """Hand the card over: the holder set the PIN and 9C signed with it. The card is active."""
        return shown(actions.hand_over(web.session(), card_id, given["signature"], by=asker(), now=web.now()))


@blueprint.route("/<uuid:card_id>/verification")
class Verification(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(PresenceSchema)
    @blueprint.response(200, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """Verify that the card in the reader is this card and in force: 9E signed a fresh challenge."""
        return shown(
            actions.verify_presence(web.session(), card_id, given["challenge"], given["signature"], now=web.now())
        )


@blueprint.route("/<uuid:card_id>/suspension")
class Suspension(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(CardReasonSchema)
    @blueprint.response(200, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """Block the card at once, until it is resumed."""
        return shown(actions.suspend(web.session(), card_id, reason=given["reason"], by=asker(), now=web.now()))


@blueprint.route("/<uuid:card_id>/resumption")
class Resumption(MethodView):
    @guard.requires(OFFICER)
    @blueprint.arguments(ResumptionSchema)
    @blueprint.response(200, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """Let a suspended card be used again; the officer states that the holder has it."""
        return shown(actions.resume(web.session(), card_id, by=asker(), now=web.now(), **given))


@blueprint.route("/<uuid:card_id>/revocation")
class Revocation(MethodView):
    @guard.requires(OFFICER)
    @blueprint.arguments(RevocationSchema)
    @blueprint.response(200, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """End the card for good."""
        return shown(
            actions.revoke(
                web.session(), card_id, reason=given["reason"], by=asker(), now=web.now(), note=given["note"]
            )
        )


@blueprint.route("/<uuid:card_id>/renewal")
class Renewal(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.response(201, CardSchema)
    def post(self, card_id: UUID) -> dict[str, Any]:
        """Order the successor of a card that ends soon; the card stays good until the successor is handed over."""
        city = web.city()
        return shown(
            actions.renew(
                web.session(),
                card_id,
                window_days=city.settings.cards.renewal_days,
                by=asker(),
                now=web.now(),
                random_bytes=city.random_bytes,
            )
        )


@blueprint.route("/<uuid:card_id>/replacement")
class Replacement(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.arguments(ReplacementSchema)
    @blueprint.response(201, CardSchema)
    def post(self, given: dict[str, Any], card_id: UUID) -> dict[str, Any]:
        """End a card at once and order the one in its place; the answer is that order."""
        return shown(
            actions.replace(
                web.session(),
                card_id,
                reason=given["reason"],
                note=given["note"],
                identity_checked=given["identity_checked"],
                by=asker(),
                now=web.now(),
                random_bytes=web.city().random_bytes,
            )
        )


@blueprint.route("/consequences")
class Consequences(MethodView):
    @guard.requires(*COUNTER)
    @blueprint.response(200, ConsequencesSchema)
    def get(self) -> dict[str, Any]:
        """What follows when a card ends, by reason: for the card, the wallet, a new order, and who has to know."""
        return {"consequences": CONSEQUENCES.values()}


@blueprint.route("/<uuid:card_id>/destruction")
class Destruction(MethodView):
    @guard.requires(OFFICER)
    @blueprint.response(200, CardSchema)
    def post(self, card_id: UUID) -> dict[str, Any]:
        """Note that the stopped card was cut up."""
        return shown(actions.destroy(web.session(), card_id, by=asker(), now=web.now()))
