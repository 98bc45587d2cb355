"""Cash to and from the bank, and what the bank received for a purpose."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.clock import business_date
from cardsvc.finance import rules
from cardsvc.finance.handler.common import NOT_THE_SIGNER, draft, signer
from cardsvc.finance.models import BankMovement
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.finance import BankDeposit, CashWithdrawal, Funding
from crypto.wire.transaction import Purpose


class Depositing:
    """Cash goes from the vault to the bank; the statement will show the reference."""

    body: ClassVar[type[BankDeposit | CashWithdrawal]] = BankDeposit
    kind: ClassVar[ledger.EntryKind] = ledger.EntryKind.BANK_DEPOSIT
    rule: ClassVar[str] = "finance/deposit/1"
    into_bank: ClassVar[int] = 1
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance", "treasurer"})

    def subject(self, _item: Item, /) -> None:
        """Movements of cash do not compete but for the money, and the ledger sees to that."""

    def plan(self, _session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(self.body)
            if body.staff_id != signer(item):
                plans.append(NOT_THE_SIGNER)
                continue
            moved = self.into_bank * body.amount_cents
            lines = (ledger.Line(rules.BANK, moved), ledger.Line(rules.VAULT, -moved))
            entry = draft(item, self.kind, self.rule, body.currency, *lines, reference=body.reference)
            plans.append(Plan(entry, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        bodies = [(item, item.says(self.body)) for item, _ in done]
        moved = [(item, body.reference, self.into_bank * body.amount_cents) for item, body in bodies]
        note_movements(session, moved)


class Withdrawing(Depositing):
    """Cash comes from the bank into the vault: the floats of the shifts."""

    body: ClassVar[type[BankDeposit | CashWithdrawal]] = CashWithdrawal
    kind: ClassVar[ledger.EntryKind] = ledger.EntryKind.CASH_WITHDRAWAL
    rule: ClassVar[str] = "finance/withdrawal/1"
    into_bank: ClassVar[int] = -1


class Funds:
    """Money arrives at the bank for a purpose: the credited account says which."""

    body: ClassVar[type[Funding]] = Funding
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"treasurer"})
    sources: ClassVar[re.Pattern[str]] = re.compile(r"equity:[a-z-]+|benefits:[A-Z0-9]{2,20}:fund")

    def subject(self, _item: Item, /) -> None:
        """Fundings do not compete."""

    def plan(self, _session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(Funding)
            if body.staff_id != signer(item):
                plans.append(NOT_THE_SIGNER)
                continue
            if not self.sources.fullmatch(body.account_code):
                plans.append(Rejected(Reason.NOT_PERMITTED, f"Funding cannot be credited to {body.account_code}."))
                continue
            lines = (ledger.Line(rules.BANK, body.amount_cents), ledger.Line(body.account_code, -body.amount_cents))
            kind, rule = ledger.EntryKind.FUNDING, "finance/funding/1"
            entry = draft(item, kind, rule, body.currency, *lines, reference=body.reference)
            plans.append(Plan(entry, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        bodies = [(item, item.says(Funding)) for item, _ in done]
        note_movements(session, [(item, body.reference, body.amount_cents) for item, body in bodies])


def note_movements(session: Session, movements: Sequence[tuple[Item, str, int]]) -> None:
    """Keep what a bank statement must show one day: reference and amount, into the bank positive."""
    if not movements:
        return
    rows = [
        {
            "entry_id": item.record.record_id,
            "reference": reference,
            "amount_cents": amount_cents,
            "happened_on": business_date(item.happened_at),
        }
        for item, reference, amount_cents in movements
    ]
    session.execute(sa.insert(BankMovement), rows)
