"""The books over HTTP: the day, trial balances, statements, balances, entries. Every answer has an ETag."""

import json
from datetime import date
from typing import Any

from flask import Response, request
from flask.views import MethodView
from marshmallow import Schema

from cardsvc import ledger, web
from cardsvc.access import guard
from cardsvc.errors import CityError, ErrorKind
from cardsvc.finance import queries
from cardsvc.finance.schemas.books import (
    AccountStatementQuerySchema,
    AccountStatementSchema,
    BalancesQuerySchema,
    BalancesSchema,
    DayQuerySchema,
    DaySchema,
    EntriesQuerySchema,
    EntriesSchema,
    TrialBalanceQuerySchema,
    TrialBalanceSchema,
)

blueprint = web.ApiBlueprint("books", __name__, url_prefix="/v1/finance", description="The books, to read")
_READERS = ("finance", "treasurer", "auditor")
_SAME = "Nothing changed since the answer of If-None-Match"
_JSON = "application/json"


class InvalidDay(CityError):
    code = "invalid_day"
    kind = ErrorKind.NOT_FOUND

    def __init__(self) -> None:
        super().__init__("There is no such day. Write it like 2026-11-02.")


def _answer(schema: type[Schema], value: object) -> Response:
    answer = Response(
        json.dumps(schema().dump(value)), content_type=_JSON, headers={"Cache-Control": "private, no-cache"}
    )
    answer.add_etag()
    answer.make_conditional(request)
    return answer


@blueprint.route("/trial-balance")
class TrialBalances(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(TrialBalanceQuerySchema, location="query")
    @blueprint.response(200, TrialBalanceSchema)
    @blueprint.alt_response(304, description=_SAME, content_type=_JSON)
    def get(self, given: dict[str, Any]) -> Response:
        """Debits and credits by account: now, at a place of the log, or by accounting date; the difference is zero or
        the books are wrong. `interfund:<fund>` is computed: with it each fund's lines sum to zero.
        """
        when = {"at": given.pop("at", None), "booked_by": given.pop("on", None)}
        return _answer(TrialBalanceSchema, ledger.trial_balance(web.session(), **given, **when))


@blueprint.route("/accounts/<path:code>/statement")
class AccountStatements(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(AccountStatementQuerySchema, location="query")
    @blueprint.response(200, AccountStatementSchema)
    @blueprint.alt_response(304, description=_SAME, content_type=_JSON)
    @blueprint.fails(400)
    def get(self, given: dict[str, Any], code: str) -> Response:
        """An account's lines in the order of the log, with the balance after each; of some days, or all."""
        page = ledger.statement(web.session(), code, span=_span(given), **given)
        return _answer(AccountStatementSchema, page)


@blueprint.route("/balances")
class Balances(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(BalancesQuerySchema, location="query")
    @blueprint.response(200, BalancesSchema)
    @blueprint.alt_response(304, description=_SAME, content_type=_JSON)
    @blueprint.fails(404)
    def get(self, given: dict[str, Any]) -> Response:
        """What accounts hold: now, at a place of the log, or by accounting date."""
        found = ledger.balances(web.session(), given["code"], at=given.get("at"), booked_by=given.get("on"))
        rows = [{"code": code, "balance_cents": cents} for code, cents in found.items()]
        return _answer(BalancesSchema, {"balances": rows})


@blueprint.route("/entries")
class Entries(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(EntriesQuerySchema, location="query")
    @blueprint.response(200, EntriesSchema)
    @blueprint.alt_response(304, description=_SAME, content_type=_JSON)
    def get(self, given: dict[str, Any]) -> Response:
        """Entries by kind, date, account, fund, amount of a line, metadata or id. Their order never changes."""
        span, limit = _span(given), given["limit"]
        wanted = ledger.Wanted(
            kinds=tuple(map(ledger.EntryKind, given["kind"])),
            span=span,
            account=given.get("account"),
            fund=given.get("fund"),
            amount_cents=given.get("amount_cents"),
            metadata=(given["key"], given["value"]) if "key" in given else None,
            entry_id=given.get("entry_id"),
        )
        found = ledger.find_entries(
            web.session(), wanted, after=given.get("after"), limit=limit + 1, newest_first=given["newest_first"]
        )
        more = len(found) > limit
        return _answer(EntriesSchema, {"entries": found[:limit], "next": found[limit - 1].seq if more else None})


@blueprint.route("/day/<day>")
class Days(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(DayQuerySchema, location="query")
    @blueprint.response(200, DaySchema)
    @blueprint.alt_response(304, description=_SAME, content_type=_JSON)
    def get(self, given: dict[str, Any], day: str) -> Response:
        """The day sheet: totals by kind, drawers, the bank, and the day's entries page by page."""
        return _answer(DaySchema, queries.day_sheet(web.session(), _day(day), after=given.get("after")))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidDay from error


def _span(given: dict[str, Any]) -> ledger.Span | None:
    """The days asked for, taken out of what was given; None: all."""
    first, last, by = given.pop("first", None), given.pop("last", None), given.pop("by")
    return None if first is None and last is None else ledger.Span(first, last, by)
