"""Money that people sent to the city's bank: into the wallet whose reference it carries, or to where it waits."""

from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cardsvc import ledger, wallets
from cardsvc.finance import queries, rules
from cardsvc.finance.handler.common import NOT_THE_SIGNER, OTHER_CURRENCY, draft, into_wallet, signer
from cardsvc.finance.models import BankMovement, StatementLine, Transfer, TransferAssignment
from cardsvc.finance.rules.vouchers import REVERSAL_ALONE_CENTS_MAX
from cardsvc.money import CURRENCY, show
from cardsvc.transactions import Item, Plan, Reason, Rejected
from crypto.wire.finance import BankTransfer, TransferAssigned
from crypto.wire.transaction import Purpose

_NO_LINE = Rejected(Reason.UNKNOWN_REFERENCE, "No statement has this line. Import the bank's file first.")
_EXPLAINED = Rejected(
    Reason.ALREADY_DONE, "This line of the statement is explained already: nothing is credited twice."
)
_OTHER_AMOUNT = Rejected(Reason.WRONG_AMOUNT, "The line of the statement has another amount.")
_OTHER_WALLET = Rejected(
    Reason.UNKNOWN_REFERENCE, "The line's reference names another wallet, or none. Make the record anew."
)
_NOT_WAITING = Rejected(Reason.ALREADY_DONE, "This transfer does not wait: look at its entry.")
_NO_WALLET = Rejected(Reason.UNKNOWN_WALLET, "There is no such wallet. Look the resident up again.")
_CLOSED = Rejected(Reason.ACCOUNT_CLOSED, "This wallet is closed: nothing can be put into it.")
_TAKES_TWO = Rejected(
    Reason.NOT_PERMITTED,
    f"Above {show(REVERSAL_ALONE_CENTS_MAX)} somebody else assigns a transfer than took it in. Ask a colleague.",
)


class TakingTransfer:
    """A line of a bank statement is taken in, once, and credited as its reference says."""

    body: ClassVar[type[BankTransfer]] = BankTransfer
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance", "treasurer"})

    def subject(self, item: Item, /) -> bytes:
        return item.says(BankTransfer).line_hash

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        bodies = [item.says(BankTransfer) for item in items]
        lines = queries.by_hashes(session, [body.line_hash for body in bodies])
        named = [line.wallet_id for line in lines.values() if line.wallet_id is not None]
        owed = ledger.balances(session, [wallets.owed_account(wallet_id) for wallet_id in named])
        plans: list[Plan | Rejected] = []
        for item, body in zip(items, bodies, strict=True):
            refusal = _fault(item, body, lines.get(body.line_hash))
            plans.append(refusal or _plan(item, body, owed))
        return plans

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], now: datetime, /) -> None:
        """The line is explained by the entry from now on, whatever is imported again."""
        lines = queries.by_hashes(session, [item.says(BankTransfer).line_hash for item, _ in done])
        for item, _ in done:
            body = item.says(BankTransfer)
            line, entry_id = lines[body.line_hash], item.record.record_id
            _keep(session, line, body, entry_id, now)
            why = f"Taken in as a transfer with {body.reference or 'no reference'}."
            matched = {"state": "matched", "matched_entry": entry_id, "why": why}
            session.execute(sa.update(StatementLine).where(StatementLine.id == line.line_id).values(**matched))


def _fault(item: Item, body: BankTransfer, line: queries.Incoming | None) -> Rejected | None:
    if body.staff_id != signer(item):
        return NOT_THE_SIGNER
    if body.currency != CURRENCY:
        return OTHER_CURRENCY
    if line is None:
        return _NO_LINE
    if (body.reference, body.wallet_id) != (line.reference, line.wallet_id):
        return _OTHER_WALLET
    if body.amount_cents != line.amount_cents:
        return _OTHER_AMOUNT
    return None if line.state == "open" else _EXPLAINED


