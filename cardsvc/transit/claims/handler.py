"""How a granted claim becomes an entry: from the operator back to the rider, and to the programme that paid a part."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, ledger, wallets
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from cardsvc.transit import rules
from cardsvc.transit.claims import actions, queries
from cardsvc.transit.claims.queries import ClaimView
from cardsvc.transit.rules import claiming
from crypto.wire.transaction import Purpose
from crypto.wire.transit import FareRefunded

RULE = "transit/refund/1"


class Refunding:
    """A claim is granted under one signature, or where it is large under that of one of the two who agreed to it. A
    debt is paid first; the rest goes to the wallet.
    """

    body: ClassVar[type[FareRefunded]] = FareRefunded
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance", "treasurer"})

    def subject(self, item: Item, /) -> UUID:
        return item.says(FareRefunded).claim_id

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        return [self._plan_one(session, item) for item in items]

    def _plan_one(self, session: Session, item: Item) -> Plan | Rejected:
        body = item.says(FareRefunded)
        try:
            found = queries.claim(session, body.claim_id)
        except claiming.UnknownClaim as error:
            return Rejected(Reason.UNKNOWN_REFERENCE, str(error))
        refusal = _refusal(session, item, body, found)
        return refusal or Plan(_draft(session, item, body, found), body.fare_cents)

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        for item, _ in done:
            body = item.says(FareRefunded)
            found = queries.claim(session, body.claim_id)
            actions.decide(
                session,
                found,
                claiming.REFUNDED,
                reason=body.reason,
                by=body.staff_id,
                now=now,
                granted=body,
                record_id=item.record.record_id,
            )


def _refusal(session: Session, item: Item, body: FareRefunded, found: ClaimView) -> Rejected | None:
    signer = None if item.staff is None else item.staff.staff_id
    if body.staff_id != signer:
        return Rejected(Reason.NOT_PERMITTED, "The record names another staff member than the one who signed it.")
    if found.state != claiming.OPEN:
        return Rejected(Reason.ALREADY_DONE, "This claim was decided before. Nothing was posted again.")
    if (body.wallet_id, body.ride_id) != (found.wallet_id, found.ride.ride_id):
        return Rejected(Reason.UNKNOWN_REFERENCE, "The claim is about another ride. Look at the claim again.")
    if claiming.needs_two(body.fare_cents) and not _two_agreed(session, body):
        return Rejected(Reason.NOT_PERMITTED, "Two people decide about this amount: propose transit.refund first.")
    problem = _amiss(body, found)
    return Rejected(Reason.WRONG_AMOUNT, problem) if problem else None


def _amiss(body: FareRefunded, found: ClaimView) -> str:
    if body.currency != CURRENCY:
        return f"The city's books are kept in {CURRENCY}. Make the record in {CURRENCY}."
    if body.subsidy_cents != found.ride.subsidy_back(body.fare_cents):
        return "The ride changed since: the programme's part is another one now. Open the claim again."
    return claiming.check_refund(found.ride, body.fare_cents)


def _two_agreed(session: Session, body: FareRefunded) -> bool:
    """Whether two people signed for it and one of them signs now."""
    if body.action_id is None or not queries.is_approved(session, body.claim_id, body.action_id, body.fare_cents):
        return False
    return body.staff_id in access.signers_of(session, body.action_id)


def _draft(session: Session, item: Item, body: FareRefunded, found: ClaimView) -> ledger.Draft:
    owed, main = wallets.owed_account(found.wallet_id), wallets.main_account(found.wallet_id)
    debt = min(max(ledger.balances(session, [owed])[owed], 0), body.fare_cents)
    amounts = (
        (rules.revenue_account(found.ride.agency), body.fare_cents + body.subsidy_cents),
        (owed, -debt),
        (main, debt - body.fare_cents),
        (rules.concession_account(found.ride.paid_by), -body.subsidy_cents),
    )
    lines = tuple(ledger.Line(code, cents) for code, cents in amounts if cents)
    notes = (("claim", str(found.id)), ("ride", str(found.ride.ride_id)))
    return ledger.Draft(
        item.record.record_id, ledger.EntryKind.FARE_REFUNDED, lines, item.happened_at, RULE, CURRENCY, metadata=notes
    )
