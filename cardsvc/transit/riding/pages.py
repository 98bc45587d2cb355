"""A rider's own rides: one trip is one line, opened to show each rule and amount."""

from datetime import datetime
from pathlib import Path

from flask import render_template, request, url_for

from cardsvc import wallets, web
from cardsvc.access import guard
from cardsvc.transit.riding import queries

_A_PAGE = 30
pages = web.PageBlueprint(
    "ride_pages", __name__, root_path=str(Path(__file__).parent), template_folder="templates", url_prefix="/wallet"
)


@pages.get("/rides")
@guard.resident_only
def mine() -> str:
    """One's own rides, the newest first."""
    session = web.session()
    wallet_id = wallets.of_resident(session, guard.principal().subject_id).id
    found = queries.rides(session, wallet_id, before=_before(), limit=_A_PAGE)
    older = url_for(".mine", before=found[-1].began_at.isoformat()) if len(found) == _A_PAGE else ""
    return render_template("transit/own_rides.html", rides=found, next_url=older)


def _before() -> datetime | None:
    """The moment of the page before; what is no moment is the first page."""
    try:
        found = datetime.fromisoformat(request.args.get("before", ""))
    except ValueError:
        return None
    return found if found.tzinfo else None
