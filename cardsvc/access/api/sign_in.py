"""Signing in by program: by password, or the Web eID way by card. And the sign-ins that run."""

from typing import Any

from flask.views import MethodView

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.access.rules import Kind
from cardsvc.access.schemas import CardSignInSchema, ChallengeSchema, OwnSignInsSchema, SignedInSchema, SignInSchema


def add(blueprint: web.ApiBlueprint) -> None:
    _add_password(blueprint)
    _add_card(blueprint)
    _add_own(blueprint)


def _add_password(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/sign-in")
    class SignIn(MethodView):
        @guard.public
        @blueprint.arguments(SignInSchema)
        @blueprint.response(201, SignedInSchema)
        @blueprint.fails(401, 403, 429)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """Sign in. Wrong names and wrong passwords answer alike; ten in 15 minutes close the name for a while."""
            return _shown(guard.sign_in(given["username"], given["password"]))

        @guard.signed_in
        @blueprint.response(204)
        def delete(self) -> None:
            """Sign out: the token counts no more."""
            guard.sign_out()


def _add_card(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/sign-in/challenges")
    class Challenges(MethodView):
        @guard.public
        @blueprint.response(201, ChallengeSchema)
        @blueprint.fails(403)
        def post(self) -> access.OpenChallenge:
            """A nonce for a card to sign, good once and for five minutes, and the binding to send back with it."""
            return guard.open_challenge(access.Purpose.CARD)

    @blueprint.route("/sign-in/card")
    class CardSignIn(MethodView):
        @guard.public
        @blueprint.arguments(CardSignInSchema)
        @blueprint.response(201, SignedInSchema)
        @blueprint.fails(401, 403)
        def post(self, given: dict[str, Any]) -> dict[str, Any]:
            """Sign in with a card: the token holds its certificate and its signature over this city's origin and the
            nonce. The nonce is used up whatever comes of it.
            """
            return _shown(guard.sign_in_with_card(given["binding"], given["token"]))


def _add_own(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/me/sign-ins")
    class SignIns(MethodView):
        @guard.signed_in
        @blueprint.response(200, OwnSignInsSchema)
        def get(self) -> dict[str, Any]:
            """One's own sign-ins that still count."""
            now = web.now()
            return {"sign_ins": access.sign_ins_of(web.session(), guard.principal().subject_id, now)}

        @guard.signed_in
        @blueprint.response(204)
        def delete(self) -> None:
            """Sign out everywhere, here too."""
            access.end_sign_ins(web.session(), guard.principal().subject_id)

    @blueprint.route("/me/sign-ins/<string:handle>")
    class OneSignIn(MethodView):
        @guard.signed_in
        @blueprint.response(204)
        def delete(self, handle: str) -> None:
            """End one of one's own sign-ins."""
            access.end_sign_in(web.session(), guard.principal().subject_id, handle)


def _shown(made: access.SignedIn) -> dict[str, Any]:
    asker = made.principal
    return {
        "token": made.token,
        "expires_at": made.expires_at,
        "username": asker.username,
        "roles": sorted(asker.roles),
        "staff_id": asker.subject_id if asker.kind is Kind.STAFF else None,
    }
