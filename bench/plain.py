"""A tap without the fare engine: what it costs to take a signed record, post it and prove it, and nothing else."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger, transit, wallets
from cardsvc.transactions import Item, Plan, Rejected
from crypto.wire.transaction import Purpose
from crypto.wire.transit import Tap

_RULE = "bench/plain/1"
_OPERATOR = "loop"  # who runs the demo feed's buses


class PlainTapping:
    """The amount that the gate signed, from the rider's purses and wallet to the operator; the rest becomes owed.

    What any kind of record does to the ledger. The difference to `transit.Tapping` is the pricing of journeys.
    """

    body: ClassVar[type[Tap]] = Tap
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.PRESENCE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"validator"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def subject(self, _item: Item, /) -> UUID | None:
        return None

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        wallet_of = wallets.by_residents(session, [item.card.resident_id for item in items if item.card is not None])
        purses = wallets.purse_accounts(session, [wallet.id for wallet in wallet_of.values()])
        operator = transit.revenue_account(_OPERATOR)
        plans: list[Plan | Rejected] = []
        for item in items:
            assert item.card is not None
            tap, wallet_id = item.says(Tap), wallet_of[item.card.resident_id].id
            first, *rest = wallets.sources(wallet_id, purses[wallet_id], wallets.TRANSIT, item.happened_at)
            charged = ledger.Line(first, tap.fare_cents, then=(*rest, wallets.owed_account(wallet_id)))
            lines = charged, ledger.Line(operator, -tap.fare_cents)
            record_id = item.record.record_id
            draft = ledger.Draft(record_id, ledger.EntryKind.TAP, lines, item.happened_at, _RULE, tap.currency)
            plans.append(Plan(draft, tap.fare_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""
