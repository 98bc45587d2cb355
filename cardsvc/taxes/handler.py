"""How a signed payment becomes an entry: basic tax and education levy in one entry, each to its fund."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.clock import business_date
from cardsvc.taxes import queries, rules
from cardsvc.taxes.models import Bill
from cardsvc.transactions import Item, Plan, Reason, Rejected, dated
from crypto.wire.taxes import TaxPayment
from crypto.wire.transaction import Purpose

RULE = "taxes/pay/1"


class Paying:
    """A resident pays a bill from the wallet, with card and PIN or with a passkey, and is given an official receipt."""

    body: ClassVar[type[TaxPayment]] = TaxPayment
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.CONSENT, Purpose.PASSKEY})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"kiosk", "counter", "portal"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, item: Item) -> UUID:
        return item.says(TaxPayment).bill_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime) -> list[Plan | Rejected]:
        payables = queries.payables(session, [item.says(TaxPayment).bill_id for item in items])
        wallet_of = wallets.by_residents(session, [item.resident_id for item in items if item.resident_id is not None])
        purses = wallets.purse_accounts(session, [wallet.id for wallet in wallet_of.values()])
        plans: list[Plan | Rejected] = []
        for item in items:
            assert item.resident_id is not None
            payment = item.says(TaxPayment)
            wallet = wallet_of.get(item.resident_id)
            payable = payables.get(payment.bill_id)
            if wallet is None:
                plans.append(Rejected(Reason.UNKNOWN_WALLET, "You have no wallet. Ask for one at the counter."))
                continue
            refusal = rules.check_payment(payable, amount_cents=payment.amount_cents, currency=payment.currency)
            if refusal is not None or payable is None:
                plans.append(refusal or Rejected(Reason.UNKNOWN_REFERENCE, "There is no such bill."))
                continue
            at = now if item.settled else dated(item, now)
            sources = wallets.sources(wallet.id, purses[wallet.id], wallets.TAX, at)
            plans.append(_plan(item, payable, sources, at))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime) -> None:
        table = Bill.__table__
        assert isinstance(table, sa.Table)
        statement = (
            sa.update(table)
            .where(table.c.id == sa.bindparam("b_id"))
            .values(state="paid", paid_record=sa.bindparam("b_record"), paid_at=sa.bindparam("b_at"))
        )
        rows = [
            {
                "b_id": item.says(TaxPayment).bill_id,
                "b_record": item.record.record_id,
                "b_at": item.happened_at,
            }
            for item, _ in done
        ]
        session.connection().execute(statement, rows)


def _plan(item: Item, payable: rules.Payable, sources: Sequence[str], at: datetime) -> Plan:
    payment = item.says(TaxPayment)
    parts = ((rules.BASIC_ACCOUNT, payable.basic_cents), (rules.SEF_ACCOUNT, payable.sef_cents))
    credited = tuple(ledger.Line(account, -cents) for account, cents in parts if cents)
    draft = ledger.Draft(
        item.record.record_id,
        ledger.EntryKind.TAX_PAYMENT,
        (ledger.Line(sources[0], payment.amount_cents, tuple(sources[1:])), *credited),
        item.happened_at,
        RULE,
        payment.currency,
        metadata=(("bill", payable.number),) if payable.number.isprintable() else (),
    )
    # The series is of the year of collection, not of the tax: one gapless run of numbers a year.
    return Plan(draft, payment.amount_cents, f"RPT-{business_date(at).year}")
