"""How a signed tap becomes an entry: the fare from the wallet to the operator, what is short as a debt."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, transactions, wallets
from cardsvc.transactions import Item, Plan, Reason, Rejected
from cardsvc.transit import queries, rules
from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap

RULE = "transit/flat/1"


class Tapping:
    """A tap made offline within policy is honoured even when the wallet is short: the rest becomes owed."""

    body: ClassVar[type[Tap]] = Tap
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.PRESENCE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"validator"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, item: Item, /) -> tuple[UUID | None, int]:
        """A card and a moment: no validator reads one card twice in a millisecond, so such a tap was made twice."""
        return None if item.card is None else item.card.card_id, item.record.at_ms

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        tariffs = queries.tariffs(session, {item.says(Tap).tariff_version for item in items})
        wallet_of = wallets.by_residents(session, [item.card.resident_id for item in items if item.card is not None])
        purses = wallets.purse_accounts(session, [wallet.id for wallet in wallet_of.values()])
        charged = transactions.charged_moments(session, items)
        plans: list[Plan | Rejected] = []
        for item in items:
            assert item.card is not None
            tap = item.says(Tap)
            wallet = wallet_of.get(item.card.resident_id)
            tariff = tariffs.get(tap.tariff_version)
            fare = rules.check_tap(tap, tariff)
            if wallet is None:
                plans.append(Rejected(Reason.UNKNOWN_WALLET, "This card's holder has no wallet. Ask at the counter."))
            elif isinstance(fare, Rejected):
                plans.append(fare)
            elif tariff is None or fare.amount_cents == 0:
                plans.append(Rejected(Reason.WRONG_AMOUNT, "A ride that costs nothing needs no tap."))
            elif (item.card.card_id, item.happened_at) in charged:
                plans.append(Rejected(Reason.ALREADY_DONE, "This tap was charged before, under another id."))
            else:
                plans.append(_plan(item, wallet.id, purses[wallet.id], tariff, fare))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""


def _plan(
    item: Item, wallet_id: UUID, purses: Sequence[ledger.PurseAccount], tariff: rules.Tariff, fare: rules.Fare
) -> Plan:
    """The purses that could pay when the tap was made, in order, then the wallet, then as a debt. A purse that expired
    since and was emptied pays nothing any more.
    """
    first, *rest = wallets.sources(wallet_id, purses, wallets.TRANSIT, item.happened_at)
    charged = ledger.Line(first, fare.amount_cents, then=(*rest, wallets.owed_account(wallet_id)))
    earned = ledger.Line(rules.revenue_account(tariff.agency_of[fare.network_id]), -fare.amount_cents)
    draft = ledger.Draft(
        item.record.record_id,
        ledger.EntryKind.TAP,
        (charged, earned),
        item.happened_at,
        f"{RULE}#{tariff.version}:{fare.product_id}",
        fare.currency,
    )
    return Plan(draft, fare.amount_cents)
