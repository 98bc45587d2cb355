"""How signed approvals and claims become entries."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.benefits import queries, rules
from cardsvc.benefits.models import Cycle, Entitlement
from cardsvc.clock import business_date
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected, dated
from crypto.wire.benefits import Claim, CycleApproved
from crypto.wire.transaction import Purpose

APPROVAL_RULE = "benefits/approve/1"
CLAIM_RULE = "benefits/claim/1"


class Approval:
    """An officer who did not draft the cycle approves it: its total moves from the programme's fund to its reserve."""

    body: ClassVar[type[CycleApproved]] = CycleApproved
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal", "counter"})
    roles: ClassVar[frozenset[str]] = frozenset({"benefits_approver"})

    def subject(self, item: Item) -> UUID:
        return item.says(CycleApproved).cycle_id

    def plan(self, session: Session, items: Sequence[Item], _now: datetime) -> list[Plan | Rejected]:
        bodies = [item.says(CycleApproved) for item in items]
        cycles = {cycle.id: cycle for cycle in queries.cycles(session, [body.cycle_id for body in bodies])}
        plans: list[Plan | Rejected] = []
        for item, body in zip(items, bodies, strict=True):
            cycle = cycles.get(body.cycle_id)
            refusal = self._refusal(item, body, cycle)
            if refusal is not None or cycle is None:
                plans.append(refusal or Rejected(Reason.UNKNOWN_REFERENCE, "There is no such cycle to approve."))
                continue
            lines = (
                ledger.Line(rules.fund_account(cycle.programme_code), body.total_cents),
                ledger.Line(rules.reserve_account(cycle.id), -body.total_cents),
            )
            kind = ledger.EntryKind.CYCLE_APPROVED
            draft = ledger.Draft(item.record.record_id, kind, lines, item.happened_at, APPROVAL_RULE, body.currency)
            plans.append(Plan(draft, body.total_cents))
        return plans

    def _refusal(self, item: Item, body: CycleApproved, cycle: queries.Cycle | None) -> Rejected | None:
        signer = None if item.staff is None else item.staff.staff_id
        if body.staff_id != signer or (cycle is not None and cycle.drafted_by == signer):
            return Rejected(
                Reason.NOT_PERMITTED, "Somebody other than the officer who drafted the cycle must approve it."
            )
        if cycle is None:
            return Rejected(Reason.UNKNOWN_REFERENCE, "There is no such cycle to approve.")
        approved = body.count, body.total_cents, body.currency, body.list_hash
        if approved != (cycle.line_count, cycle.total_cents, CURRENCY, cycle.list_hash):
            return Rejected(Reason.WRONG_AMOUNT, "The list is not the one that was drafted. Look at the cycle again.")
        if cycle.state != "draft":
            return Rejected(Reason.ALREADY_DONE, f"The cycle is {cycle.state} already.")
        return None

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime) -> None:
        for item, _ in done:
            body = item.says(CycleApproved)
            approval = {"approved_by": body.staff_id, "approved_at": now, "approved_record": item.record.record_id}
            session.execute(sa.update(Cycle).where(Cycle.id == body.cycle_id).values(state="approved", **approval))
            session.execute(
                sa.update(Entitlement).where(Entitlement.cycle_id == body.cycle_id).values(state="approved")
            )


class Claiming:
    """A resident with card and PIN takes an entitlement into the wallet."""

    body: ClassVar[type[Claim]] = Claim
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.CONSENT})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"kiosk", "counter"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, item: Item) -> UUID:
        return item.says(Claim).entitlement_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime) -> list[Plan | Rejected]:
        claims = [item.says(Claim) for item in items]
        claimables = queries.claimables(session, [claim.entitlement_id for claim in claims])
        residents = [item.card.resident_id for item in items if item.card is not None]
        wallet_of = wallets.by_residents(session, residents)
        plans: list[Plan | Rejected] = []
        for item, claim in zip(items, claims, strict=True):
            assert item.card is not None
            wallet = wallet_of.get(item.card.resident_id)
            claimable = claimables.get(claim.entitlement_id)
            refusal = rules.check_claim(
                claimable,
                resident_id=item.card.resident_id,
                amount_cents=claim.amount_cents,
                currency=claim.currency,
                today=business_date(dated(item, now)),
            )
            if wallet is None:
                refusal = Rejected(Reason.UNKNOWN_WALLET, "This card's holder has no wallet. Ask at the counter.")
            if refusal is not None:
                plans.append(refusal)
                continue
            assert claimable is not None
            assert wallet is not None
            lines = (
                ledger.Line(rules.reserve_account(claimable.cycle_id), claim.amount_cents),
                ledger.Line(wallets.main_account(wallet.id), -claim.amount_cents),
            )
            kind = ledger.EntryKind.CLAIM
            draft = ledger.Draft(item.record.record_id, kind, lines, item.happened_at, CLAIM_RULE, claim.currency)
            plans.append(Plan(draft, claim.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime) -> None:
        table = Entitlement.__table__
        assert isinstance(table, sa.Table)
        statement = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("b_id"))
            .values(state="claimed", claimed_record=sa.bindparam("b_record"), claimed_at=sa.bindparam("b_at"))
        )
        rows = [
            {
                "b_id": item.says(Claim).entitlement_id,
                "b_record": item.record.record_id,
                "b_at": item.happened_at,
            }
            for item, _ in done
        ]
        session.connection().execute(statement, rows)
