"""Settlements for programs of finance and of operators' clerks."""

from datetime import date
from typing import Any

from flask import Response
from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.transit.rules import tides
from cardsvc.transit.rules.settling import Settlement
from cardsvc.transit.settling import files, queries
from cardsvc.transit.settling.schemas import AskedDaySchema, AskedTableSchema, OperatorSettlementSchema

blueprint = web.ApiBlueprint("settlements", __name__, url_prefix="/v1/transit", description="Settlement with operators")
READERS = ("finance", "treasurer", "auditor")


@blueprint.route("/settlement")
class OneSettlement(MethodView):
    @guard.requires(*READERS)
    @blueprint.arguments(AskedDaySchema, location="query")
    @blueprint.response(200, OperatorSettlementSchema)
    @blueprint.fails(404, 422)
    def get(self, given: dict[str, Any]) -> Settlement:
        """What a day owes an operator. 503 `settlement_differs` where the books say something else than the rides."""
        return queries.settlement(web.session(), given["agency"], given["day"], web.now())


@blueprint.route("/settlement.csv")
class SettlementFile(MethodView):
    @guard.requires(*READERS)
    @blueprint.arguments(AskedDaySchema, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/csv")
    @blueprint.fails(404, 422)
    def get(self, given: dict[str, Any]) -> Response:
        """The same as a file for the operator."""
        found = queries.settlement(web.session(), given["agency"], given["day"], web.now())
        return as_file(files.to_csv(found), "settlement", given["agency"], given["day"], "csv")


@blueprint.route("/fare-transactions")
class FareTransactions(MethodView):
    @guard.requires(*READERS)
    @blueprint.arguments(AskedTableSchema, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/csv")
    @blueprint.fails(404, 422)
    def get(self, given: dict[str, Any]) -> Response:
        """The day's taps of an operator as a TIDES fare_transactions table. Riders are pseudonyms of a month."""
        rows = queries.fare_transactions(web.session(), web.city().vault, given["agency"], given["day"])
        text = "".join(tides.to_json(rows) if given["format"] == "json" else tides.to_csv(rows))
        return as_file(text, "fare_transactions", given["agency"], given["day"], given["format"])


def as_file(text: str, what: str, agency: str, day: date, ending: str) -> Response:
    """An answer that a browser keeps under a name that says what it is."""
    safe = "".join(letter if letter.isalnum() and letter.isascii() else "-" for letter in agency)
    kind = "application/json" if ending == "json" else "text/csv; charset=utf-8; header=present"
    named = {"Content-Disposition": f'attachment; filename="{what}-{safe}-{day}.{ending}"'}
    return Response(text, content_type=kind, headers=named)
