"""Residents' money as finance acts on it: held for somebody, or given for a purpose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from flask.views import MethodView

from cardsvc import ledger, transactions, wallets, web
from cardsvc.access import guard
from cardsvc.db import to_ms
from cardsvc.finance.schemas.books import (
    CaptureSchema,
    HoldSearchSchema,
    HoldsSchema,
    PlaceSchema,
    PurseFundingSchema,
    PursesSchema,
    ReleaseSchema,
)
from crypto.wire.wallets import ANY, HoldCaptured, HoldPlaced, HoldReleased, PurseFunded

blueprint = web.ApiBlueprint("wallets", __name__, url_prefix="/v1/wallets", description="Holds and purses")
_READERS: Final = ("finance", "treasurer", "auditor", "cashier")
_BENEFICIARIES: Final = ("finance", "treasurer", "cashier")
_SHOWN_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold, as the API says it."""

    hold_id: UUID
    wallet_id: UUID
    beneficiary: str
    purpose: str
    placed_cents: int
    captured_cents: int
    left_cents: int
    limit_cents: int
    placed_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None
    age_days: int


@blueprint.route("/holds")
class AllHolds(MethodView):
    @guard.requires("finance", "treasurer", "auditor")
    @blueprint.response(200, HoldsSchema)
    def get(self) -> dict[str, Any]:
        """Everything that stands held, the oldest first, with its age."""
        return _listed(ledger.standing_holds(web.session(), limit=_SHOWN_MAX))


@blueprint.route("/<uuid:wallet_id>/holds")
class Holds(MethodView):
    @guard.requires(*_READERS)
    @blueprint.arguments(HoldSearchSchema, location="query")
    @blueprint.response(200, HoldsSchema)
    def get(self, given: dict[str, Any], wallet_id: UUID) -> dict[str, Any]:
        """What is set aside in a wallet, the oldest first, with its age."""
        session = web.session()
        _known(wallets.by_ids(session, [wallet_id]))
        account = wallets.held_account(wallet_id)
        found = ledger.standing_holds(session, account=account, ended_too=given["ended_too"], limit=_SHOWN_MAX)
        return _listed(found)

    @guard.requires("finance", "treasurer")
    @blueprint.arguments(PlaceSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(422, 429)
    def post(self, given: dict[str, Any], wallet_id: UUID) -> dict[str, Any]:
        """Sign that a resident's money is set aside, for whom and why. Needs an Idempotency-Key: the hold's id."""
        by, password = guard.principal().subject_id, given.pop("password")
        expires_at, limit_cents = given.pop("expires_at"), given.pop("limit_cents") or 0
        body = HoldPlaced(
            wallet_id=wallet_id, expires_at_ms=to_ms(expires_at), limit_cents=limit_cents, staff_id=by, **given
        )
        return transactions.perform(
            lambda _session: body, record_id=web.idempotency_key(), staff_id=by, password=password
        )


@blueprint.route("/<uuid:wallet_id>/holds/<uuid:hold_id>/captures")
class Captures(MethodView):
    @guard.requires(*_BENEFICIARIES)
    @blueprint.arguments(CaptureSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(422, 429)
    def post(self, given: dict[str, Any], wallet_id: UUID, hold_id: UUID) -> dict[str, Any]:
        """Sign that the beneficiary takes a part of a hold, or the last of it. Needs an Idempotency-Key."""
        by, password = guard.principal().subject_id, given.pop("password")

        def make(session: Any) -> HoldCaptured:
            _of_wallet(ledger.known_holds(session, [hold_id], web.now()).get(hold_id), wallet_id)
            return HoldCaptured(staff_id=by, hold_id=hold_id, **given)

        return transactions.perform(make, record_id=web.idempotency_key(), staff_id=by, password=password)


@blueprint.route("/<uuid:wallet_id>/holds/<uuid:hold_id>/release")
class Release(MethodView):
    @guard.requires(*_BENEFICIARIES)
    @blueprint.arguments(ReleaseSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(422, 429)
    def post(self, given: dict[str, Any], wallet_id: UUID, hold_id: UUID) -> dict[str, Any]:
        """Sign that all that is left of a hold goes back. Needs an Idempotency-Key."""
        by, password = guard.principal().subject_id, given.pop("password")

        def make(session: Any) -> HoldReleased:
            _of_wallet(ledger.known_holds(session, [hold_id], web.now()).get(hold_id), wallet_id)
            return HoldReleased(hold_id=hold_id, staff_id=by, **given)

        return transactions.perform(make, record_id=web.idempotency_key(), staff_id=by, password=password)


@blueprint.route("/<uuid:wallet_id>/purses")
class Purses(MethodView):
    @guard.requires(*_READERS)
    @blueprint.response(200, PursesSchema)
    def get(self, wallet_id: UUID) -> dict[str, Any]:
        """What is in a wallet, purse by purse, and what is held and owed."""
        session, now = web.session(), web.now()
        _known(wallets.by_ids(session, [wallet_id]))
        summary = wallets.summary(session, wallet_id)
        rows = [
            {
                "name": purse.name,
                "purpose": purse.purpose or ANY,
                "balance_cents": purse.balance_cents,
                "currency": purse.currency,
                "expires_at": purse.expires_at,
                "expired": purse.expired(now),
                "priority": purse.priority,
            }
            for purse in wallets.purses(session, wallet_id)
        ]
        return {
            "purses": rows,
            "held_cents": summary.held_cents,
            "owed_cents": summary.owed_cents,
            "top_up_reference": wallets.reference_of(wallet_id),
        }

    @guard.requires("treasurer")
    @blueprint.arguments(PurseFundingSchema)
    @blueprint.response(200, transactions.ActedSchema)
    @blueprint.keyed
    @blueprint.fails(422, 429)
    def post(self, given: dict[str, Any], wallet_id: UUID) -> dict[str, Any]:
        """Sign that a programme's money goes into a purse. Needs an Idempotency-Key."""
        by, password, expires_at = guard.principal().subject_id, given.pop("password"), given.pop("expires_at")
        until = 0 if expires_at is None else to_ms(expires_at)
        body = PurseFunded(staff_id=by, wallet_id=wallet_id, expires_at_ms=until, **given)
        return transactions.perform(
            lambda _session: body, record_id=web.idempotency_key(), staff_id=by, password=password
        )


def _known(found: dict[UUID, wallets.Wallet]) -> None:
    if not found:
        raise wallets.UnknownWallet


def _of_wallet(hold: ledger.KnownHold | None, wallet_id: UUID) -> None:
    """A hold is found at its own wallet only; one that does not exist is refused by its record, which is kept."""
    if hold is not None and hold.account != wallets.held_account(wallet_id):
        raise wallets.UnknownWallet


def _listed(found: Sequence[ledger.HoldView]) -> dict[str, Any]:
    now = web.now()
    rows = [
        HoldRow(
            view.hold.hold_id,
            wallets.wallet_of_account(view.hold.account),
            view.hold.terms.beneficiary,
            view.hold.terms.purpose or ANY,
            view.hold.placed_cents,
            view.hold.captured_cents,
            view.hold.left_cents,
            view.hold.terms.limit_cents,
            view.placed_at,
            view.hold.terms.expires_at,
            view.ended_at,
            ((view.ended_at or now) - view.placed_at).days,
        )
        for view in found
    ]
    return {"holds": rows, "left_cents": sum(row.left_cents for row in rows)}
