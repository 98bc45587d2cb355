"""The treasurer's API: files of bills in, bills out."""

from typing import Any, Final

from flask import request
from flask.views import MethodView

from cardsvc import web
from cardsvc.access import guard
from cardsvc.taxes import actions, queries, rules
from cardsvc.taxes.schemas import BillQuerySchema, BillSchema, ImportedSchema, ImportQuerySchema

blueprint = web.ApiBlueprint("taxes", __name__, url_prefix="/v1/taxes", description="Real property tax bills")
_CSV_BODY: Final = {"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}}


@blueprint.route("/bills")
class Bills(MethodView):
    @guard.requires("treasurer", "cashier", "finance", "auditor")
    @blueprint.arguments(BillQuerySchema, location="query")
    @blueprint.response(200, BillSchema)
    @blueprint.fails(404)
    def get(self, given: dict[str, Any]) -> queries.Bill:
        """A bill by its number; whom it belongs to is not told."""
        found = queries.bill(web.session(), given["number"])
        if found is None:
            raise rules.UnknownBill(given["number"])
        return found

    @guard.requires("treasurer")
    @blueprint.doc(**_CSV_BODY)
    @blueprint.arguments(ImportQuerySchema, location="query")
    @blueprint.response(200, ImportedSchema)
    def post(self, given: dict[str, Any]) -> actions.Imported:
        """Take a CSV file of bills, all of it or nothing; wrong rows are named. The same file again changes nothing."""
        return actions.import_bills(
            web.session(),
            request.get_data(),
            by=guard.principal().subject_id,
            now=web.now(),
            random_bytes=web.city().random_bytes,
            dry_run=given["dry_run"],
        )
