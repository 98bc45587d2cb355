"""English or Filipino: asked for in the address, remembered in a cookie, else as the browser prefers."""

from pathlib import Path
from typing import Final

from flask import Flask, Response, has_request_context, request
from flask_babel import Babel

from cardsvc.web.parts import city

LANGUAGES: Final = {"en": "English", "fil": "Filipino"}
COOKIE: Final = "city-lang"
WORDED: Final = frozenset({"text/html", "application/problem+json"})  # answers that hold words
YEAR_SECONDS: Final = 365 * 24 * 3600
TRANSLATIONS = Path(__file__).parent.parent / "translations"


def language() -> str:
    """The language of this answer, `en` or `fil`."""
    if not has_request_context():
        return "en"
    for wanted in (request.args.get("lang"), request.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    # Browsers of Filipino residents send fil, or the older tl.
    found = request.accept_languages.best_match(["en", "fil", "tl"], default="en")
    return "fil" if found in {"fil", "tl"} else "en"


def init(app: Flask) -> None:
    """Choose by `?lang=`, then cookie, then Accept-Language; times are shown in Manila."""
    app.config.update(
        BABEL_DEFAULT_LOCALE="en",
        BABEL_DEFAULT_TIMEZONE="Asia/Manila",
        BABEL_TRANSLATION_DIRECTORIES=str(TRANSLATIONS),
    )
    Babel(app, locale_selector=language)

    @app.after_request
    def remember(response: Response) -> Response:
        if request.args.get("lang") in LANGUAGES:
            secure = city().settings.is_https
            response.set_cookie(
                COOKIE, language(), max_age=YEAR_SECONDS, secure=secure, httponly=True, samesite="Lax", path="/"
            )
        if response.mimetype in WORDED:
            response.headers.setdefault("Content-Language", language())
            response.vary.update(["Accept-Language", "Cookie"])
        return response
