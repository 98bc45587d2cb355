"""The live board in a browser. It renews itself without a script, and only for who asked it to: a page that changes
under its reader is hard to read for many.
"""

from flask import render_template, request

from cardsvc import web
from cardsvc.access import guard
from cardsvc.transit import queries as tariffs
from cardsvc.transit.board import queries
from cardsvc.transit.board.api import READERS

pages = web.PageBlueprint("board_pages", __name__, template_folder="templates", url_prefix="/transit")
REFRESH_SECONDS = 30


@pages.get("/board")
@guard.requires(*READERS)
def board() -> str:
    return render_template(
        "transit/board.html",
        board=queries.board(web.session(), web.now()),
        now=web.now(),
        names=tariffs.network_names(web.session()),
        refresh=REFRESH_SECONDS if "refresh" in request.args else 0,
        roles=guard.principal().roles,
    )
