"""Journal entry vouchers: one officer prepares and signs, another approves, and with that it is booked."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from cardsvc import access, ledger, transactions
from cardsvc.clock import business_date
from cardsvc.finance.handler import vouching
from cardsvc.finance.rules import vouchers as rules
from crypto.wire.finance import JournalEntry, JournalLine

RandomBytes = Callable[[int], bytes]
Book = Callable[[Session, JournalEntry, UUID, datetime], transactions.ItemResult]
"""Makes the service sign and take in the record of a voucher, under the action's id."""
_PREPARERS = frozenset({access.Role.FINANCE})
_APPROVERS = frozenset({access.Role.FINANCE, access.Role.TREASURER})


def voucher_handler(book: Book) -> access.ActionHandler:
    """The action of two that books a voucher."""

    def run(session: Session, payload: dict[str, Any], action: access.ActionView, now: datetime) -> None:
        voucher = rules.read_voucher(payload)
        vouching.check_voucher(session, voucher, business_date(now))
        assert action.ended_by is not None
        record = voucher.signed_by(action.proposed_by, action.ended_by)
        result = book(session, record, action.id, now)
        # If it was refused, raising takes the second signature back with everything else.
        if result.outcome != "accepted":
            raise rules.VoucherRefused(result.detail or "The books do not take it.")

    def describe(session: Session, payload: dict[str, Any]) -> str:
        voucher = rules.read_voucher(payload)
        vouching.check_voucher(session, voucher, date.max)
        return voucher.summary()[:400]

    return access.ActionHandler(rules.VOUCHER, _PREPARERS, _APPROVERS, run, describe)


def propose_voucher(
    session: Session,
    by_two: access.ActionHandler,
    voucher: rules.Voucher,
    *,
    by: UUID,
    now: datetime,
    random_bytes: RandomBytes,
) -> access.ActionView:
    """Write a voucher down for two people to sign. Raises: UnfitVoucher; access.UnsuitableAction, NotYourAction."""
    vouching.check_voucher(session, voucher, business_date(now))
    payload = voucher.payload()
    rules.read_voucher(payload)
    return access.propose(session, by_two, payload, voucher.summary()[:400], by=by, now=now, random_bytes=random_bytes)


def reversing_voucher(
    session: Session, entry_id: UUID, *, fund: str, booked_on: date, particulars: str, document: str
) -> rules.Voucher:
    """The voucher that takes an entry back. Raises: ledger.UnknownEntry."""
    entry = ledger.entry(session, entry_id)
    lines = tuple(JournalLine(line.account, -line.amount_cents) for line in entry.lines)
    return rules.Voucher(fund, booked_on, particulars, document, lines, entry_id)
