"""The float goes into a counter's drawer and the counted cash comes back: two records of one shift."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.finance import queries, rules
from cardsvc.finance.handler.common import NOT_THE_SIGNER, OTHER_CURRENCY, draft, signer
from cardsvc.finance.models import Shift
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.finance import ShiftClosed, ShiftOpened
from crypto.wire.transaction import Purpose


class ShiftOpening:
    """A cashier takes a float from the vault into the counter's drawer."""

    body: ClassVar[type[ShiftOpened]] = ShiftOpened
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"counter"})
    roles: ClassVar[frozenset[str]] = frozenset({"cashier"})

    def subject(self, item: Item, /) -> UUID:
        return item.device.id

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        busy = queries.open_shifts(session, [item.device.id for item in items])
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(ShiftOpened)
            if body.staff_id != signer(item):
                plans.append(NOT_THE_SIGNER)
            elif body.float_cents == 0:
                plans.append(Rejected(Reason.WRONG_AMOUNT, "A shift begins with some change in the drawer: enter it."))
            elif body.currency != CURRENCY:
                plans.append(OTHER_CURRENCY)
            elif item.device.id in busy:
                plans.append(Rejected(Reason.ALREADY_DONE, "A shift is open at this counter. Close it first."))
            else:
                lines = (
                    ledger.Line(rules.drawer(item.device.id), body.float_cents),
                    ledger.Line(rules.VAULT, -body.float_cents),
                )
                entry = draft(item, ledger.EntryKind.SHIFT_OPENED, "finance/shift-open/1", body.currency, *lines)
                plans.append(Plan(entry, body.float_cents, opens=(rules.drawer_spec(item.device.id),)))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        rows = [
            {
                "id": item.record.record_id,
                "device_id": item.device.id,
                "staff_id": item.says(ShiftOpened).staff_id,
                "float_cents": item.says(ShiftOpened).float_cents,
                "opened_at": item.happened_at,
            }
            for item, _ in done
        ]
        session.execute(sa.insert(Shift), rows)


class ShiftClosing:
    """The counted cash goes back to the vault; what is over or short is kept visible in an account of its own."""

    body: ClassVar[type[ShiftClosed]] = ShiftClosed
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"counter"})
    roles: ClassVar[frozenset[str]] = frozenset({"cashier"})

    def subject(self, item: Item, /) -> UUID:
        return item.device.id

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        open_shifts = queries.open_shifts(session, [item.device.id for item in items])
        expected = ledger.balances(session, [rules.drawer(device_id) for device_id in open_shifts])
        plans: list[Plan | Rejected] = []
        for item in items:
            body = item.says(ShiftClosed)
            shift = open_shifts.get(item.device.id)
            if body.staff_id != signer(item):
                plans.append(NOT_THE_SIGNER)
            elif shift is None or shift.id != body.shift_id:
                plans.append(Rejected(Reason.UNKNOWN_REFERENCE, "That shift is not open at this counter."))
            else:
                plans.append(self._close(item, body, expected[rules.drawer(item.device.id)]))
        return plans

    def _close(self, item: Item, body: ShiftClosed, expected_cents: int) -> Plan | Rejected:
        if not expected_cents and not body.counted_cents:
            # Only taking back an earlier shift's top-up leads here; an entry of nothing is no entry.
            return Rejected(Reason.WRONG_AMOUNT, "The drawer is empty by the books too. Put change in and count again.")
        amounts = (
            (rules.VAULT, body.counted_cents),
            (rules.OVER_SHORT, expected_cents - body.counted_cents),
            (rules.drawer(item.device.id), -expected_cents),
        )
        lines = [ledger.Line(account, cents) for account, cents in amounts if cents]
        entry = draft(item, ledger.EntryKind.SHIFT_CLOSED, "finance/shift-close/1", body.currency, *lines)
        return Plan(entry, body.counted_cents)

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        for item, posted in done:
            account = rules.drawer(item.device.id)
            expected = -sum(line.amount_cents for line in posted.lines if line.account == account)
            closed = {
                "closed_record": item.record.record_id,
                "closed_at": item.happened_at,
                "expected_cents": expected,
                "counted_cents": item.says(ShiftClosed).counted_cents,
            }
            session.execute(sa.update(Shift).where(Shift.id == item.says(ShiftClosed).shift_id).values(**closed))
