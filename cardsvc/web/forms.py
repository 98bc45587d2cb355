"""Pages' forms: protected against other sites, described once, drawn by the macros of `templates/form.html`."""

from dataclasses import dataclass
from typing import Any, Literal

from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect

from cardsvc.web.headers import is_https
from cardsvc.web.parts import City

FORM_HOURS = 8  # a form left open over a counter's day still sends
_csrf = CSRFProtect()


@dataclass(frozen=True, slots=True)
class Field:
    """One question of a form, as `form.html` draws it. Texts are already in the reader's language.

    `value` is what the box shows; `errors` are sentences; `choices` (value, text) make it radios or a select;
    `width` is govuk's input width in characters (2, 3, 4, 5, 10, 20) or None for the full line.
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


class PageBlueprint(Blueprint):
    """Pages of one room, in its own `templates/`. Every POST must carry the token that `form.html` writes.

    The API has no such token: it takes a bearer token, which a foreign site cannot send.
    """

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        options.setdefault("template_folder", "templates")
        super().__init__(name, import_name, **options)
        self.before_request(_csrf.protect)


def init(app: Flask, parts: City) -> None:
    """The key of form tokens is the vault's, so that every process of one city knows the same."""
    https = is_https(parts)
    app.config.update(
        SECRET_KEY=parts.vault.derive("web.forms", b"", 32),
        SESSION_COOKIE_NAME="__Host-city-form" if https else "city-form",
        SESSION_COOKIE_SECURE=https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=FORM_HOURS * 3600,
        WTF_CSRF_SSL_STRICT=https,
    )
    _csrf.init_app(app)