def _plan(item: Item, body: BankTransfer, owed: dict[str, int]) -> Plan:
    bank = ledger.Line(rules.BANK, body.amount_cents)
    kind, rule = ledger.EntryKind.BANK_TRANSFER, "finance/bank-transfer/1"
    if body.wallet_id is None:
        waits = ledger.Line(rules.SUSPENSE, -body.amount_cents)
        entry = draft(item, kind, rule, body.currency, bank, waits, reference=body.reference)
        return Plan(entry, body.amount_cents, opens=(rules.SUSPENSE_SPEC,))
    credited = into_wallet(body.wallet_id, body.amount_cents, owed)
    entry = draft(item, kind, rule, body.currency, bank, *credited, reference=body.reference)
    return Plan(entry, body.amount_cents)


def _keep(session: Session, line: queries.Incoming, body: BankTransfer, entry_id: UUID, now: datetime) -> None:
    moved = {
        "entry_id": entry_id,
        "reference": body.reference or "",
        "amount_cents": body.amount_cents,
        "happened_on": line.booked_on,
    }
    session.execute(sa.insert(BankMovement).values(**moved))
    transfer = {
        "entry_id": entry_id,
        "line_id": line.line_id,
        "reference": body.reference,
        "amount_cents": body.amount_cents,
        "wallet_id": body.wallet_id,
        "why": line.why,
        "taken_by": body.staff_id,
        "taken_at": now,
    }
    session.execute(sa.insert(Transfer).values(**transfer))


class Assigning:
    """Staff found out whose a transfer is that waited. A large one takes another person than the one who took it in."""

    body: ClassVar[type[TransferAssigned]] = TransferAssigned
    purposes: ClassVar[frozenset[Purpose]] = frozenset({Purpose.STAFF})
    device_kinds: ClassVar[frozenset[str]] = frozenset({"portal"})
    roles: ClassVar[frozenset[str]] = frozenset({"finance", "treasurer"})

    def subject(self, item: Item, /) -> UUID:
        return item.says(TransferAssigned).transfer_id

    def plan(self, session: Session, items: Sequence[Item], _now: datetime, /) -> list[Plan | Rejected]:
        found = wallets.by_ids(session, [item.says(TransferAssigned).wallet_id for item in items])
        owed = ledger.balances(session, [wallets.owed_account(wallet_id) for wallet_id in found])
        return [self._plan_one(session, item, found, owed) for item in items]

    def _plan_one(
        self, session: Session, item: Item, found: dict[UUID, wallets.Wallet], owed: dict[str, int]
    ) -> Plan | Rejected:
        body = item.says(TransferAssigned)
        waiting = queries.waiting(session, transfer_id=body.transfer_id)
        refusal = _unassignable(item, body, found.get(body.wallet_id), waiting)
        if refusal is not None:
            return refusal
        lines = (
            ledger.Line(rules.SUSPENSE, body.amount_cents),
            *into_wallet(body.wallet_id, body.amount_cents, owed),
        )
        kind, rule = ledger.EntryKind.TRANSFER_ASSIGNED, "finance/transfer-assigned/1"
        entry = draft(item, kind, rule, body.currency, *lines, reference=waiting[0].reference)
        return Plan(entry, body.amount_cents)

    def settle(self, session: Session, done: Sequence[tuple[Item, ledger.Posted]], _now: datetime, /) -> None:
        rows = [
            {
                "entry_id": item.record.record_id,
                "transfer_id": item.says(TransferAssigned).transfer_id,
                "wallet_id": item.says(TransferAssigned).wallet_id,
            }
            for item, _ in done
        ]
        session.execute(sa.insert(TransferAssignment), rows)


def _unassignable(
    item: Item, body: TransferAssigned, wallet: wallets.Wallet | None, waiting: Sequence[queries.Waiting]
) -> Rejected | None:
    if body.staff_id != signer(item):
        return NOT_THE_SIGNER
    if body.currency != CURRENCY:
        return OTHER_CURRENCY
    if wallet is None or not wallet.is_open:
        return _NO_WALLET if wallet is None else _CLOSED
    if not waiting:
        return _NOT_WAITING
    if waiting[0].amount_cents != body.amount_cents:
        return _OTHER_AMOUNT
    alone = waiting[0].taken_by == body.staff_id
    return _TAKES_TWO if alone and body.amount_cents > REVERSAL_ALONE_CENTS_MAX else None
