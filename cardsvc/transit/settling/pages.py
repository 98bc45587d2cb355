"""Settlements in a browser: a day, an operator, the table, and the files."""

from datetime import date, timedelta

from flask import Response, make_response, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as BaseResponse

from cardsvc import web
from cardsvc.access import guard
from cardsvc.clock import business_date
from cardsvc.transit import queries as tariffs
from cardsvc.transit.rules import tides
from cardsvc.transit.rules.settling import InvalidDay, SettlementDiffers, UnknownOperator
from cardsvc.transit.settling import files, queries
from cardsvc.transit.settling.api import READERS, as_file

pages = web.PageBlueprint("settlement_pages", __name__, template_folder="templates", url_prefix="/finance/operators")


@pages.get("")
@guard.requires(*READERS)
def one() -> BaseResponse:
    """What a day owes an operator; without one in the address the first operator, yesterday."""
    session, today = web.session(), business_date(web.now())
    agencies = queries.agencies(session)
    agency = request.args.get("agency", "") or (agencies[0] if agencies else "")
    problem, status, found = "", 200, None
    day = _day(today - timedelta(days=1))
    if day is None:
        problem, status, day = gettext("Enter a day like 2026-11-02."), 422, today
    elif agency:
        try:
            found = queries.settlement(session, agency, day, web.now())
        except (SettlementDiffers, UnknownOperator) as error:
            problem, status = str(error), web.STATUS_OF_KIND[error.kind]
    page = render_template(
        "transit/settlement.html",
        agencies=agencies,
        agency=agency,
        day=day,
        today=today,
        found=found,
        problem=problem,
        names=tariffs.network_names(session),
    )
    return make_response(page, status)


@pages.get("/settlement.csv")
@guard.requires(*READERS)
def statement() -> Response:
    """The statement as a file."""
    agency, day = request.args.get("agency", ""), _asked_day()
    found = queries.settlement(web.session(), agency, day, web.now())
    return as_file(files.to_csv(found), "settlement", agency, day, "csv")


@pages.get("/fare-transactions.<ending>")
@guard.requires(*READERS)
def fare_transactions(ending: str) -> Response:
    """The day's taps as a TIDES table, CSV or JSON."""
    agency, day = request.args.get("agency", ""), _asked_day()
    rows = queries.fare_transactions(web.session(), web.city().vault, agency, day)
    ending = "json" if ending == "json" else "csv"
    text = "".join(tides.to_json(rows) if ending == "json" else tides.to_csv(rows))
    return as_file(text, "fare_transactions", agency, day, ending)


def _asked_day() -> date:
    """Never another day than the one that was asked for: the file's name would say so, and nothing else."""
    if (day := _day(business_date(web.now()))) is None:
        raise InvalidDay
    return day


def _day(default: date) -> date | None:
    text = request.args.get("day", "")
    try:
        return date.fromisoformat(text) if text else default
    except ValueError:
        return None
