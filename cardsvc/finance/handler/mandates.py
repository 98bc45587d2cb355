"""A wallet tops itself up, as its holder agreed."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.clock import business_date
from cardsvc.finance import queries
from cardsvc.finance.handler.common import OTHER_CURRENCY, draft, into_wallet
from cardsvc.finance.models import AutoTopUpDone
from cardsvc.finance.rules.mandates import Mandate, may_give
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.transaction import Purpose
from crypto.wire.wallets import AutoTopUp

_NO_MANDATE = Rejected(Reason.NOT_PERMITTED, "The holder gave no such mandate, or took it back.")
_OTHER_PURSE = Rejected(Reason.NOT_PERMITTED, "Money of this purse cannot become balance: it is for something else.")
_ENOUGH = Rejected(Reason.ALREADY_DONE, "The balance is not below what the mandate says.")
_OFTEN = Rejected(Reason.NOT_PERMITTED, "The mandate was followed as often today as its holder allows.")
_CLOSED = Rejected(Reason.ACCOUNT_CLOSED, "This wallet is closed: nothing can be put into it.")


class AutoToppingUp:
    """The service follows a mandate that stands: from a purse to what is owed, and then to the balance."""

    body: ClassVar[type[AutoTopUp]] = AutoTopUp
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.SERVICE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, item: Item, /) -> UUID:
        return item.says(AutoTopUp).wallet_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        found = wallets.by_ids(session, [item.says(AutoTopUp).wallet_id for item in items])
        agreed = {mandate.wallet_id: mandate for mandate in queries.mandates(session, list(found))}
        purses = wallets.purse_accounts(session, list(found))
        mains = [wallets.main_account(wallet_id) for wallet_id in found]
        owed_of = [wallets.owed_account(wallet_id) for wallet_id in found]
        money = ledger.balances(session, [*mains, *owed_of])
        done = queries.followed(session, business_date(now))
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(AutoTopUp)
            wallet, mandate = found.get(body.wallet_id), agreed.get(body.wallet_id)
            refusal = _fault(body, wallet, mandate, money) or _too_often(mandate, done)
            source = next((one for one in purses.get(body.wallet_id, ()) if one.name == body.source), None)
            if refusal is not None or source is None or not may_give(source):
                plans.append(refusal or _OTHER_PURSE)
                continue
            taken = ledger.Line(source.code, body.amount_cents)
            given = into_wallet(body.wallet_id, body.amount_cents, money)
            entry = draft(item, ledger.EntryKind.AUTO_TOP_UP, "wallets/auto-top-up/1", body.currency, taken, *given)
            plans.append(Plan(entry, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        rows = [
            {
                "entry_id": item.record.record_id,
                "mandate_id": item.says(AutoTopUp).mandate_id,
                "day": business_date(now),
            }
            for item, _ in done
        ]
        session.execute(sa.insert(AutoTopUpDone), rows)


def _fault(
    body: AutoTopUp, wallet: wallets.Wallet | None, mandate: Mandate | None, money: Mapping[str, int]
) -> Rejected | None:
    if wallet is None or mandate is None or mandate.mandate_id != body.mandate_id:
        return _NO_MANDATE
    if (mandate.source, mandate.amount_cents) != (body.source, body.amount_cents):
        return _NO_MANDATE
    if not wallet.is_open:
        return _CLOSED
    if body.currency != CURRENCY:
        return OTHER_CURRENCY
    return None if money[wallets.main_account(wallet.id)] < mandate.threshold_cents else _ENOUGH


def _too_often(mandate: Mandate | None, done: Mapping[UUID, int]) -> Rejected | None:
    return _OFTEN if mandate is not None and done.get(mandate.mandate_id, 0) >= mandate.day_max else None
