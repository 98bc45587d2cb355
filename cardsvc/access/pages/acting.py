"""Actions of two in a browser: a list, and one page for each, where it is signed or taken back."""

import base64
import binascii
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.access.pages.sign_in import ROOM
from cardsvc.access.rules import WAITING, Role
from cardsvc.errors import CityError
from crypto import cose
from crypto.errors import CryptoError


def make_actions(handlers: access.ActionHandlers) -> tuple[Blueprint, Blueprint]:
    """The pages, and the place where the agent's page brings a card's signature."""
    pages = web.PageBlueprint("action_pages", __name__, root_path=ROOM, url_prefix="/actions")
    cards = Blueprint("action_cards", __name__, root_path=ROOM, url_prefix="/actions")
    _add_pages(pages, handlers)
    _add_card(cards, handlers)
    return pages, cards


def _add_pages(pages: web.PageBlueprint, handlers: access.ActionHandlers) -> None:
    @pages.get("")
    @guard.requires(*Role)
    def listed() -> str:
        return render_template("access/actions.html", actions=access.all_actions(web.session(), web.now()))

    @pages.get("/<uuid:action_id>")
    @guard.requires(*Role)
    def shown(action_id: UUID) -> str:
        return _page(handlers, action_id, "")

    @pages.post("/<uuid:action_id>/sign")
    @guard.requires(*Role)
    def sign_by_password(action_id: UUID) -> BaseResponse:
        password = request.form.get("password", "")
        if not password:
            return make_response(_page(handlers, action_id, gettext("Enter your password.")), 422)
        try:
            guard.sign_action(handlers, action_id, signature=None, password=password)
        except access.WrongPassword:
            raise  # the guard counts it
        except CityError as error:
            web.session().rollback()
            return make_response(_page(handlers, action_id, str(error)), 409)
        return redirect(f"/actions/{action_id}")

    @pages.post("/<uuid:action_id>/withdraw")
    @guard.requires(*Role)
    def withdraw(action_id: UUID) -> BaseResponse:
        by = guard.principal().subject_id
        access.withdraw_action(web.session(), handlers, action_id, by=by, now=web.now())
        return redirect(f"/actions/{action_id}")


def _add_card(cards: Blueprint, handlers: access.ActionHandlers) -> None:
    @cards.post("/<uuid:action_id>/card")
    @guard.public
    def sign_by_card(action_id: UUID) -> BaseResponse:
        """Who signs is whose card it is: the signature shows it, no cookie need come along."""
        signature, session = _signature(), web.session()
        try:
            kid = cose.parse(signature).kid
            signer = access.staff_by_key(session, [kid]).get(kid)
            if signer is None:
                raise access.NotYourSignature
            access.sign_action(session, handlers, action_id, by=signer.staff_id, signature=signature, now=web.now())
        except (CityError, CryptoError) as error:
            session.rollback()
            return _refused(str(error))
        return redirect(f"/actions/{action_id}")


def _refused(why: str) -> Response:
    return make_response(render_template("access/card_refused.html", why=why, home="/actions"), 422)


def _page(handlers: access.ActionHandlers, action_id: UUID, refused: str) -> str:
    found = access.action(web.session(), action_id, web.now())
    asker, handler = guard.principal(), handlers.get(found.kind)
    approver = handler is not None and bool(handler.approver_roles & asker.roles)
    is_proposer = asker.subject_id == found.proposed_by
    waiting = found.state in WAITING
    my_turn = waiting and (is_proposer if not found.signatures else approver and not is_proposer)
    to_agent = urlencode({"action": base64.urlsafe_b64encode(found.action_bytes).rstrip(b"=").decode()})
    return render_template(
        "access/action.html",
        action=found,
        rows=_rows(found.payload),
        refused=refused,
        fields=[web.Field("password", gettext("Password"), "password", autocomplete="current-password")],
        my_turn=my_turn,
        may_withdraw=waiting and (is_proposer or approver),
        agent=f"{web.city().settings.sign_in.agent_url}/sign-action?{to_agent}",
    )


def _rows(payload: Any) -> list[tuple[str, str]]:
    return [(str(name).replace("_", " "), _shown(value)) for name, value in payload.items()]


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    return str(value)


def _signature() -> bytes:
    text = request.form.get("signature", "").encode("ascii", "replace")
    try:
        return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
