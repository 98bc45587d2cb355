"""What GTFS cannot say, as files of our own beside a feed's: names begin with `x_`, columns are listed below.

| file | columns (an empty field: see the class) |
|---|---|
| x_settings.txt | fare_day_start, journey_gap, duplicate_window, pass_back_window |
| x_concessions.txt | concession_id, rider_category_id, network_id or agency_id, percent, valid_from, valid_to, |
| | paid_by, basis, statutory |
| x_caps.txt | cap_id, rider_category_id, network_id or agency_id, period, amount |
| x_incomplete.txt | network_id, maximum_fare, longest_ride, same_stop_grace, complete_by, complete_within |
| x_passes.txt | pass_id, network_id, pass_name, amount, days, rides |

Durations are whole seconds, amounts decimal text in the feed's currency, dates YYYYMMDD as GTFS writes them.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from fractions import Fraction
from typing import Final

from cardsvc.transit.rules.compiling import EMPTY, InvalidFareRow, Row, Table, each_row, read_amount, read_clock

_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?\Z")
_DATE: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})\Z")
_NUMBER: Final = re.compile(r"[0-9]{1,12}\Z")
_WHOLE: Final = Fraction(1)
_SECONDS_MAX: Final = 31 * 24 * 3600  # more would lead out of the calendar
_COUNT_MAX: Final = 100_000  # days or rides of a pass


class Period(StrEnum):
    """Of a cap: a fare day; a week of fare days from Monday; a calendar month of fare days."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class CompleteBy(StrEnum):
    """What may stand for a missing exit: nothing, or the place of the next entry."""

    NOTHING = ""
    NEXT_ENTRY = "next_entry"


Networks = frozenset[str]
"""The networks that a row is about; none: every one."""


@dataclass(frozen=True, slots=True)
class Concession:
    """A part of the fare that a category of riders need not pay, between two fare days, both in.

    `part` is exact; `paid_by` names the programme that pays it to the operator, `basis` the law. No cap, transfer or
    rounding may leave the rider less than a `statutory` one, which every row is unless it says 0.
    """

    row: int
    concession_id: str
    category: str
    networks: Networks
    part: Fraction
    valid_from: date
    valid_to: date
    paid_by: str
    basis: str
    statutory: bool = True

    def holds(self, categories: frozenset[str], network: str, day: date) -> bool:
        if self.networks and network not in self.networks:
            return False
        return self.category in categories and self.valid_from <= day <= self.valid_to


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that one rider pays in a period on its networks together. Empty category: whoever rides.

    A rider without any category has the feed's default one.
    """

    row: int
    cap_id: str
    category: str
    networks: Networks
    period: Period
    amount_cents: int

    def holds(self, categories: frozenset[str], network: str) -> bool:
        return (not self.category or self.category in categories) and (not self.networks or network in self.networks)


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A network with taps in and out, and what a ride costs of which one tap is missing."""

    row: int
    network: str
    maximum_cents: int
    longest: timedelta
    same_stop_grace: timedelta
    complete_by: CompleteBy
    complete_within: timedelta


@dataclass(frozen=True, slots=True)
class PassProduct:
    """A pass on sale. It is good for `days` fare days from the one it begins on, or until its `rides` are used up; None
    is without that limit. `networks` holds "" where it is good on every one; `amount_cents` is None where the feed
    states no price.
    """

    pass_id: str
    name: str
    networks: frozenset[str]
    amount_cents: int | None = None
    days: int | None = None
    rides: int | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """Everything beside the GTFS tables that a fare depends on. `zone` is the city's."""

    zone: tzinfo
    fare_day_start: timedelta = timedelta(hours=4)
    journey_gap: timedelta = timedelta(hours=2)
    duplicate_window: timedelta = timedelta(seconds=30)
    pass_back_window: timedelta = timedelta(0)
    concessions: tuple[Concession, ...] = ()
    caps: tuple[Cap, ...] = ()
    incomplete: Mapping[str, Incomplete] = field(default_factory=dict)
    passes: Mapping[str, PassProduct] = field(default_factory=dict)

    def fare_day(self, at: datetime) -> date:
        """A night out belongs to the day on which it began."""
        return (at.astimezone(self.zone) - self.fare_day_start).date()

    def day_begins(self, day: date) -> datetime:
        """The first moment of a fare day."""
        return datetime(day.year, day.month, day.day, tzinfo=self.zone) + self.fare_day_start

    def pass_window(self, pass_id: str, begins: date) -> tuple[datetime, datetime]:
        """From when until when a pass on sale is good if it begins on that fare day; without days, for ever."""
        days = self.passes[pass_id].days
        ends = datetime.max.replace(tzinfo=UTC) if days is None else self.day_begins(begins + timedelta(days=days))
        return self.day_begins(begins), ends

    def period_of(self, period: Period, day: date) -> date:
        """The first day of the period that the fare day lies in."""
        match period:
            case Period.DAY:
                return day
            case Period.WEEK:
                return day - timedelta(days=day.weekday())
            case Period.MONTH:
                return day.replace(day=1)


