"""Staff and the cards that stand for them."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.access.rules import StaffId
from cardsvc.access.schemas import BindCardSchema, BoundCardSchema, BoundCardsSchema, ChallengeSchema, StaffListSchema

_BINDERS = ("admin", "card_officer")


def make_staff(card_in_use: access.CardInUse) -> web.ApiBlueprint:
    """`card_in_use` says whether a card is active: cards stand above this room."""
    blueprint = web.ApiBlueprint("staff", __name__, url_prefix="/v1/staff", description="Staff and their cards")

    @blueprint.route("")
    class Staff(MethodView):
        @guard.requires(*_BINDERS)
        @blueprint.response(200, StaffListSchema)
        def get(self) -> dict[str, Any]:
            """Everybody who works here."""
            return {"staff": access.all_staff(web.session())}

    _add_cards(blueprint, card_in_use)
    return blueprint


def _add_cards(blueprint: web.ApiBlueprint, card_in_use: access.CardInUse) -> None:
    @blueprint.route("/<uuid:staff_id>/cards/challenges")
    class CardChallenges(MethodView):
        @guard.requires(*_BINDERS)
        @blueprint.response(201, ChallengeSchema)
        def post(self, staff_id: UUID) -> access.OpenChallenge:
            """A nonce for the two keys of a card that is to stand for this member of staff."""
            return guard.open_challenge(access.Purpose.BIND_CARD, subject_id=staff_id)

    @blueprint.route("/<uuid:staff_id>/cards")
    class Cards(MethodView):
        @guard.requires(*_BINDERS)
        @blueprint.arguments(BindCardSchema)
        @blueprint.response(201, BoundCardSchema)
        @blueprint.fails(422, 429)
        def post(self, given: dict[str, Any], staff_id: UUID) -> access.BoundCard:
            """Bind a card: 9A and 9C both signed the nonce, the card and the person, who enters their password, whoever
            binds it: the card signs in their name from now on.
            """
            return _bind(given, StaffId(staff_id), card_in_use)

        @guard.requires(*_BINDERS)
        @blueprint.response(200, BoundCardsSchema)
        def get(self, staff_id: UUID) -> dict[str, Any]:
            """The cards that stand, or stood, for a member of staff."""
            return {"cards": access.cards_of_staff(web.session(), staff_id, unbound_too=True)}

    @blueprint.route("/<uuid:staff_id>/cards/<uuid:binding_id>")
    class OneCard(MethodView):
        @guard.requires(*_BINDERS)
        @blueprint.response(204)
        def delete(self, staff_id: UUID, binding_id: UUID) -> None:
            """Take a card away: its sign-ins end, its signatures count no more from now on. Somebody else's takes an
            administrator, after whose word the password signs in again, also where the card was stopped before.
            """
            asker = guard.principal()
            by_admin = "admin" in asker.roles
            if not by_admin and asker.subject_id != staff_id:
                raise guard.NotAllowed(["admin"])
            access.unbind_card(web.session(), staff_id, binding_id, web.now(), by_admin=by_admin)


def _bind(given: dict[str, Any], staff_id: StaffId, card_in_use: access.CardInUse) -> access.BoundCard:
    city, now, asker = web.city(), web.now(), guard.principal()
    nonce = guard.take_challenge(access.Purpose.BIND_CARD, given["binding"], subject_id=staff_id).nonce
    if given["password"] is None:
        raise access.MayNotBind
    guard.check_holder(staff_id, given["password"])
    proof = access.CardProof(
        given["sign_in_certificate"],
        given["signature_certificate"],
        given["sign_in_proof"],
        given["signature_proof"],
    )
    return access.bind_card(
        web.session(),
        staff_id,
        proof,
        nonce=nonce,
        authorities=city.vault.certificates("card-ca"),
        card_in_use=card_in_use,
        by=asker.subject_id,
        now=now,
        random_bytes=city.random_bytes,
    )
