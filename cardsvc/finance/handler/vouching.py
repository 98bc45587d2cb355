"""What a voucher must still satisfy as the books stand: its accounts, and what it takes back."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.orm import Session

from cardsvc import ledger
from cardsvc.finance import queries
from cardsvc.finance.rules import vouchers as rules
from cardsvc.finance.rules.vouchers import UnfitVoucher


def check_voucher(session: Session, voucher: rules.Voucher, today: date) -> None:
    """Raises: UnfitVoucher, ledger.UnknownEntry."""
    codes = [line.account_code for line in voucher.lines]
    problem = rules.fault(voucher, ledger.patterns(session, codes), today)
    problem = problem or _wrong_reversal(session, voucher)
    if problem is not None:
        raise UnfitVoucher(problem)


def _wrong_reversal(session: Session, voucher: rules.Voucher) -> str | None:
    if voucher.reverses is None:
        return None
    entry = ledger.entry(session, voucher.reverses)
    if not rules.is_reversible(entry):
        return "Entries of this kind cannot be taken back here: their feature has a state of its own to give back."
    if not rules.is_opposite(voucher, entry.lines):
        return "What takes an entry back has its lines with the opposite sign, all of them and in their order."
    if ledger.reversal_of(session, voucher.reverses) is not None:
        return "This entry was taken back before."
    if queries.is_assigned(session, voucher.reverses):
        return "This transfer waits no more: take its assignment back first."
    return None


def opens(session: Session, codes: Sequence[str]) -> tuple[ledger.AccountSpec, ...]:
    """Accounts of the chart that a voucher may open by naming them: such as are one of their kind."""
    found = ledger.patterns(session, codes)
    return tuple(
        ledger.AccountSpec(code, pattern.kind, pattern.policy, pattern.fund, pattern.floor_cents)
        for code, pattern in found.items()
        if pattern is not None and pattern.pattern == code and pattern.journal and not pattern.retired
    )
