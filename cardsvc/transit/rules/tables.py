"""The fare tables of GTFS Fares v2 as values, ready to be asked. Their meaning is in `legs` and `journeys`.

"Row" numbers count from 1, the first row under the heading: an explanation names them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta, tzinfo
from enum import IntEnum

DAY_SECONDS = 86_400


class TransferType(IntEnum):
    """fare_transfer_type: what A to B costs. S is the cost so far, where other transfers came before."""

    FROM_AND_TRANSFER = 0  # A + AB; S + BC
    ALL = 1  # A + AB + B; S + BC + C
    TRANSFER_ONLY = 2  # AB; S + BC


class LimitType(IntEnum):
    """duration_limit_type: from which event of the first leg to which of the last."""

    DEPARTURE_TO_ARRIVAL = 0
    DEPARTURE_TO_DEPARTURE = 1
    ARRIVAL_TO_DEPARTURE = 2
    ARRIVAL_TO_ARRIVAL = 3


@dataclass(frozen=True, slots=True)
class Service:
    """The days of a service_id: weekdays (0 is Monday) within two dates, and the exceptions of calendar_dates."""

    weekdays: frozenset[int]
    first: date = date.min
    last: date = date.max
    added: frozenset[date] = frozenset()
    removed: frozenset[date] = frozenset()

    def runs_on(self, day: date) -> bool:
        if day in self.removed:
            return False
        return day in self.added or (day.weekday() in self.weekdays and self.first <= day <= self.last)


@dataclass(frozen=True, slots=True)
class Timeframe:
    """From `start` to `end` since midnight, the end excluded, on the days of a service."""

    group_id: str
    start: timedelta
    end: timedelta
    service: Service


@dataclass(frozen=True, slots=True)
class FareStop:
    """A place to board or leave. `station_id` is its station, or the stop itself; `areas` as the reference resolves
    them: its own, else its station's.
    """

    stop_id: str
    station_id: str
    zone: tzinfo
    areas: frozenset[str]


@dataclass(frozen=True, slots=True)
class Product:
    """One row of fare_products: an empty category or medium fits every one. May be negative, may be zero."""

    row: int
    product_id: str
    category: str
    medium: str
    amount_cents: int


@dataclass(frozen=True, slots=True)
class LegRule:
    row: int
    group_id: str
    network: str
    from_area: str
    to_area: str
    from_timeframe: str
    to_timeframe: str
    product_id: str
    priority: int


@dataclass(frozen=True, slots=True)
class JoinRule:
    row: int
    from_network: str
    to_network: str
    from_stop: str
    to_stop: str


@dataclass(frozen=True, slots=True)
class TransferRule:
    """`count` is None where the row has none, -1 without limit; `limit` is None without limit."""

    row: int
    from_group: str
    to_group: str
    count: int | None
    limit: timedelta | None
    limit_type: LimitType
    kind: TransferType
    product_id: str


@dataclass(frozen=True, slots=True)
class FareTables:
    """One version of a feed's fares. Everything is in one currency.

    `has_priority` says whether fare_leg_rules has the column rule_priority: it turns the meaning of empty fields.
    `media` is empty when the feed names none: then the medium of a product says nothing.
    """

    currency: str
    stops: Mapping[str, FareStop]
    network_of_route: Mapping[str, str]
    products: Mapping[str, tuple[Product, ...]]
    leg_rules: tuple[LegRule, ...]
    has_priority: bool
    join_rules: tuple[JoinRule, ...] = ()
    transfer_rules: tuple[TransferRule, ...] = ()
    timeframes: Mapping[str, tuple[Timeframe, ...]] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    default_category: str = ""
    media: tuple[str, ...] = ()
