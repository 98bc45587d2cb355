"""How the agent's pages are drawn: macros, languages, money, the headers that keep the browser on our side.

The service has the same words in `cardsvc.web.look`; terminals are installed without it, so they stand here again.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask_babel import Babel, format_date, format_time
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader

from terminals.agent import receipt_code

LANGUAGES: Final = {"en": "English", "fil": "Filipino"}
COOKIE: Final = "city-lang"
MINUS: Final = "\N{MINUS SIGN}"
CENTS: Final = 100
SECURITY: Final = (
    "default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
)
SECURITY_REST: Final = "connect-src 'self'; form-action {forms}; frame-ancestors 'none'; base-uri 'none'"


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form, as `form.html` draws it. Texts are already in the reader's language.

    `value` is what the box shows; `errors` are sentences; `choices` (value, text) make it radios or a select.
    """

    name: str
    label: str
    kind: Literal["text", "password", "date", "amount", "radios", "select", "checkbox", "textarea", "hidden"] = "text"
    hint: str = ""
    value: str = ""
    errors: tuple[str, ...] = ()
    choices: tuple[tuple[str, str], ...] = ()
    autocomplete: str = ""
    width: int | None = None


def money(cents: int) -> str:
    """Centavos as people read them: ₱1,234.50, a true minus sign before the currency."""
    pesos, rest = divmod(abs(cents), CENTS)
    return f"{MINUS if cents < 0 else ''}₱{pesos:,}.{rest:02d}"


def signed(cents: int) -> str:
    """A movement, with its sign; nothing has none."""
    return f"+{money(cents)}" if cents > 0 else money(cents)


def language() -> str:
    """`en` or `fil`: asked for now, or before at this terminal."""
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    return "en"


def query_in(code: str) -> str:
    """This page's query in another language: what it is about stays."""
    kept = {name: value for name, value in request.args.items() if name != "lang"}
    return urlencode({**kept, "lang": code})


def dress(app: Flask, *, city_name: str, base: str, random_bytes: Callable[[int], bytes]) -> None:
    """Give `app` the look. `base` is the path before every page, the boot's token in it, without a last slash."""
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    own = app.jinja_loader
    assert own is not None
    app.jinja_loader = ChoiceLoader(
        [own, PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
    )
    app.config.update(
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DEFAULT_TIMEZONE="Asia/Manila",
        BABEL_TRANSLATION_DIRECTORIES=str(Path(__file__).parent / "translations"),
    )
    Babel(app, locale_selector=language)

    def nonce() -> str:
        if "city_nonce" not in g:
            g.city_nonce = base64.b64encode(random_bytes(18)).decode()
        return str(g.city_nonce)

    @app.after_request
    def protect(response: Response) -> Response:
        # One page of ours posts elsewhere: what a card signed, to the service that it signed for.
        forms = g.get("city_forms_go_to", "'self'")
        policy = SECURITY.format(nonce=nonce()) + SECURITY_REST.format(forms=forms)
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        # The token is in the address: no other site may learn it. Stricter than this and forms would send no Origin.
        response.headers["Referrer-Policy"] = "same-origin"
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if request.args.get("lang") in LANGUAGES:
            response.set_cookie(COOKIE, language(), httponly=True, samesite="Strict")
        return response

    app.jinja_env.filters.update(
        money=money, signed=signed, qr=receipt_code.drawn, manila=_manila, clock=_clock, day=_day
    )
    app.jinja_env.globals.update(
        languages=LANGUAGES, language=language, query_in=query_in, csp_nonce=nonce, city_name=city_name, base=base
    )


def _manila(at: datetime) -> str:
    return f"{format_date(at, 'medium')}, {format_time(at, 'short')}"


def _clock(at: datetime) -> str:
    return str(format_time(at, "short"))


def _day(on: date) -> str:
    return str(format_date(on, "long", rebase=False))
