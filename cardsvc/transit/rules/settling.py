"""What the city owes an operator for a day: charged, given back, subsidised, and the proof that the books say the same.

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
    """Why a ride's charge moved."""

    RIDE = "ride"  # a tap was taken
    REVERSAL = "reversal"  # finance took a whole tap back
    REFUND = "refund"  # a claim was granted


class Booked(NamedTuple):
    """What an entry moved for one ride: the fare from the rider, the subsidy from the programme `paid_by`, both to the
    operator; less than zero is back. `product` and `capped` are of the ride as it stood then.
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
    its release are one amount. `late` is whether the fare day is an earlier one.
    """

    network: str
    product: str
    fare_day: date
    late: bool
    rides: int
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


class SettlementDiffers(CityError):
    code: ClassVar[str] = "settlement_differs"
    kind: ClassVar[ErrorKind] = ErrorKind.UNAVAILABLE

    def __init__(self, entry_id: UUID, account: str, posted_cents: int, booked_cents: int) -> None:
        super().__init__(
            f"Entry {entry_id} moved {money.show(posted_cents)} on {account}, and its rides say"
            f" {money.show(booked_cents)}. Pay no operator by this day before somebody knows why: ./city audit check"
        )


def settle(
    agency: str, day: date, booked: Iterable[Booked], others: Sequence[OtherMovement], *, final: bool
) -> Settlement:
    """The settlement of what was booked for the operator on the day, in the order of the log."""
    rides: dict[tuple[UUID, date, str], list[Booked]] = defaultdict(list)
    for one in booked:
        if one.agency == agency:
            rides[one.ride_id, one.fare_day, one.network].append(one)
    lines: dict[tuple[str, str, date], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for (_, fare_day, network), moves in rides.items():
        net = sum(move.fare_cents for move in moves if move.what is What.RIDE)
        back = -sum(move.fare_cents for move in moves if move.what is not What.RIDE)
        line = lines[network, moves[-1].product, fare_day]
        line[0] += 1
        line[1] += max(net, 0)
        line[2] += max(-net, 0) + back
        line[3] += sum(move.subsidy_cents for move in moves)
    ordered = sorted(lines.items(), key=lambda item: (item[0][2], item[0][0], item[0][1]))
    return Settlement(
        agency,
        day,
        final,
        money.CURRENCY,
        tuple(
            SettlementLine(network, product, fare_day, fare_day < day, *amounts)
            for (network, product, fare_day), amounts in ordered
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
