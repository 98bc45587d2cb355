"""How shifts, cash top-ups, deposits and funding become entries."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.clock import business_date
from cardsvc.finance import queries, rules
from cardsvc.finance.models import BankMovement, Shift
from cardsvc.money import CURRENCY
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.finance import BankDeposit, CashWithdrawal, Funding, ShiftClosed, ShiftOpened
from crypto.wire.transaction import Purpose, Reversal
from crypto.wire.wallets import CashTopUp

_NOT_THE_SIGNER = Rejected(Reason.NOT_PERMITTED, "The record names another staff member than the one who signed it.")
_OTHER_CURRENCY = Rejected(
    Reason.WRONG_AMOUNT, f"The city's books are kept in {CURRENCY}. Make the record in {CURRENCY}."
)
TOP_UP_CENTS_MAX = 50_000_00
"""What one top-up may bring. It bounds what a stolen counter can make up while its cashier's shift is open."""
_TOO_MUCH_CASH = Rejected(Reason.WRONG_AMOUNT, "One top-up is at most PHP 50,000. Bring larger sums to the treasurer.")
_NO_SHIFT = Rejected(Reason.UNKNOWN_REFERENCE, "No shift is open at this counter. Open one, then take the cash.")


def _draft(item: Item, kind: ledger.EntryKind, rule: str, currency: str, *lines: ledger.Line) -> ledger.Draft:
    return ledger.Draft(item.record.record_id, kind, lines, item.happened_at, rule, currency)


def _signer(item: Item) -> UUID | None:
    return None if item.staff is None else item.staff.staff_id


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
            if body.staff_id != _signer(item):
                plans.append(_NOT_THE_SIGNER)
            elif body.float_cents == 0:
                plans.append(Rejected(Reason.WRONG_AMOUNT, "A shift begins with some change in the drawer: enter it."))
            elif body.currency != CURRENCY:
                plans.append(_OTHER_CURRENCY)
            elif item.device.id in busy:
                plans.append(Rejected(Reason.ALREADY_DONE, "A shift is open at this counter. Close it first."))
            else:
                lines = (
                    ledger.Line(rules.drawer(item.device.id), body.float_cents),
                    ledger.Line(rules.VAULT, -body.float_cents),
                )
                draft = _draft(item, ledger.EntryKind.SHIFT_OPENED, "finance/shift-open/1", body.currency, *lines)
                plans.append(Plan(draft, body.float_cents, opens=(rules.drawer_spec(item.device.id),)))
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
            if body.staff_id != _signer(item):
                plans.append(_NOT_THE_SIGNER)
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
        draft = _draft(item, ledger.EntryKind.SHIFT_CLOSED, "finance/shift-close/1", body.currency, *lines)
        return Plan(draft, body.counted_cents)

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
            if wallet is None:
                plans.append(Rejected(Reason.UNKNOWN_WALLET, "This card's holder has no wallet yet."))
            elif shift is None or shift.id != body.shift_id:
                plans.append(_NO_SHIFT)
            elif body.currency != CURRENCY:
                plans.append(_OTHER_CURRENCY)
            elif body.amount_cents > TOP_UP_CENTS_MAX:
                plans.append(_TOO_MUCH_CASH)
            else:
                account = wallets.owed_account(wallet.id)
                # A debt below zero (repaid, then its ride was taken back) is given to the holder with the money.
                repaid = min(owed[account], body.amount_cents)
                owed[account] -= repaid
                amounts = (
                    (rules.drawer(item.device.id), body.amount_cents),
                    (account, -repaid),
                    (wallets.main_account(wallet.id), repaid - body.amount_cents),
                )
                lines = [ledger.Line(code, cents) for code, cents in amounts if cents]
                draft = _draft(item, ledger.EntryKind.CASH_TOP_UP, "wallets/cash-top-up/1", body.currency, *lines)
                plans.append(Plan(draft, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""


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
            if body.staff_id != _signer(item):
                plans.append(_NOT_THE_SIGNER)
                continue
            moved = self.into_bank * body.amount_cents
            lines = (ledger.Line(rules.BANK, moved), ledger.Line(rules.VAULT, -moved))
            draft = _draft(item, self.kind, self.rule, body.currency, *lines)
            plans.append(Plan(draft, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        bodies = [(item, item.says(self.body)) for item, _ in done]
        moved = [(item, body.reference, self.into_bank * body.amount_cents) for item, body in bodies]
        _note_movements(session, moved)


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
            if body.staff_id != _signer(item):
                plans.append(_NOT_THE_SIGNER)
                continue
            if not self.sources.fullmatch(body.account_code):
                plans.append(Rejected(Reason.NOT_PERMITTED, f"Funding cannot be credited to {body.account_code}."))
                continue
            lines = (ledger.Line(rules.BANK, body.amount_cents), ledger.Line(body.account_code, -body.amount_cents))
            draft = _draft(item, ledger.EntryKind.FUNDING, "finance/funding/1", body.currency, *lines)
            plans.append(Plan(draft, body.amount_cents))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        bodies = [(item, item.says(Funding)) for item, _ in done]
        _note_movements(session, [(item, body.reference, body.amount_cents) for item, body in bodies])


class Reversing:
    """Takes a whole earlier entry back, under a finance officer's signature.

    Only kinds whose entry is all there is to them: a claim or a paid bill has a state of its own that its feature must
    give back, and no feature does yet.
    """

    body: ClassVar[type[Reversal]] = Reversal
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance"})
    kinds: ClassVar[frozenset[ledger.EntryKind]] = frozenset({ledger.EntryKind.CASH_TOP_UP, ledger.EntryKind.TAP})

    def subject(self, item: Item, /) -> UUID:
        return item.says(Reversal).reversed_id

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        return [self._plan_one(session, item) for item in items]

    def _plan_one(self, session: Session, item: Item) -> Plan | Rejected:
        body = item.says(Reversal)
        try:
            entry = ledger.entry(session, body.reversed_id)
        except ledger.UnknownEntry:
            return Rejected(Reason.UNKNOWN_REFERENCE, "There is no such entry to take back.")
        if entry.kind not in self.kinds:
            return Rejected(Reason.NOT_PERMITTED, "Entries of this kind cannot be taken back here.")
        if ledger.reversal_of(session, body.reversed_id) is not None:
            return Rejected(Reason.ALREADY_DONE, "This entry was taken back before.")
        record_id = item.record.record_id
        draft = ledger.reversing(entry, entry_id=record_id, happened_at=item.happened_at, rule="finance/reversal/1")
        return Plan(draft, sum(line.amount_cents for line in entry.lines if line.amount_cents > 0))

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The entry is all there is to it."""


def _note_movements(session: Session, movements: Sequence[tuple[Item, str, int]]) -> None:
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