def read_terms(
    files: Mapping[str, Table], *, currency: str, zone: tzinfo, agency_of: Mapping[str, str] | None = None
) -> Terms:
    """`agency_of` says which agency runs a network. Raises: InvalidFareRow, naming the file and the row."""

    def cents(text: str) -> int:
        amount = read_amount(text, currency)
        if amount < 0:
            raise ValueError(f"{text} is negative.")
        return amount

    def rows(name: str) -> Table:
        return files.get(name, EMPTY)

    networks = _reader_of_networks(agency_of or {})
    settings = each_row("x_settings.txt", rows("x_settings.txt"), _settings)
    if len(settings) > 1:
        raise InvalidFareRow("x_settings.txt", 2, "there is one row of settings.")
    return Terms(
        zone,
        *(settings or [_settings(0, {})])[0],
        tuple(each_row("x_concessions.txt", rows("x_concessions.txt"), _reader_of_concessions(networks))),
        tuple(each_row("x_caps.txt", rows("x_caps.txt"), _reader_of_caps(cents, networks))),
        {
            found.network: found
            for found in each_row("x_incomplete.txt", rows("x_incomplete.txt"), _reader_of_incomplete(cents))
        },
        _passes(each_row("x_passes.txt", rows("x_passes.txt"), _reader_of_passes(cents))),
    )


def _settings(_number: int, row: Row) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """Start of the fare day, gap between journeys, window of duplicates, window of pass-back."""
    starts = read_clock(row.get("fare_day_start") or "04:00")
    if starts >= timedelta(days=1):
        raise ValueError(f"{row['fare_day_start']} is not within a day.")
    return (
        starts,
        _seconds(row.get("journey_gap", ""), timedelta(hours=2)),
        _seconds(row.get("duplicate_window", ""), timedelta(seconds=30)),
        _seconds(row.get("pass_back_window", ""), timedelta(0)),
    )


def _reader_of_networks(agency_of: Mapping[str, str]) -> Callable[[Row], Networks]:
    def read(row: Row) -> Networks:
        network, agency = row.get("network_id", ""), row.get("agency_id", "")
        if network and agency:
            raise ValueError("it names a network and an agency; name one of them.")
        if not agency:
            return frozenset({network} if network else ())
        found = frozenset(network for network, runs in agency_of.items() if runs == agency)
        if not found:
            raise ValueError(f"no network is run by an agency {agency}.")
        return found

    return read


def _reader_of_concessions(networks: Callable[[Row], Networks]) -> Callable[[int, Row], Concession]:
    def read(number: int, row: Row) -> Concession:
        found = Concession(
            number,
            row["concession_id"],
            row["rider_category_id"],
            networks(row),
            _part(row["percent"]),
            _date(row.get("valid_from", ""), date.min),
            _date(row.get("valid_to", ""), date.max),
            row.get("paid_by", ""),
            row.get("basis", ""),
            row.get("statutory", "") != "0",
        )
        if not found.concession_id or not found.category:
            raise ValueError("it names no concession or no category of riders.")
        if found.valid_to < found.valid_from:
            raise ValueError("it ends before it begins.")
        return found

    return read


def _reader_of_caps(cents: Callable[[str], int], networks: Callable[[Row], Networks]) -> Callable[[int, Row], Cap]:
    def read(number: int, row: Row) -> Cap:
        return Cap(
            number,
            row["cap_id"],
            row.get("rider_category_id", ""),
            networks(row),
            Period(row["period"]),
            cents(row["amount"]),
        )

    return read


def _reader_of_incomplete(cents: Callable[[str], int]) -> Callable[[int, Row], Incomplete]:
    def read(number: int, row: Row) -> Incomplete:
        return Incomplete(
            number,
            row["network_id"],
            cents(row["maximum_fare"]),
            _seconds(row["longest_ride"], timedelta(hours=2)),
            _seconds(row.get("same_stop_grace", ""), timedelta(0)),
            CompleteBy(row.get("complete_by", "")),
            _seconds(row.get("complete_within", ""), timedelta(0)),
        )

    return read


def _reader_of_passes(cents: Callable[[str], int]) -> Callable[[int, Row], PassProduct]:
    def read(_number: int, row: Row) -> PassProduct:
        amount = row.get("amount", "")
        return PassProduct(
            row["pass_id"],
            row.get("pass_name", "") or row["pass_id"],
            frozenset({row.get("network_id", "")}),
            cents(amount) if amount else None,
            _count(row.get("days", "")),
            _count(row.get("rides", "")),
        )

    return read


def _passes(rows: Sequence[PassProduct]) -> dict[str, PassProduct]:
    """Rows of one pass add networks to it; what else they say is said by the first."""
    found: dict[str, PassProduct] = {}
    for row in rows:
        known = found.setdefault(row.pass_id, row)
        found[row.pass_id] = replace(known, networks=known.networks | row.networks)
    return found


def _count(text: str) -> int | None:
    if not text:
        return None
    if not _NUMBER.match(text) or not 0 < int(text) <= _COUNT_MAX:
        raise ValueError(f"{text!r} is not a number of at least 1 and at most {_COUNT_MAX}.")
    return int(text)


def _part(text: str) -> Fraction:
    found = _PERCENT.match(text)
    part = Fraction(text) / 100 if found else None
    if part is None or part > _WHOLE:
        raise ValueError(f"{text!r} is not a percentage from 0 to 100 with at most two decimals.")
    return part


def _seconds(text: str, default: timedelta) -> timedelta:
    if not text:
        return default
    if not _NUMBER.match(text) or int(text) > _SECONDS_MAX:
        raise ValueError(f"{text!r} is not a number of seconds, {_SECONDS_MAX} or fewer.")
    return timedelta(seconds=int(text))


def _date(text: str, default: date) -> date:
    if not text:
        return default
    found = _DATE.match(text)
    if found is None:
        raise ValueError(f"{text!r} is not a date like 20270302.")
    return date(int(found[1]), int(found[2]), int(found[3]))
