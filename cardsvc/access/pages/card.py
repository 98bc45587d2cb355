"""Signing in with a card in a browser: over to the agent beside the reader, and back with what the card signed.

What comes back is posted by the agent's page, which is another site: it carries no form token of ours, and needs none.
A sign-in is bound to the browser that began it by a cookie, an action by the card's own signature.
"""

import base64
import binascii
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.access.pages.sign_in import ROOM, local, welcome
from cardsvc.access.rules import CHALLENGE_VALIDITY

blueprint = Blueprint("access_card", __name__, root_path=ROOM, template_folder="templates")


@blueprint.get("/sign-in/card")
@guard.public
def to_agent() -> BaseResponse:
    """Send the browser to the agent with a nonce; the binding stays here, in a cookie."""
    challenge = guard.card_challenge(_bytes(request.cookies.get(_cookie(), "")))
    asked = {"nonce": _text(challenge.nonce), "next": local(request.args.get("next", ""))}
    response = redirect(f"{web.city().settings.sign_in.agent_url}/sign-in?{urlencode(asked)}")
    _set_binding(response, _text(challenge.binding))
    return response


@blueprint.post("/sign-in/card")
@guard.public
def from_agent() -> Response:
    try:
        made = guard.sign_in_with_card(_bytes(request.cookies.get(_cookie(), "")), request.form.get("token", ""))
    except (access.ChallengeGone, access.CardNotAccepted, access.CardIsNobodys) as error:
        return _refused(str(error), 401)
    except access.MalformedToken as error:
        return _refused(str(error), 422)
    except access.DemoCredentialsRefused as error:
        return _refused(str(error), 403)
    response = welcome(made, request.form.get("next", ""))
    response.delete_cookie(_cookie(), path="/", secure=web.city().settings.is_https, httponly=True)
    return response


def _refused(why: str, status: int) -> Response:
    return make_response(render_template("access/card_refused.html", why=why), status)


def _set_binding(response: BaseResponse, text: str) -> None:
    # The agent posts back from another site than an https city: only a cookie without SameSite comes along then.
    https = web.city().settings.is_https
    response.set_cookie(
        _cookie(),
        text,
        max_age=int(CHALLENGE_VALIDITY.total_seconds()),
        path="/",
        secure=https,
        httponly=True,
        samesite="None" if https else "Lax",
    )


def _cookie() -> str:
    return "__Host-city-card" if web.city().settings.is_https else "city-card"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"=")
    except (binascii.Error, ValueError):
        return b""
