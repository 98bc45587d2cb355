"""A page for whoever looks after this terminal: how its readers are, and what to do about it. Nothing of a card."""

from collections.abc import Callable, Sequence

from flask import Blueprint, render_template

from terminals.agent.words import translated as _
from terminals.card import FaultLog, LookedAt, Machine, ReaderState, survey


def make(look_around: Callable[[], Sequence[LookedAt]], faults: FaultLog, now_ms: Callable[[], int]) -> Blueprint:
    pages = Blueprint("readers", __name__, url_prefix="/<token>")

    @pages.get("/readers")
    def readers() -> str:
        return render_template(
            "readers.html", health=survey(look_around, Machine.look(), now_ms(), faults.of), words=_words()
        )

    return pages


def _words() -> dict[ReaderState, str]:
    return {
        ReaderState.EMPTY: _("Ready, empty"),
        ReaderState.CARD: _("A card is in it"),
        ReaderState.IN_USE: _("In use"),
        ReaderState.FAILING: _("Does not work"),
    }
