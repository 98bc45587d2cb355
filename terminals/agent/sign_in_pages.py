"""A browser on this machine comes from the service's page, the staff member's card signs, and it goes back.

The way in holds no token of this boot: the service cannot know it. It only leads on to our own page, which asks for the
PIN; that page and everything after it are as protected as all others.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import Blueprint, Flask, abort, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from crypto.errors import CryptoError
from crypto.wire.action import Action
from crypto.wire.login import NONCE_BYTES, check_origin
from terminals.agent import sign_in
from terminals.agent.failures import FAILURES
from terminals.agent.look import Field
from terminals.agent.pin_form import read_pins
from terminals.agent.watcher import Watcher
from terminals.agent.words import translated as _
from terminals.card import LastPinTry, PivSession
from terminals.station import wipe

_FORBIDDEN: Final = 403
_NEXT_LETTERS_MAX: Final = 500
Page = str | Response


@dataclass(frozen=True, slots=True)
class Handed:
    """What goes back to the service: where to, and the form's fields."""

    address: str
    fields: tuple[tuple[str, str], ...]


Work = Callable[[PivSession, bytearray, bool], Handed]


def add(app: Flask, watcher: Watcher, origin: str) -> None:
    """`origin` is the service's as browsers know it: cards sign for it, and the answer goes there and nowhere else."""
    app.register_blueprint(_way_in())
    pages = Blueprint("sign_in", __name__, url_prefix="/<token>")
    _add_sign_in(pages, watcher, origin)
    _add_action(pages, watcher, origin)
    app.register_blueprint(pages)


def _way_in() -> Blueprint:
    entry = Blueprint("way_in", __name__)

    @entry.before_request
    def only_a_browser_that_goes_here() -> None:
        """Not a script or a frame of some page: the browser itself, with its address bar."""
        if request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate":
            abort(_FORBIDDEN)
        if request.headers.get("Sec-Fetch-Dest", "document") != "document":
            abort(_FORBIDDEN)

    @entry.get("/sign-in")
    def to_sign_in() -> Response:
        asked = request.args
        return redirect(url_for("sign_in.ask", nonce=asked.get("nonce", ""), next=asked.get("next", "")), 303)

    @entry.get("/sign-action")
    def to_action() -> Response:
        return redirect(url_for("sign_in.ask_action", action=request.args.get("action", "")), 303)

    return entry


def _add_sign_in(pages: Blueprint, watcher: Watcher, origin: str) -> None:
    def form(refused: str = "", *, last_try: bool = False) -> str:
        return render_template("sign_in/sign_in.html", origin=origin, **_form(watcher, refused, last_try=last_try))

    @pages.get("/sign-in")
    def ask() -> Page:
        return form() if _nonce() and _is_origin(origin) else _not_ours()

    @pages.post("/sign-in")
    def sign() -> Page:
        nonce = _nonce()
        if not nonce or not _is_origin(origin):
            return _not_ours()

        destination = request.args.get("next", "")[:_NEXT_LETTERS_MAX]

        def work(session: PivSession, pin: bytearray, last_try: bool) -> Handed:
            token = sign_in.login_token(session, origin, nonce, pin, last_try=last_try)
            return Handed(f"{origin}/sign-in/card", (("token", token), ("next", destination)))

        return _with_pin(watcher, work, form, origin)


def _add_action(pages: Blueprint, watcher: Watcher, origin: str) -> None:
    def form(refused: str = "", *, last_try: bool = False) -> str:
        wanted = Action.decode(_bytes(request.args.get("action", "")))
        return render_template(
            "sign_in/action.html",
            origin=origin,
            action=wanted,
            rows=[(str(name).replace("_", " "), _shown(value)) for name, value in wanted.payload.items()],
            void_after=datetime.fromtimestamp(wanted.expires_at_ms / 1000, UTC),
            **_form(watcher, refused, last_try=last_try),
        )

    @pages.get("/sign-action")
    def ask_action() -> Page:
        try:
            return form()
        except CryptoError:
            return _not_ours()

    @pages.post("/sign-action")
    def sign_action() -> Page:
        wanted = _bytes(request.args.get("action", ""))
        try:
            action_id = Action.decode(wanted).action_id
        except CryptoError:
            return _not_ours()

        def work(session: PivSession, pin: bytearray, last_try: bool) -> Handed:
            signature = sign_in.action_signature(session, wanted, pin, last_try=last_try)
            text = base64.urlsafe_b64encode(signature).rstrip(b"=").decode()
            return Handed(f"{origin}/actions/{action_id}/card", (("signature", text),))

        return _with_pin(watcher, work, form, origin)


def _with_pin(watcher: Watcher, work: Work, form: Callable[..., str], origin: str) -> Page:
    pin, confirmed = read_pins("pin", "last_try")
    try:
        handed = watcher.with_card(lambda session: work(session, pin, bool(confirmed)))
    except LastPinTry as error:
        return form(str(error), last_try=True)
    except FAILURES as error:
        return form(str(error))
    finally:
        wipe(pin)
    g.city_forms_go_to = f"'self' {origin}"
    return render_template("sign_in/back.html", handed=handed, origin=origin)


def _form(watcher: Watcher, refused: str, *, last_try: bool) -> dict[str, Any]:
    """What both pages with a PIN show: the tries left are read before each try, where a card is in."""
    try:
        left, waiting = watcher.with_card(sign_in.tries_left), ""
    except FAILURES as error:
        left, waiting = None, str(error)
    hint = _("%(count)s tries left.", count=left) if left is not None else ""
    fields = [Field("pin", _("PIN of your card"), kind="password", hint=hint, autocomplete="off", width=10)]
    if last_try:
        fields.append(Field("last_try", "", kind="hidden", value="yes"))
    return {"refused": refused, "fields": fields, "waiting": "" if refused else waiting, "last_try": last_try}


def _not_ours() -> Page:
    return render_template("sign_in/not_ours.html")


def _is_origin(origin: str) -> bool:
    try:
        check_origin(origin)
    except CryptoError:
        return False
    return True


def _nonce() -> bytes:
    """The nonce of this sign-in; empty where there is none of 256 bits."""
    nonce = _bytes(request.args.get("nonce", ""))
    return nonce if len(nonce) == NONCE_BYTES else b""


def _bytes(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""


def _shown(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return ", ".join(_shown(each) for each in value)
    return str(value)
