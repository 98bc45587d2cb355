"""Finance's API: statements in, deposits and funding signed, the trial balance out."""

from typing import Any, Final
from uuid import UUID

from flask import request
from flask.views import MethodView
from sqlalchemy.orm import Session

from cardsvc import access, transactions, web
from cardsvc.access import guard
from cardsvc.finance import actions, queries
from cardsvc.finance.actions import vouchers
from cardsvc.finance.rules.vouchers import Voucher
from cardsvc.finance.schemas.books import (
    DepositSchema,
    FundingSchema,
    ProposedVoucherSchema,
    ReversalSchema,
    StatementSchema,
    VoucherSchema,
)
from crypto.wire.finance import BankDeposit, CashWithdrawal, Funding, JournalLine
from crypto.wire.transaction import Reversal

blueprint = web.ApiBlueprint("finance", __name__, url_prefix="/v1/finance", description="Cash, bank and books")
_READERS = ("finance", "treasurer", "auditor")
_XML_BODY: Final = {"requestBody": {"required": True, "content": {"application/xml": {"schema": {"type": "string"}}}}}


@blueprint.route("/statements")
class Statements(MethodView):
    @guard.requires("finance")
    @blueprint.doc(**_XML_BODY)
    @blueprint.response(200, StatementSchema(many=True))
    @blueprint.fails(422)
    def post(self) -> list[queries.StatementView]:
        """Import a camt.053 file and match what is certain. The same file again brings no line twice."""
        return actions.import_statements(
            web.session(),
            request.get_data(),
            by=guard.principal().subject_id,
            now=web.now(),
            random_bytes=web.city().random_bytes,
        )


@blueprint.route("/statements/<uuid:statement_id>")
class Statement(MethodView):
    @guard.requires(*_READERS)
    @blueprint.response(200, StatementSchema)
    def get(self, statement_id: UUID) -> queries.StatementView:
        """A statement, its lines and its closing balance beside the books'."""
        found = queries.statement(web.session(), statement_id)
        if found is None:
            raise actions.UnknownStatement
        return found


@blueprint.route("/deposits")
class Deposits(MethodView):
    @guard.requires("finance", "treasurer")
    @blueprint.arguments(DepositSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(429)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Sign that cash went from the vault to the bank. Needs an Idempotency-Key."""
        by = guard.principal().subject_id
        password = given.pop("password")
        return transactions.perform(
            lambda _session: BankDeposit(staff_id=by, **given),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=password,
        )


@blueprint.route("/withdrawals")
class Withdrawals(MethodView):
    @guard.requires("finance", "treasurer")
    @blueprint.arguments(DepositSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(429)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Sign that cash came from the bank into the vault. Needs an Idempotency-Key."""
        by = guard.principal().subject_id
        password = given.pop("password")
        return transactions.perform(
            lambda _session: CashWithdrawal(staff_id=by, **given),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=password,
        )


@blueprint.route("/funding")
class Fundings(MethodView):
    @guard.requires("treasurer")
    @blueprint.arguments(FundingSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(429)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Sign that money arrived at the bank, and for what. Needs an Idempotency-Key."""
        by = guard.principal().subject_id
        password = given.pop("password")
        return transactions.perform(
            lambda _session: Funding(staff_id=by, **given),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=password,
        )


@blueprint.route("/reversals")
class Reversals(MethodView):
    @guard.requires("finance")
    @blueprint.arguments(ReversalSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(429)
    def post(self, given: dict[str, Any]) -> dict[str, Any]:
        """Sign that a whole entry is taken back, by a new entry; up to PHP 1,000. More is a journal entry of two that
        names it in `reverses`. Needs an Idempotency-Key.
        """
        by = guard.principal().subject_id
        return transactions.perform(
            lambda _session: Reversal(given["entry_id"], given["reason"], given["booked_on"]),
            record_id=web.idempotency_key(),
            staff_id=by,
            password=given["password"],
        )


def make_vouchers(by_two: access.ActionHandler) -> web.ApiBlueprint:
    """Journal entry vouchers, proposed here and signed as actions of two."""
    made = web.ApiBlueprint("vouchers", __name__, url_prefix="/v1/finance", description="Journal entry vouchers")

    @made.route("/journal-entries")
    class JournalEntries(MethodView):
        @guard.requires("finance")
        @made.arguments(VoucherSchema)
        @made.response(201, ProposedVoucherSchema)
        @made.fails(404, 422)
        def post(self, given: dict[str, Any]) -> access.ActionView:
            """Propose a journal entry. It is booked, with the next number of its fund and year, when a second person
            has signed it.
            """
            session = web.session()
            return vouchers.propose_voucher(
                session,
                by_two,
                _voucher(session, **given),
                by=guard.principal().subject_id,
                now=web.now(),
                random_bytes=web.city().random_bytes,
            )

    return made


def _voucher(session: Session, *, lines: list[dict[str, Any]] | None, reverses: UUID | None, **facts: Any) -> Voucher:
    """Raises: ledger.UnknownEntry."""
    if reverses is not None and lines is None:
        return vouchers.reversing_voucher(session, reverses, **facts)
    return Voucher(**facts, lines=tuple(JournalLine(**line) for line in lines or ()), reverses=reverses)
