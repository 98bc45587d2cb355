"""An earlier entry is taken back."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.clock import business_date
from cardsvc.finance.rules.vouchers import REVERSAL_ALONE_CENTS_MAX
from cardsvc.money import show
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.transaction import Purpose, Reversal

_TAKES_TWO = Rejected(
    Reason.NOT_PERMITTED,
    f"To take back more than {show(REVERSAL_ALONE_CENTS_MAX)} takes two people: propose a journal entry that does.",
)


class Reversing:
    """Takes a whole earlier entry back, under one finance officer's signature, up to `REVERSAL_ALONE_CENTS_MAX`.

    Only kinds whose entry is all there is to them: a claim or a paid bill has a state of its own that its feature must
    give back, and no feature does yet. `objects` is asked why a feature's own entry may not be taken back now; nothing:
    it may.
    """

    body: ClassVar[type[Reversal]] = Reversal
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance"})
    kinds: ClassVar[frozenset[ledger.EntryKind]] = frozenset(
        {
            ledger.EntryKind.CASH_TOP_UP,
            ledger.EntryKind.TAP,
            ledger.EntryKind.PASS_BOUGHT,
            ledger.EntryKind.CARD_PAID,
            ledger.EntryKind.HOLD_CAPTURED,
        }
    )

    def __init__(self, objects: Callable[[Session, UUID], str]) -> None:
        self._objects = objects

    def subject(self, item: Item, /) -> UUID:
        return item.says(Reversal).reversed_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        return [self._plan_one(session, item, now) for item in items]

    def _plan_one(self, session: Session, item: Item, now: datetime) -> Plan | Rejected:
        body = item.says(Reversal)
        try:
            entry = ledger.entry(session, body.reversed_id)
        except ledger.UnknownEntry:
            return Rejected(Reason.UNKNOWN_REFERENCE, "There is no such entry to take back.")
        if refusal := self._refusal(session, entry):
            return refusal
        amount_cents = sum(line.amount_cents for line in entry.lines if line.amount_cents > 0)
        if amount_cents > REVERSAL_ALONE_CENTS_MAX:
            return _TAKES_TWO
        if body.booked_on is not None and body.booked_on > business_date(now):
            return Rejected(
                Reason.NOT_PERMITTED, f"{body.booked_on} is still to come: date it on a day that has begun."
            )
        record_id = item.record.record_id
        draft = ledger.reversing(entry, entry_id=record_id, happened_at=item.happened_at, rule="finance/reversal/1")
        return Plan(replace(draft, booked_on=body.booked_on), amount_cents)

    def _refusal(self, session: Session, entry: ledger.StoredEntry) -> Rejected | None:
        if entry.kind not in self.kinds:
            return Rejected(Reason.NOT_PERMITTED, "Entries of this kind cannot be taken back here.")
        if ledger.reversal_of(session, entry.entry_id) is not None:
            return Rejected(Reason.ALREADY_DONE, "This entry was taken back before.")
        if objection := self._objects(session, entry.entry_id):
            return Rejected(Reason.NOT_PERMITTED, objection)
        return None

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""
