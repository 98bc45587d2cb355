"""The resident's own page of the register: who looked at me."""

from pathlib import Path

from flask import render_template, request, url_for

from cardsvc import web
from cardsvc.access import guard
from cardsvc.residents import queries
from cardsvc.residents.schemas import DeviceNames, shown_looks

ROOM = str(Path(__file__).parent.parent)  # where this room's templates are
LOOKS_A_PAGE = 25


def make(device_names: DeviceNames) -> web.PageBlueprint:
    """The resident's page."""
    blueprint = web.PageBlueprint("resident_pages", __name__, root_path=ROOM)

    @blueprint.get("/wallet/looks")
    @guard.resident_only
    def looks() -> str:
        session = web.session()
        before = request.args.get("before", type=int)
        mine = guard.principal().subject_id
        page = queries.looks(session, mine, before=before, limit=LOOKS_A_PAGE)
        return render_template(
            "residents/looks.html",
            looks=shown_looks(session, page, device_names)["looks"],
            next_url=url_for(".looks", before=page.next) if page.next else "",
            first_url=url_for(".looks") if before is not None else "",
        )

    return blueprint
