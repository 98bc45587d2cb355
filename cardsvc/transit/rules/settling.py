"""What the city owes an operator for a day: charged, given back, subsidised, and the proof that the books say the same.

Of rides and of the passes that only this operator takes.

A settlement holds what the books took in on its day, whenever it happened. So each entry is in exactly one, a day that
is over never changes, and a tap that came late is an adjustment of the day on which it came.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from heapq import merge
from itertools import groupby
from operator import attrgetter
from typing import ClassVar, NamedTuple
from uuid import UUID

from cardsvc import money
from cardsvc.errors import CityError, ErrorKind

BEFORE_RIDES = "transit/flat/"
"""How the rules of taps began that were charged before rides had accounts of their own; nothing explains them."""


class What(StrEnum):
    """Why a ride's charge moved, or a pass's price."""

    RIDE = "ride"  # a tap was taken
    SALE = "sale"  # a pass was bought
    REVERSAL = "reversal"  # finance took a whole tap or sale back
    REFUND = "refund"  # a claim was granted


class Kind(StrEnum):
    """What a line of a settlement has."""

    RIDES = "rides"
    SALES = "pass"


class Booked(NamedTuple):
    """What an entry moved for one ride: the fare from the rider, the subsidy from the programme `paid_by`, both to the
    operator; less than zero is back. `product` and `capped` are of the ride as it stood then, and `pass_id` is the pass
    that paid it. Of a `sale` it is the pass that was sold, and `ride_id` names that one.
    """

    seq: int
    entry_id: UUID
    recorded_at: datetime
    what: What
    ride_id: UUID
    began_at: datetime
    wallet_id: UUID
    fare_day: date
    network: str
    agency: str
    fare_cents: int
    subsidy_cents: int
    paid_by: str
    product: str
    capped: bool
    pass_id: str
    sale: bool = False


class Posted(NamedTuple):
    """What an entry moved on an account of revenue or of a concession, debit positive. `charges` is whether its kind
    can only move for rides.
    """

    seq: int
    entry_id: UUID
    kind: int
    account: str
    amount_cents: int
    charges: bool


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """Rides of one network, product and fare day, each with what it came to on the day of the settlement: a hold and
    its release are one amount. `late` is whether the fare day is an earlier one. Rides that a pass paid name it, and
    cost nothing. A line of kind SALES has the sales of one pass instead.
    """

    kind: Kind
    network: str
    product: str
    pass_id: str
    fare_day: date
    late: bool
    rides: int
    passes: int
    charged_cents: int
    refunded_cents: int
    subsidy_cents: int

    @property
    def due_cents(self) -> int:
        return self.charged_cents - self.refunded_cents + self.subsidy_cents


@dataclass(frozen=True, slots=True)
class OtherMovement:
    """An entry on the operator's revenue that is of no ride: a voucher, money set aside that was taken."""

    entry_id: UUID
    kind: int
    amount_cents: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """`final` is whether the day is over. What is due is the operator's revenue of the day, to the centavo."""

    agency: str
    day: date
    final: bool
    currency: str
    lines: tuple[SettlementLine, ...]
    others: tuple[OtherMovement, ...]

    @property
    def charged_cents(self) -> int:
        return sum(line.charged_cents for line in self.lines)

    @property
    def refunded_cents(self) -> int:
        return sum(line.refunded_cents for line in self.lines)

    @property
    def subsidy_cents(self) -> int:
        return sum(line.subsidy_cents for line in self.lines)

    @property
    def other_cents(self) -> int:
        return sum(other.amount_cents for other in self.others)

    @property
    def due_cents(self) -> int:
        return self.charged_cents - self.refunded_cents + self.subsidy_cents + self.other_cents


_CHARGED = frozenset({What.RIDE, What.SALE})


class SettlementDiffers(CityError):
    code: ClassVar[str] = "settlement_differs"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self, entry_id: UUID, account: str, posted_cents: int, booked_cents: int) -> None:
        super().__init__(
            f"Entry {entry_id} moved {money.show(posted_cents)} on {account}, and its rides say"
            f" {money.show(booked_cents)}. Pay no operator by this day before somebody knows why: ./city audit check"
        )


class UnknownOperator(CityError):
    code: ClassVar[str] = "unknown_operator"
    kind: ClassVar[ErrorKind] = ErrorKind.NOT_FOUND

    def __init__(self, known: Iterable[str]) -> None:
        listed = ", ".join(known) or "none: import a feed first"
        super().__init__(f"The tariff never had an operator of this agency_id. Known: {listed}.")


class InvalidDay(CityError):
    code: ClassVar[str] = "invalid_day"
    kind: ClassVar[ErrorKind] = ErrorKind.UNPROCESSABLE

    def __init__(self) -> None:
        super().__init__("Enter a day like 2026-11-02.")


def settle(
    agency: str, day: date, booked: Iterable[Booked], others: Sequence[OtherMovement], *, final: bool
) -> Settlement:
    """The settlement of what was booked for the operator on the day, in the order of the log."""
    rides: dict[tuple[UUID, date, str], list[Booked]] = defaultdict(list)
    for one in booked:
        if one.agency == agency:
            rides[one.ride_id, one.fare_day, one.network].append(one)
    lines: dict[tuple[date, Kind, str, str, str], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (_, fare_day, network), moves in rides.items():
        net = sum(move.fare_cents for move in moves if move.what in _CHARGED)
        back = -sum(move.fare_cents for move in moves if move.what not in _CHARGED)
        last = moves[-1]
        line = lines[fare_day, Kind.SALES if last.sale else Kind.RIDES, network, last.product, last.pass_id]
        line[0] += 1
        line[1] += max(net, 0)
        line[2] += max(-net, 0) + back
        line[3] += sum(move.subsidy_cents for move in moves)
    return Settlement(
        agency,
        day,
        final,
        money.CURRENCY,
        tuple(
            SettlementLine(
                kind,
                network,
                product,
                pass_id,
                fare_day,
                fare_day < day,
                count if kind is Kind.RIDES else 0,
                count if kind is Kind.SALES else 0,
                *amounts,
            )
            for (fare_day, kind, network, product, pass_id), (count, *amounts) in sorted(lines.items())
        ),
        tuple(others),
    )


def unexplained(
    posted: Iterable[Posted], booked: Iterable[Booked], *, revenue: str, concession: str
) -> Iterator[Posted]:
    """What was posted that is of no ride; everything else is compared with its rides, entry by entry and account by
    account. Both come in the order of the log; `revenue` and `concession` begin the codes of the accounts.

    Raises: SettlementDiffers at the first entry that says something else than its rides.
    """
    both: tuple[Iterable[Posted | Booked], ...] = (posted, booked)
    for _, group in groupby(merge(*both, key=attrgetter("seq")), key=attrgetter("seq")):
        found: dict[str, Posted] = {}
        expected: dict[str, int] = defaultdict(int)
        entry_id = None
        for one in group:
            entry_id = one.entry_id
            if isinstance(one, Posted):
                found[one.account] = one
            else:
                expected[f"{revenue}{one.agency}"] -= one.fare_cents + one.subsidy_cents
                if one.subsidy_cents:
                    expected[f"{concession}{one.paid_by}"] += one.subsidy_cents
        assert entry_id is not None
        if not expected and not any(one.charges for one in found.values()):
            yield from found.values()
            continue
        for account in expected.keys() | found.keys():
            posted_cents = found[account].amount_cents if account in found else 0
            if posted_cents != expected.get(account, 0):
                raise SettlementDiffers(entry_id, account, posted_cents, expected.get(account, 0))
