"""A journal entry voucher that two people signed becomes an entry."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, ledger
from cardsvc.clock import business_date
from cardsvc.finance import rules
from cardsvc.finance.handler.bank import note_movements
from cardsvc.finance.handler.common import OTHER_CURRENCY
from cardsvc.finance.handler.topping_up import count_out
from cardsvc.finance.handler.vouching import check_voucher, opens
from cardsvc.finance.rules.vouchers import VOUCHER, UnfitVoucher, Voucher, read_voucher, series
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.finance import JournalEntry
from crypto.wire.transaction import Purpose

RULE = "finance/journal-entry/1"
_NOT_SIGNED = Rejected(Reason.NOT_PERMITTED, "No two people signed this journal entry. Propose it, then both sign it.")


class Journal:
    """The service books what two people signed, and nothing else: the record says what their action says.

    `objects` is asked why a feature's own entry may not be taken back now, by nobody; nothing: it may.
    """

    body: ClassVar[type[JournalEntry]] = JournalEntry
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.SERVICE})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, objects: Callable[[Session, UUID], str]) -> None:
        self._objects = objects

    def subject(self, item: Item, /) -> UUID:
        return item.says(JournalEntry).reverses or item.record.record_id

    def plan(self, session: Session, items: Sequence[Item], now: datetime, /) -> list[Plan | Rejected]:
        return [self._plan_one(session, item, now) for item in items]

    def _plan_one(self, session: Session, item: Item, now: datetime) -> Plan | Rejected:
        body = item.says(JournalEntry)
        voucher = _signed(session, item, now)
        if voucher is None:
            return _NOT_SIGNED
        if body.currency != CURRENCY:
            return OTHER_CURRENCY
        try:
            check_voucher(session, voucher, business_date(now))
        except ledger.UnknownEntry as error:
            return Rejected(Reason.UNKNOWN_REFERENCE, str(error))
        except UnfitVoucher as error:
            return Rejected(Reason.NOT_PERMITTED, str(error))
        if body.reverses is not None and (objection := self._objects(session, body.reverses)):
            return Rejected(Reason.NOT_PERMITTED, objection)
        draft = _draft(session, item, body)
        codes = [line.account_code for line in body.lines]
        number = series(body.fund, body.booked_on)
        return Plan(draft, voucher.debits_cents, number, opens(session, codes))

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        """What a voucher moves at the bank, a statement must show one day; what it takes back, a count did not miss."""
        for item, posted in done:
            reverses = item.says(JournalEntry).reverses
            if reverses is not None:
                count_out(session, ledger.entry(session, reverses), posted.lines)
        moved = [
            (
                item,
                item.says(JournalEntry).document,
                sum(p.amount_cents for p in posted.lines if p.account == rules.BANK),
            )
            for item, posted in done
        ]
        note_movements(session, [movement for movement in moved if movement[2]])


def _draft(session: Session, item: Item, body: JournalEntry) -> ledger.Draft:
    """The entry; one that takes another back is what any reversal of that would be, under this kind."""
    kind, said = ledger.EntryKind.JOURNAL_ENTRY, {"document": body.document, "particulars": body.particulars}
    if body.reverses is not None:
        entry = ledger.entry(session, body.reverses)
        back = ledger.reversing(entry, entry_id=item.record.record_id, happened_at=item.happened_at, rule=RULE)
        metadata = tuple(sorted((dict(back.metadata) | said).items()))
        return replace(back, kind=kind, booked_on=body.booked_on, metadata=metadata)
    lines = tuple(ledger.Line(line.account_code, line.amount_cents) for line in body.lines)
    return ledger.Draft(
        item.record.record_id,
        kind,
        lines,
        item.happened_at,
        RULE,
        body.currency,
        booked_on=body.booked_on,
        metadata=tuple(sorted(said.items())),
    )


def _signed(session: Session, item: Item, now: datetime) -> Voucher | None:
    """The voucher of the action that has the record's id, where two signed it and the record says the same."""
    body = item.says(JournalEntry)
    try:
        action = access.action(session, item.record.record_id, now)
        voucher = read_voucher(action.payload)
    except (access.NoSuchAction, access.UnsuitableAction):
        return None
    if action.kind != VOUCHER or action.state is not access.ActionState.DONE or action.ended_by is None:
        return None
    return voucher if body == voucher.signed_by(action.proposed_by, action.ended_by) else None
