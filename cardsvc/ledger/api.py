"""The API of the books: their chart, their months, and the balances that were signed off."""

from typing import Any
from uuid import UUID

from flask.views import MethodView

from cardsvc import access, web
from cardsvc.access import guard
from cardsvc.ledger.actions import asserting, chart, periods
from cardsvc.ledger.queries import asserting as asserted
from cardsvc.ledger.queries import chart as charts
from cardsvc.ledger.queries import periods as closing
from cardsvc.ledger.rules import city_date
from cardsvc.ledger.rules.errors import NeverClosed, NoChart
from cardsvc.ledger.rules.succession import Changes
from cardsvc.ledger.schemas import (
    AssertionSchema,
    AssertionSearchSchema,
    AssertionsSchema,
    BooksReasonSchema,
    ChartChangesSchema,
    ChartDocumentSchema,
    ChartSchema,
    ClosingBalanceSchema,
    NewAssertionSchema,
    PeriodSchema,
    PeriodsSchema,
    ProposedSchema,
)

READERS = ("finance", "treasurer", "auditor")
OFFICERS = ("finance", "treasurer")


def make(around: periods.Surroundings) -> web.ApiBlueprint:
    """`around` is what closing a month must know of other rooms."""
    blueprint = web.ApiBlueprint("ledger", __name__, url_prefix="/v1/ledger", description="Chart, periods, assertions")
    _add_chart(blueprint)
    _add_periods(blueprint)
    _add_closing(blueprint, around)
    _add_assertions(blueprint)
    _add_withdrawals(blueprint)
    return blueprint


def _add_chart(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/chart")
    class Chart(MethodView):
        @guard.requires(*READERS)
        @blueprint.response(200, ChartSchema)
        def get(self) -> dict[str, Any]:
            """The chart of accounts in force, and who adopted which version."""
            versions = charts.history(web.session())
            if not versions:
                raise NoChart
            return {"document": versions[0].document, "versions": versions}

    @blueprint.route("/chart/checks")
    class ChartChecks(MethodView):
        @guard.requires(*READERS)
        @blueprint.arguments(ChartDocumentSchema)
        @blueprint.response(200, ChartChangesSchema)
        @blueprint.fails(422)
        def post(self, given: dict[str, Any]) -> Changes:
            """What adopting this chart would change. Nothing is kept."""
            return chart.check_chart(web.session(), given["document"])

    @blueprint.route("/chart/proposals")
    class ChartProposals(MethodView):
        @guard.requires(*OFFICERS)
        @blueprint.arguments(ChartDocumentSchema)
        @blueprint.response(201, ProposedSchema)
        @blueprint.fails(422)
        def post(self, given: dict[str, Any]) -> access.ActionView:
            """Propose a chart to be adopted: an action of two, which the proposer signs first."""
            return chart.propose_chart(
                web.session(),
                given["document"],
                by=guard.principal().subject_id,
                now=web.now(),
                random_bytes=web.city().random_bytes,
            )


def _add_periods(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/periods")
    class Periods(MethodView):
        @guard.requires(*READERS)
        @blueprint.response(200, PeriodsSchema)
        def get(self) -> dict[str, Any]:
            """Every month of books, whether it is open, and everything that was done to it."""
            return {"periods": closing.periods(web.session(), city_date(web.now()))}

    @blueprint.route("/periods/<month>/soft-close")
    class SoftClose(MethodView):
        @guard.requires(*OFFICERS)
        @blueprint.response(200, PeriodSchema)
        @blueprint.keyed
        @blueprint.fails(400)
        def post(self, month: str) -> closing.PeriodView:
            """From now on the month takes adjustments only. One officer is enough. Needs an Idempotency-Key."""
            session, now, key = web.session(), web.now(), web.idempotency_key()
            periods.soft_close(session, month, by=guard.principal().subject_id, now=now, key=key)
            return next(found for found in closing.periods(session, city_date(now)) if found.month == month)

    @blueprint.route("/periods/<month>/balance")
    class SealedBalance(MethodView):
        @guard.requires(*READERS)
        @blueprint.response(200, ClosingBalanceSchema)
        def get(self, month: str) -> dict[str, Any]:
            """The trial balance that the month's last close sealed."""
            lines = closing.sealed_balance(web.session(), month)
            if lines is None:
                raise NeverClosed(month)
            return {"month": month, "lines": lines}


def _add_closing(blueprint: web.ApiBlueprint, around: periods.Surroundings) -> None:
    close, reopen = periods.handlers(around)

    def propose(handler: access.ActionHandler, payload: dict[str, Any]) -> access.ActionView:
        return periods.propose(
            web.session(),
            handler,
            payload,
            by=guard.principal().subject_id,
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )

    @blueprint.route("/periods/<month>/close")
    class Close(MethodView):
        @guard.requires(*OFFICERS)
        @blueprint.response(201, ProposedSchema)
        @blueprint.fails(400, 422)
        def post(self, month: str) -> access.ActionView:
            """Propose to close a month: an action of two. What stands against it is said at once."""
            return propose(close, {"month": month})

    @blueprint.route("/periods/<month>/reopen")
    class Reopen(MethodView):
        @guard.requires(*OFFICERS)
        @blueprint.arguments(BooksReasonSchema)
        @blueprint.response(201, ProposedSchema)
        @blueprint.fails(400, 422)
        def post(self, given: dict[str, Any], month: str) -> access.ActionView:
            """Propose to reopen the last closed month, one step: for adjustments, then to everything. An action of
            two.
            """
            return propose(reopen, {"month": month, "reason": given["reason"]})


def _add_assertions(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/assertions")
    class Assertions(MethodView):
        @guard.requires(*READERS)
        @blueprint.arguments(AssertionSearchSchema, location="query")
        @blueprint.response(200, AssertionsSchema)
        def get(self, given: dict[str, Any]) -> dict[str, Any]:
            """Balances that somebody signed off, also those that did not hold."""
            return {"assertions": asserted.assertions(web.session(), account=given["account_code"])}

        @guard.requires(*OFFICERS)
        @blueprint.arguments(NewAssertionSchema)
        @blueprint.response(201, AssertionSchema)
        @blueprint.keyed
        @blueprint.fails(422)
        def post(self, given: dict[str, Any]) -> asserted.AssertionView:
            """Sign off an account's balance at the end of a day. Kept whether it holds or not (`held`). Needs an
            Idempotency-Key: the assertion's id.
            """
            return asserting.assert_balance(
                web.session(),
                given["account_code"],
                given["day"],
                given["balance_cents"],
                document=given["document"],
                by=guard.principal().subject_id,
                now=web.now(),
                random_bytes=web.city().random_bytes,
                key=web.idempotency_key(),
            )


def _add_withdrawals(blueprint: web.ApiBlueprint) -> None:
    @blueprint.route("/assertions/<uuid:assertion_id>/withdrawal")
    class Withdrawal(MethodView):
        @guard.requires(*OFFICERS)
        @blueprint.arguments(BooksReasonSchema)
        @blueprint.response(200, AssertionSchema)
        @blueprint.keyed
        @blueprint.fails(422)
        def post(self, given: dict[str, Any], assertion_id: UUID) -> asserted.AssertionView:
            """Let the balance be changed again. The assertion is kept, with who withdrew it and why. Needs an
            Idempotency-Key.
            """
            return asserting.withdraw_assertion(
                web.session(),
                assertion_id,
                reason=given["reason"],
                by=guard.principal().subject_id,
                now=web.now(),
                key=web.idempotency_key(),
            )
