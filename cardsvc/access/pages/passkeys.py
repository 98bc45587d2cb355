"""Passkeys in a browser: the one page of ours that needs its script, because WebAuthn is one."""

import base64
import binascii
from uuid import UUID

from flask import Response, make_response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.access.pages.sign_in import local, welcome
from cardsvc.access.rules import Purpose

_PATH = "/account/passkeys"


def add(blueprint: web.PageBlueprint) -> None:
    _add_signing_in(blueprint)
    _add_own(blueprint)


def _add_signing_in(blueprint: web.PageBlueprint) -> None:
    @blueprint.get("/sign-in/passkey")
    @guard.public
    def ask_passkey() -> Response:
        return _signing_in_page("", 200)

    @blueprint.post("/sign-in/passkey")
    @guard.public
    def sign_in_with_passkey() -> Response:
        try:
            made = guard.sign_in_with_passkey(_binding(), request.form.get("credential", ""))
        except (access.PasskeyNotAccepted, access.ChallengeGone) as error:
            return _signing_in_page(str(error), 401)
        except access.DemoCredentialsRefused as error:
            return _signing_in_page(str(error), 403)
        return welcome(made, request.form.get("next", ""))


def _add_own(blueprint: web.PageBlueprint) -> None:
    @blueprint.get(_PATH)
    @guard.signed_in
    def passkeys() -> str:
        return _own_page("")

    @blueprint.route("/account/passkeys/new")
    @guard.signed_in
    def new_passkey() -> BaseResponse:
        """A page to add one; whoever signed in a while ago shows first who they are."""
        if not guard.is_fresh():
            return redirect("/sign-in?again=1&next=/account/passkeys/new")
        asker = guard.principal()
        challenge = guard.open_challenge(Purpose.ADD_PASSKEY, asker.subject_id)
        options = access.adding_options(web.session(), guard.site(), asker, challenge.nonce)
        fields = [web.Field("name", gettext("Name"), hint=gettext("Such as: my phone, the office key"), width=20)]
        return make_response(
            render_template("access/new_passkey.html", fields=fields, options=options, binding=_text(challenge.binding))
        )

    @blueprint.post(_PATH)
    @guard.signed_in
    def add_passkey() -> BaseResponse:
        asker = guard.principal()
        try:
            taken = guard.take_challenge(Purpose.ADD_PASSKEY, _binding(), subject_id=asker.subject_id)
            access.add_passkey(
                web.session(),
                guard.site(),
                asker,
                request.form.get("credential", ""),
                nonce=taken.nonce,
                name=request.form.get("name", ""),
                now=web.now(),
                random_bytes=web.city().random_bytes,
            )
        except (access.PasskeyNotAccepted, access.ChallengeGone) as error:
            return make_response(_own_page(str(error)), 422)
        return redirect(_PATH)

    @blueprint.post("/account/passkeys/<uuid:passkey_id>/remove")
    @guard.signed_in
    def remove_passkey(passkey_id: UUID) -> BaseResponse:
        if not guard.is_fresh():
            return redirect("/sign-in?again=1&next=/account/passkeys")
        access.remove_passkey(web.session(), guard.principal().subject_id, passkey_id)
        return redirect(_PATH)


def _signing_in_page(refused: str, status: int) -> Response:
    challenge = guard.open_challenge(Purpose.PASSKEY)
    page = render_template(
        "access/passkey_sign_in.html",
        options=access.signing_in_options(guard.site(), challenge.nonce),
        binding=_text(challenge.binding),
        next=local(request.values.get("next", "")),
        refused=refused,
    )
    return make_response(page, status)


def _own_page(refused: str) -> str:
    return render_template(
        "access/passkeys.html",
        passkeys=access.passkeys_of(web.session(), guard.principal().subject_id),
        refused=refused,
        possible=guard.site().takes_passkeys,
    )


def _text(binding: bytes) -> str:
    return base64.urlsafe_b64encode(binding).decode()


def _binding() -> bytes:
    try:
        return base64.urlsafe_b64decode(request.form.get("binding", "").encode("ascii", "replace"))
    except (binascii.Error, ValueError):
        return b""
