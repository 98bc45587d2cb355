"""Actions of two: proposed, signed by two, done or withdrawn."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.access.rules import Role
from cardsvc.access.schemas import (
    ActionSchema,
    ActionSearchSchema,
    ActionSignatureSchema,
    ActionsSchema,
    ProposalSchema,
)


def make_actions(handlers: access.ActionHandlers) -> web.ApiBlueprint:
    """The actions whose kinds are among the handlers."""
    blueprint = web.ApiBlueprint("actions", __name__, url_prefix="/v1/actions", description="What two people do")

    @blueprint.route("")
    class Actions(MethodView):
        @guard.requires(*Role)
        @blueprint.arguments(ProposalSchema)
        @blueprint.response(201, ActionSchema)
        @blueprint.fails(422)
        def post(self, given: dict[str, Any]) -> access.ActionView:
            """Propose an action. It says itself what it means (`summary`); nothing is done before two have signed."""
            handler = handlers.get(given["kind"])
            if handler is None or handler.describe is None:
                raise access.UnknownActionKind(given["kind"])
            session = web.session()
            return access.propose(
                session,
                handler,
                given["payload"],
                handler.describe(session, given["payload"]),
                by=guard.principal().subject_id,
                now=web.now(),
                random_bytes=web.city().random_bytes,
            )

        @guard.requires(*Role)
        @blueprint.arguments(ActionSearchSchema, location="query")
        @blueprint.response(200, ActionsSchema)
        def get(self, given: dict[str, Any]) -> dict[str, Any]:
            """Actions, the newest first."""
            return {"actions": access.all_actions(web.session(), web.now(), waiting=given["waiting"])}

    _add_one(blueprint, handlers)
    return blueprint


def _add_one(blueprint: web.ApiBlueprint, handlers: access.ActionHandlers) -> None:
    @blueprint.route("/<uuid:action_id>")
    class OneAction(MethodView):
        @guard.requires(*Role)
        @blueprint.response(200, ActionSchema)
        def get(self, action_id: UUID) -> access.ActionView:
            """One action, with the bytes to sign."""
            return access.action(web.session(), action_id, web.now())

        @guard.requires(*Role)
        @blueprint.response(200, ActionSchema)
        def delete(self, action_id: UUID) -> access.ActionView:
            """Withdraw it, or say no to it."""
            by = guard.principal().subject_id
            return access.withdraw_action(web.session(), handlers, action_id, by=by, now=web.now())

    @blueprint.route("/<uuid:action_id>/signatures")
    class ActionSignatures(MethodView):
        @guard.requires(*Role)
        @blueprint.arguments(ActionSignatureSchema)
        @blueprint.response(201, ActionSchema)
        @blueprint.fails(422)
        def post(self, given: dict[str, Any], action_id: UUID) -> access.ActionView:
            """Sign an action: with the signature of one's card (9C), or with the password that opens one's own key. The
            second person's signature does what the action says.
            """
            return guard.sign_action(handlers, action_id, signature=given["signature"], password=given["password"])
