"""The kiosk in the browser: the present screen, and the answers of the person before it."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from terminals.agent.kiosk_flow import KioskFlow
from terminals.agent.kiosk_screens import Screen
from terminals.agent.pin_form import read_pins
from terminals.agent.watcher import Watcher

_NOT_FOUND = 404
_SENTENCES = ("title", "detail", "what")


def make(flow: KioskFlow, watcher: Watcher) -> Blueprint:
    """The pages below /<token>/kiosk. Every POST ends in a redirect to the present screen: it works without scripts."""
    pages = Blueprint("kiosk", __name__, url_prefix="/<token>/kiosk")
    deeds: dict[str, Callable[[], None]] = {
        "claim": flow.claims,
        "bills": flow.bills,
        "passes": flow.passes,
        "choose": lambda: _choose(flow),
        "confirm": flow.confirm,
        "pin": lambda: flow.sign(read_pins("pin")[0], watcher.with_card),
        "back": lambda: flow.back(watcher.with_card),
        "done": flow.finish,
    }

    @pages.get("")
    def screen() -> str:
        present = flow.screen
        return render_template(f"kiosk/{present.name}.html", **_values(present))

    @pages.post("/<deed>")
    def act(deed: str) -> Response:
        if deed not in deeds:
            abort(_NOT_FOUND)
        deeds[deed]()
        return redirect(url_for("kiosk.screen"), 303)

    return pages


def _choose(flow: KioskFlow) -> None:
    page = request.form.get("page", type=int)
    item = request.form.get("item")
    if page is not None:
        flow.page(page)
    elif item is not None:
        flow.choose(item)


def _values(screen: Screen) -> dict[str, Any]:
    """The screen's fields for its template; sentences in the reader's language."""
    values: dict[str, Any] = {}
    for item in fields(screen):
        value = getattr(screen, item.name)
        values[item.name] = gettext(value) if item.name in _SENTENCES and value else value
    return values
