"""Cash over the counter into a wallet."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, transactions, wallets
from cardsvc.finance import queries, rules
from cardsvc.finance.handler.common import OTHER_CURRENCY, draft, into_wallet
from cardsvc.finance.models import Shift
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.transaction import Purpose
from crypto.wire.wallets import CashTopUp

TOP_UP_CENTS_MAX = 50_000_00
"""What one top-up may bring. It bounds what a stolen counter can make up while its cashier's shift is open."""
_TOO_MUCH_CASH = Rejected(Reason.WRONG_AMOUNT, "One top-up is at most PHP 50,000. Bring larger sums to the treasurer.")
_NO_SHIFT = Rejected(Reason.UNKNOWN_REFERENCE, "No shift is open at this counter. Open one, then take the cash.")


def _was_counted(session: Session, item: Item, body: CashTopUp) -> bool:
    """Whether the shift that a settled top-up names was closed meanwhile at the same counter."""
    query = sa.select(Shift.id).where(
        Shift.id == body.shift_id, Shift.device_id == item.device.id, Shift.closed_record.is_not(None)
    )
    return session.scalars(query).one_or_none() is not None


class ToppingUp:
    """Cash into a wallet at a counter: the card says whose, the shift says who took it. Debts are repaid first."""

    body: ClassVar[type[CashTopUp]] = CashTopUp
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.PRESENCE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"counter"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, _item: Item, /) -> None:
        """Top-ups do not compete."""

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        open_shifts = queries.open_shifts(session, [item.device.id for item in items])
        wallet_of = wallets.by_residents(session, [item.card.resident_id for item in items if item.card is not None])
        owed = ledger.balances(session, [wallets.owed_account(wallet.id) for wallet in wallet_of.values()])
        plans: list[Plan | Rejected] = []
        for item in items:
            assert item.card is not None
            body = item.says(CashTopUp)
            wallet = wallet_of.get(item.card.resident_id)
            shift = open_shifts.get(item.device.id)
            into = rules.drawer(item.device.id)
            if item.settled and _was_counted(session, item, body):
                shift, into = None, rules.OVER_SHORT  # its cash was over when the drawer was counted
            if wallet is None:
                plans.append(Rejected(Reason.UNKNOWN_WALLET, "This card's holder has no wallet yet."))
            elif into != rules.OVER_SHORT and (shift is None or shift.id != body.shift_id):
                plans.append(_NO_SHIFT)
            elif body.currency != CURRENCY:
                plans.append(OTHER_CURRENCY)
            elif body.amount_cents > TOP_UP_CENTS_MAX:
                plans.append(_TOO_MUCH_CASH)
            else:
                lines = ledger.Line(into, body.amount_cents), *into_wallet(wallet.id, body.amount_cents, owed)
                entry = draft(item, ledger.EntryKind.CASH_TOP_UP, "wallets/cash-top-up/1", body.currency, *lines)
                plans.append(Plan(entry, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        """The entry is all there is to it; a settled one is expected in a count that is over by now."""
        for item, posted in done:
            if item.settled:
                count_in(session, item.says(CashTopUp).shift_id, posted.lines)


def count_in(session: Session, shift_id: UUID, lines: Sequence[ledger.PostedLine]) -> None:
    """What moved at `cash:over-short` is what the shift's drawer should have held besides."""
    cents = sum(line.amount_cents for line in lines if line.account == rules.OVER_SHORT)
    if cents:
        counted = sa.update(Shift).where(Shift.id == shift_id, Shift.closed_record.is_not(None))
        session.execute(counted.values(expected_cents=Shift.expected_cents + cents))


def count_out(session: Session, taken_back: ledger.StoredEntry, lines: Sequence[ledger.PostedLine]) -> None:
    """The same for the voucher that takes a settled top-up back."""
    notes = dict(taken_back.metadata)
    if notes.get("disputed_kind") == str(int(CashTopUp.KIND)):
        disputed = transactions.stored(session, UUID(notes["disputed"]))
        assert disputed is not None
        count_in(session, CashTopUp.decode(disputed.record).shift_id, lines)
