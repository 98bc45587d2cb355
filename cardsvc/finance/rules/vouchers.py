"""Journal entry vouchers: what two people sign, and what may be in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final
from uuid import UUID

from cardsvc import access, ledger
from cardsvc.errors import CityError, ErrorKind
from cardsvc.money import CURRENCY, show
from crypto.errors import MalformedMessage
from crypto.wire.finance import JournalEntry, JournalLine

VOUCHER: Final = "finance.journal_entry"
REVERSAL_ALONE_CENTS_MAX: Final = 1_000_00
"""The most that one officer may take back alone; more is a voucher of two."""
REVERSIBLE: Final = frozenset(
    {
        ledger.EntryKind.CASH_TOP_UP,
        ledger.EntryKind.TAP,
        ledger.EntryKind.PASS_BOUGHT,
        ledger.EntryKind.CARD_PAID,
        ledger.EntryKind.HOLD_CAPTURED,
        ledger.EntryKind.JOURNAL_ENTRY,
        ledger.EntryKind.BANK_TRANSFER,
        ledger.EntryKind.TRANSFER_ASSIGNED,
    }
)
"""Kinds whose entry is all there is to them: a claim or a paid bill has a state of its own that its feature must give
back, and no feature does yet.
"""
_STANDS_FOR: Final = "disputed_kind"


def is_reversible(entry: ledger.StoredEntry) -> bool:
    """Whether a voucher may take the entry back; a settled dispute is what the record it stands for would be."""
    if entry.kind is ledger.EntryKind.DISPUTE_SETTLED:
        return int(dict(entry.metadata)[_STANDS_FOR]) in REVERSIBLE
    return entry.kind in REVERSIBLE


_SERIES: Final = {"general": "GF", "sef": "SEF", "trust": "TF"}


class VoucherRefused(CityError):
    """A journal entry that the books do not take; the sentence says why."""

    code: ClassVar[str] = "voucher_refused"
    kind: ClassVar[ErrorKind] = ErrorKind.CONFLICT


class UnfitVoucher(CityError):
    """A journal entry that nobody could sign; the sentence says why."""

    code: ClassVar[str] = "unfit_voucher"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE


@dataclass(frozen=True, slots=True)
class Voucher:
    """What a voucher says. `reverses` is the entry that it takes back, whose lines it has with the opposite sign."""

    fund: str
    booked_on: date
    particulars: str
    document: str
    lines: tuple[JournalLine, ...]
    reverses: UUID | None = None

    @property
    def debits_cents(self) -> int:
        return sum(line.amount_cents for line in self.lines if line.amount_cents > 0)

    def signed_by(self, prepared_by: UUID, approved_by: UUID) -> JournalEntry:
        """The record of it. Raises: MalformedMessage for what no record can say."""
        return JournalEntry(
            prepared_by=prepared_by,
            approved_by=approved_by,
            fund=self.fund,
            booked_on=self.booked_on,
            currency=CURRENCY,
            particulars=self.particulars,
            document=self.document,
            lines=self.lines,
            reverses=self.reverses,
        )

    def payload(self) -> dict[str, Any]:
        """What goes into the action that two sign."""
        said: dict[str, Any] = {
            "fund": self.fund,
            "booked_on": self.booked_on.isoformat(),
            "particulars": self.particulars,
            "document": self.document,
            "lines": [{"account_code": line.account_code, "amount_cents": line.amount_cents} for line in self.lines],
        }
        return said if self.reverses is None else said | {"reverses": str(self.reverses)}

    def summary(self) -> str:
        what = f"Journal entry of {show(self.debits_cents)}, booked on {self.booked_on}: {self.particulars}"
        return what if self.reverses is None else f"{what} (takes back {self.reverses})"


def read_voucher(payload: Mapping[str, Any]) -> Voucher:
    """The voucher that a payload says. Raises: access.UnsuitableAction."""
    names = {"fund", "booked_on", "particulars", "document", "lines"}
    if set(payload) | {"reverses"} != names | {"reverses"}:
        raise access.UnsuitableAction(f"A journal entry says {', '.join(sorted(names))}, and perhaps reverses.")
    try:
        reverses = payload.get("reverses")
        voucher = Voucher(
            fund=payload["fund"],
            booked_on=date.fromisoformat(payload["booked_on"]),
            particulars=payload["particulars"],
            document=payload["document"],
            lines=tuple(JournalLine(**line) for line in payload["lines"]),
            reverses=None if reverses is None else UUID(reverses),
        )
        voucher.signed_by(_NOBODY, _NOBODY)
    except (MalformedMessage, TypeError, ValueError, AttributeError) as error:
        raise access.UnsuitableAction(f"This is no journal entry: {error}") from error
    return voucher


_NOBODY: Final = UUID(int=0)


def fault(voucher: Voucher, rules: Mapping[str, ledger.Pattern | None], today: date) -> str | None:
    """What is wrong with a voucher in a sentence. `rules` has the chart's pattern of each account."""
    total = sum(line.amount_cents for line in voucher.lines)
    if not all(line.amount_cents for line in voucher.lines):
        return "A line is of nothing: leave it out."
    if len(voucher.lines) < ledger.LINES_MIN or total:
        return f"A journal entry has two lines or more that sum to zero; these sum to {total} cents."
    if voucher.booked_on > today:
        return f"{voucher.booked_on} is still to come: date the entry on a day that has begun."
    untouchable = _untouchable(voucher, rules)
    if untouchable is None and all(pattern is None or pattern.fund != voucher.fund for pattern in rules.values()):
        return f"None of its accounts is of the {voucher.fund} fund, whose number it would have."
    return untouchable


def _untouchable(voucher: Voucher, rules: Mapping[str, ledger.Pattern | None]) -> str | None:
    for line in voucher.lines:
        pattern = rules[line.account_code]
        if pattern is None:
            return f"The chart of accounts has no {line.account_code}."
        if not pattern.journal and voucher.reverses is None:
            return f"{line.account_code} is moved by its own records only: the chart lets no journal entry touch it."
    return None


def is_opposite(voucher: Voucher, lines: Sequence[ledger.PostedLine]) -> bool:
    """Whether the voucher's lines take exactly these back."""
    wanted = [(line.account, -line.amount_cents) for line in lines]
    return [(line.account_code, line.amount_cents) for line in voucher.lines] == wanted


def series(fund: str, booked_on: date) -> str:
    """The series of a voucher's number: one a fund and year."""
    return f"JEV-{_SERIES[fund]}-{booked_on.year}"
