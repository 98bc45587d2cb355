"""What templates may use: govuk macros, money and time filters, the visitor, the script nonce."""

from dataclasses import dataclass
from datetime import date, datetime

import segno
from flask import Flask, g, request, url_for
from flask_babel import format_date, format_decimal, format_time
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from markupsafe import Markup

from cardsvc import money
from cardsvc.clock import business_date
from cardsvc.web.headers import csp_nonce, request_id
from cardsvc.web.languages import LANGUAGES, language
from cardsvc.web.parts import City


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, as pages show it. `home` is the path of their first page."""

    name: str
    home: str


def welcome(found: Visitor) -> None:
    """Tell the page who is signed in: `access` does once it has read the token."""
    g.city_visitor = found


def visitor() -> Visitor | None:
    """Who is signed in, if anybody."""
    found: Visitor | None = g.get("city_visitor")
    return found


def signed(cents: int) -> str:
    """A movement: `+₱50.00` or `-₱20.00` with a true minus; nothing has no sign."""
    return f"+{money.show(cents)}" if cents > 0 else money.show(cents)


def manila(at: datetime) -> str:
    """Date and time in Manila, in the reader's language: `Nov 22, 2026, 3:04 PM`."""
    return f"{format_date(at, 'medium')}, {format_time(at, 'short')}"


def clock_time(at: datetime) -> str:
    """Time of day in Manila."""
    return str(format_time(at, "short"))


def day(on: date) -> str:
    """A day in words: `November 22, 2026`. Midnight has no zone, so the date is taken as it is."""
    return str(format_date(on, "long", rebase=False))


def weekday(on: date) -> str:
    """A day with its weekday: `Sunday, November 22, 2026`."""
    return str(format_date(on, "full", rebase=False))


def short_day(on: date) -> str:
    """A day in a narrow column: `Nov 22, 2026`."""
    return str(format_date(on, "medium", rebase=False))


def number(count: int) -> str:
    """A count with its thousands apart."""
    return str(format_decimal(count))


def qr(text: str) -> Markup:
    """The text as an inline SVG QR code (error correction M), no style attribute, so that the CSP lets it be."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(
        border=4, omitsize=True, svgclass="city-qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704  (segno draws paths; the text is not in it)


def here_in(code: str) -> str:
    """This page's address in the other language."""
    kept = {name: value for name, value in request.args.items() if name != "lang"}
    if request.endpoint is None:
        return f"?lang={code}"
    return url_for(request.endpoint, **{**(request.view_args or {}), **kept, "lang": code})


def init(app: Flask, parts: City) -> None:
    """Set up Jinja. Room templates live in the rooms, shared ones in `cardsvc/templates`."""
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    own = app.jinja_loader
    assert own is not None
    # PrefixLoader, because the macros import each other by their package's name.
    app.jinja_loader = ChoiceLoader(
        [own, PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
    )
    app.jinja_env.filters.update(
        money=money.show,
        signed=signed,
        manila=manila,
        clock=clock_time,
        manila_day=business_date,
        day=day,
        weekday=weekday,
        short_day=short_day,
        qr=qr,
        number=number,
    )
    app.jinja_env.globals.update(
        languages=LANGUAGES,
        language=language,
        here_in=here_in,
        visitor=visitor,
        csp_nonce=csp_nonce,
        request_id=request_id,
        city_name=parts.settings.city_name,
    )
